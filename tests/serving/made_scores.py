"""Small score tables by hand, with every column of a real one."""

from datetime import datetime

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from serving import parts
from serving.score import COLUMNS

MARCH = datetime(2025, 3, 31, 23, 59, 59, 999999)
APRIL = datetime(2025, 4, 30, 23, 59, 59, 999999)
# A customer at high risk whom a contact may keep.
ROW = {
    "status": "scored",
    "churn_probability": 0.8,
    "churn_band": "high",
    "expected_value": 120.0,
    "tier": "maintain",
    "max_spend": 4.0,
    "retain_advised": True,
    "top_factors": 'Complaints not yet closed: 2 (+7 points), "slow"; days: 3',
}


def write(path, as_of=MARCH, **customers):
    """A score file with one row per customer, each as ROW but for what is given."""
    rows = [
        {**ROW, "customer_id": name, "as_of": as_of, **changes}
        for name, changes in customers.items()
    ]
    columns = [*COLUMNS, "top_factors"]
    frame = pd.DataFrame(rows).reindex(columns=columns)
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.Table.from_pandas(frame, parts.schema(columns), preserve_index=False)
    pq.write_table(table.replace_schema_metadata(None), path)
    return path

"""How old the newest row of each table, source and kind of contact is, and where rows come from.

Source: items 11.2 (source, lawful basis) and 11.4 (freshness per source).
"""

from __future__ import annotations

from datetime import datetime

import ibis
import pandas as pd

from features import backend
from features.events import INTERACTIONS, PROVENANCE, TRANSACTIONS
from features.following import SECONDS_OF_HOUR
from features.moment import past
from features.workspace import Workspace, event_files

COLUMNS = ("table", "by", "name", "rows", "newest", "hours")
TABLE = "table"  # the whole table is the one group by this


def freshness(space: Workspace, as_of: datetime) -> pd.DataFrame:
    """One row per table, and per value of each PROVENANCE column and kind of contact: COLUMNS.

    by: the column, or TABLE for a whole table. name: its value; rows without one are not counted.
    rows: how many. newest: the newest moment at which one became known; hours: from then to
    `as_of`. Rows known later are not seen.
    """
    found = []
    for table in (TRANSACTIONS.name, INTERACTIONS.name):
        files = event_files(space, table)
        if not files:
            continue
        seen = past(backend.read_parquet(files), as_of)
        groups = [name for name in ("kind", *PROVENANCE) if name in seen.columns]
        for by in (TABLE, *groups):
            name = ibis.literal(table) if by == TABLE else seen[by]
            each = seen.mutate(name=name).group_by("name")
            rows = each.agg(rows=lambda row: row.count(), newest=lambda row: row.known_at.max())
            told = backend.connect().to_pyarrow(rows.filter(rows.name.notnull())).to_pandas()
            found.append(told.sort_values("name").assign(table=table, by=by))
    every = pd.concat(found) if found else pd.DataFrame(columns=[*COLUMNS[:-1]])
    age = pd.Timestamp(as_of) - pd.to_datetime(every.newest)
    every["hours"] = age.dt.total_seconds() / SECONDS_OF_HOUR
    return every[list(COLUMNS)].reset_index(drop=True)

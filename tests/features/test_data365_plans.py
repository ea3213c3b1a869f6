"""Plans of 365 Data Science that ran out: given purchases, the closures."""

import pandas as pd
import pytest

from features.datasets import DATASETS
from features.datasets.data365_plans import RAN_OUT, ends
from tests.real_data import real_data


def of(*lines, last_day="2022-10-20"):
    purchases = pd.DataFrame([line.split() for line in lines],
                             columns=["customer_id", "happened_at", "product_id"])  # fmt: skip
    purchases["happened_at"] = pd.to_datetime(purchases["happened_at"])
    found = ends(purchases, pd.Timestamp(last_day))
    days = found["happened_at"].dt.strftime("%Y-%m-%d")
    assert set(found["kind"]) <= {"closure"}
    assert set(found["detail"]) <= {RAN_OUT}
    return list(zip(found["customer_id"], days, strict=True))


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        (["ann 2022-01-31 Monthly"], [("ann", "2022-02-28")]),
        (["ann 2022-01-15 Quarterly"], [("ann", "2022-04-15")]),
        (["ann 2022-01-15 Annual"], []),  # ends after the data
        (["ann 2022-01-15 Lifetime"], []),  # of no known length
        (["ann 2022-09-20 Monthly"], [("ann", "2022-10-20")]),
        (["ann 2022-09-21 Monthly"], []),
        # Renewed on the very day, then late: an end between.
        (
            ["ann 2022-01-15 Monthly", "ann 2022-02-15 Monthly", "ann 2022-03-16 Monthly"],
            [("ann", "2022-03-15"), ("ann", "2022-04-16")],
        ),
        # A month within a year ends nothing.
        (["ann 2022-01-15 Annual", "ann 2022-02-15 Monthly", "ann 2022-06-15 Monthly"], []),
        (
            ["bob 2022-01-15 Monthly", "ann 2022-01-20 Monthly"],
            [("ann", "2022-02-20"), ("bob", "2022-02-15")],
        ),
    ],
)
def test_a_closure_stands_where_all_plans_have_run_out(lines, expected):
    assert of(*lines) == expected


def test_the_real_ends_are_those_of_the_plans_that_can_end():
    interactions = DATASETS["data365_plans"].load(real_data("365-datascience"))["interactions"]
    closures = interactions[interactions["kind"] == "closure"]
    assert len(closures) == 485
    assert closures["customer_id"].nunique() == 434
    assert f"{closures['happened_at'].max():%Y-%m-%d}" == "2022-10-20"

"""Scores and tests with little in them still make a whole report, without a warning."""

import re

import numpy as np
import pytest

from serving.report import SECTIONS
from tests.serving.report_world import CAUSES, customers, held_out, proven, written

GUARANTEED = [
    "customer_id",
    "as_of",
    "status",
    "purchase_probability",
    "churn_probability",
    "expected_value",
    "tier",
    "stage",
    "expected_loss",
]
NO_TYPES = {f"type_{cause}": None for cause in CAUSES}
POORER = {
    "one customer": lambda scores: scores.head(1),
    "one active customer": lambda scores: scores[scores["churn_probability"].notna()].head(1),
    "no active customer": lambda scores: scores.assign(
        churn_probability=np.nan, churn_band=None, expected_loss=np.nan, **NO_TYPES
    ),
    "all the same risk": lambda scores: scores.assign(churn_probability=0.5),
    "certain risks": lambda scores: scores.assign(churn_probability=[0.0, 1.0] * 150),
    "no risk at all": lambda scores: scores.assign(churn_probability=0.0, expected_loss=0.0),
    "negative values": lambda scores: scores.assign(
        expected_value=-scores["expected_value"], expected_loss=-scores["expected_loss"]
    ),
    "values of zero": lambda scores: scores.assign(expected_value=0.0),
    "no value known": lambda scores: scores.assign(expected_value=np.nan),
    "one infinite value": lambda scores: scores.assign(
        expected_value=scores["expected_value"].where(scores.index > 0, np.inf)
    ),
    "all types null": lambda scores: scores.assign(**NO_TYPES),
    "no tier, no stage, no band": lambda scores: scores.assign(
        tier=None, stage=None, churn_band=None
    ),
    "codes of another policy": lambda scores: scores.assign(
        tier="gold $5 & up", stage="阶段", churn_band="critical"
    ),
    "only the guaranteed columns": lambda scores: scores[GUARANTEED],
    "numbers as customer ids": lambda scores: scores.assign(customer_id=range(300)),
    "nullable and categorical columns": lambda scores: scores.convert_dtypes().astype(
        {"tier": "category", "churn_band": "category"}
    ),
}


def says_no_nan(page):
    return "nan" not in re.sub(r"<script>.*</script>", "", page.html, flags=re.DOTALL)


@pytest.mark.parametrize("poorer", POORER.values(), ids=POORER)
def test_poor_scores_still_make_a_whole_report(tmp_path, poorer):
    found = written(tmp_path / "report.html", poorer(customers()))

    assert [tag for tag, _ in found.tags].count("section") == len(SECTIONS)
    assert says_no_nan(found)


WORSE = {
    "nobody": lambda rows: rows.head(0),
    "one customer": lambda rows: rows.head(1),
    "nobody active": lambda rows: rows.assign(is_active=False),
    "everybody bought": lambda rows: rows.assign(bought=1),
    "nobody bought": lambda rows: rows.assign(bought=0, value=0.0),
    "one probability": lambda rows: rows.assign(purchase_probability=0.5),
    "no baseline": lambda rows: rows.assign(baseline_probability=np.nan, baseline_value=np.nan),
    "a perfect baseline": lambda rows: rows.assign(
        baseline_probability=rows["bought"].astype(float), baseline_value=rows["value"]
    ),
    "no value known": lambda rows: rows.assign(value=np.nan),
    "negative values": lambda rows: rows.assign(
        value=-rows["value"], expected_value=-rows["expected_value"]
    ),
}


@pytest.mark.parametrize("worse", WORSE.values(), ids=WORSE)
def test_a_poor_test_still_makes_a_whole_report(tmp_path, worse):
    found = written(tmp_path / "report.html", customers(1), proven(worse(held_out(200))))

    assert [tag for tag, _ in found.tags].count("section") == len(SECTIONS)
    assert says_no_nan(found)

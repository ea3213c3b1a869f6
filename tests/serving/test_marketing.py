"""Given value and need, how to speak to a customer."""

import numpy as np
import pandas as pd

from features.columns import Columns
from serving.marketing import MODES, marketing_mode
from training.business_facts import BusinessFacts

FACTS = BusinessFacts(("categories",), None, individual_need=0.5)
EXAMPLES = [
    ("mvc", 0.6, "customised"),
    ("mvc", 0.5, "frequency"),  # at the cut, not beyond
    ("mgc", 0.6, "customised"),
    ("mgc", 0.1, "frequency"),
    ("maintain", 0.6, "drop"),
    ("maintain", 0.1, "mass"),
    ("below_zero", 0.6, "drop"),
    ("below_zero", 0.1, "mass"),
    ("mvc", np.nan, None),
]
ROWS = pd.DataFrame({"need_distance": [distance for _, distance, _ in EXAMPLES]})
TIERS = np.array([tier for tier, *_ in EXAMPLES], dtype=object)
EXPECTED = [mode for *_, mode in EXAMPLES]


def test_the_mode_by_value_and_need():
    assert marketing_mode(ROWS, TIERS, FACTS).tolist() == EXPECTED
    assert set(EXPECTED) - {None} == set(MODES)


def test_one_row_is_as_many_in_any_order_and_as_arrays():
    order = np.random.default_rng(3).permutation(len(ROWS))
    shuffled = marketing_mode(Columns.of(ROWS.iloc[order]), pd.Series(TIERS[order]), FACTS)
    singles = [marketing_mode(ROWS.iloc[[k]], TIERS[[k]], FACTS)[0] for k in order]
    assert shuffled.tolist() == singles == [EXPECTED[k] for k in order]


def test_without_categories_there_is_no_mode():
    rows = pd.DataFrame({"spend_total": [1.0, 2.0]})
    assert marketing_mode(rows, TIERS[:2], FACTS).tolist() == [None, None]
    assert marketing_mode(ROWS, TIERS, BusinessFacts()).tolist() == [None] * len(ROWS)

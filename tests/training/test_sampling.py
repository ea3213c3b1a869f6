"""Given ids of customers, which of them are chosen for what."""

import numpy as np
import pandas as pd
import pytest

from training.sampling import MOST_CUSTOMERS, MOST_ROWS, drawn, kept_aside, thinned


def test_a_customer_is_aside_in_every_cutoff_or_in_none():
    ids = pd.Series([f"C{k}" for k in range(4000)])
    aside = kept_aside(ids)
    assert aside.mean() == pytest.approx(0.25, abs=0.03)
    assert (kept_aside(ids[::-1])[::-1] == aside).all()


def test_a_small_panel_is_kept_and_a_large_one_keeps_whole_customers():
    small = pd.DataFrame({"customer_id": ["a", "b"]}, index=[5, 9])
    assert thinned(small).customer_id.tolist() == ["a", "b"]
    large = pd.DataFrame({"customer_id": np.repeat([f"C{k}" for k in range(MOST_ROWS)], 2)})
    kept = thinned(large)
    assert len(kept) == pytest.approx(MOST_ROWS, rel=0.03)
    assert (kept.customer_id.value_counts() == 2).all()
    # Both of those who choose the trees and those who grow them are left.
    assert kept_aside(kept.customer_id).mean() == pytest.approx(0.25, abs=0.02)


def test_of_a_small_business_everybody_is_drawn():
    ids = pd.Series([f"C{k}" for k in range(1000)])
    assert drawn(ids, of=MOST_CUSTOMERS).all()
    assert drawn(ids, of=0).all()


def test_of_a_large_business_so_many_are_drawn_and_the_same_at_every_moment():
    ids = pd.Series([f"C{k}" for k in range(4 * MOST_CUSTOMERS)])
    now = drawn(ids, of=len(ids))
    assert now.sum() == pytest.approx(MOST_CUSTOMERS, rel=0.03)
    then = drawn(ids[: len(ids) // 2], of=len(ids) // 2)
    assert then[now[: len(ids) // 2]].all()
    assert kept_aside(ids[now]).mean() == pytest.approx(0.25, abs=0.02)

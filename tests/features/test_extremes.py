"""Given amounts and names at the edge of what is taken, what becomes of them."""

import pytest

from features.events import TRANSACTIONS
from features.reading import ColumnMapping, read
from features.workspace import ingest, open_events
from tests.world import World, world

AS_OF = "2024-03-31"


def ann(feature, *amounts):
    """Ann's value after purchases of some amounts on a day each."""
    lines = [f"ann  2024-03-{day:02d}  {amount}" for day, amount in enumerate(amounts, start=1)]
    return world(*lines).feature(feature, AS_OF)["ann"]


def test_money_has_six_places_and_half_a_millionth_is_rounded_away_from_zero():
    assert ann("spend_total", 0.000001) == 0.000001
    assert ann("spend_total", 0.0000005) == 0.000001
    assert ann("spend_total", 0.00000049) == 0
    assert ann("spend_total", -0.0000005) == -0.000001
    assert ann("spend_total", 1.0000014) == 1.000001


def test_an_amount_that_rounds_to_nothing_is_no_purchase():
    assert ann("orders_total", 0, 0.0000004) == 0
    assert ann("recency", 0, 0.0000004) is None
    assert ann("orders_total", 0.000001) == 1


def test_the_smallest_and_the_largest_are_added_to_the_last_place():
    # As floats, the millionths would be lost beside the billion.
    assert ann("spend_total", 1e9, 0.000001, 0.000001, -1e9) == 0.000002
    assert ann("spend_total", 0.1, 0.2, -0.3) == 0


def test_the_largest_amounts_that_are_taken_are_added_and_deviate():
    nearly = 999_999_999_999.9
    assert ann("spend_total", nearly, nearly) == 2 * nearly
    assert ann("day_amount_std", nearly, nearly) == 0
    assert ann("day_amount_std", 3e11, 1e11, 2e11) == pytest.approx(1e11)
    assert ann("day_amount_mean", nearly, 0.1) == pytest.approx(nearly / 2)


def test_names_are_texts_of_any_kind(workspace, tmp_path):
    names = ["Bob  Smith", "zoë", "顾客 7", "o'hara", "00042", "ann;--", "two\nlines"]
    rows = "".join(f'"{name}",2024-03-01,{place}\n' for place, name in enumerate(names, start=1))
    (tmp_path / "sales.csv").write_text("customer_id,happened_at,amount\n" + rows, "utf-8")
    ingest(workspace, {"transactions": read(tmp_path / "sales.csv", TRANSACTIONS, ColumnMapping())})
    stored = World((), tuple(open_events(workspace).transactions.to_pyarrow().to_pylist()), ())
    spend = stored.feature("spend_total", AS_OF)
    assert spend == {name: place for place, name in enumerate(names, start=1)}

"""Given order lines, the rows that families make of them."""

from datetime import datetime

from features import lines
from features.moment import past
from tests.world import world

AS_OF = datetime(2024, 3, 31)


def rows(made):
    return sorted(tuple(row.values()) for row in made.drop("happened_at").to_pyarrow().to_pylist())


def lines_of(*purchases):
    return past(world(*purchases).events.transactions, AS_OF)


def test_each_thing_stands_once_with_its_last_time():
    given = lines_of(
        "ann  2024-03-01  1  product_id=tea",
        "ann  2024-03-30  1  product_id=tea",
        "ann  2024-03-21  1  product_id=cup",
        "ann  2024-03-21  1",  # names no product
        "bob  2024-03-11  1  product_id=tea",
    )
    last = lines.last_times(given, given.product_id)
    assert rows(last) == [("ann", "cup", 10), ("ann", "tea", 1), ("bob", "tea", 20)]


def test_a_purchase_day_has_the_money_of_its_purchases():
    given = lines_of("ann  2024-03-21  10.5", "ann  2024-03-21T09:00  2", "ann  2024-03-21  -1")
    (day,) = lines.purchase_days(given).to_pyarrow().to_pylist()
    assert (day["days_ago"], float(day["amount"])) == (10, 12.5)
    assert day["happened_at"] == datetime(2024, 3, 21)


def test_an_order_is_its_id_or_else_its_day():
    given = lines_of("ann  2024-03-21T09:00  1", "ann  2024-03-21  1  order_id=o1")
    assert sorted(lines.order(given).to_pyarrow().to_pylist()) == ["2024-03-21", "o1"]

"""The customer map counts customers and money by recency and frequency."""

from serving.report_parts.rfm import board, rfm
from tests.serving.report_sections import figures, notes, people, seen, tables

SCORED = people(
    {"rfm_recency": 5, "rfm_frequency": 5, "value_now": 90.0, "rfm_class": "important_value"},
    {"rfm_recency": 5, "rfm_frequency": 5, "value_now": 30.0, "rfm_class": "important_value"},
    {"rfm_recency": 1, "rfm_frequency": 2, "value_now": 80.0, "rfm_class": "important_retain"},
    {"rfm_recency": None, "rfm_frequency": None, "value_now": 7.0, "rfm_class": None},
)


def test_each_field_has_its_customers_and_their_money():
    customers, amounts = board(seen(SCORED).scores, "value_now")

    assert customers.loc[5, 5] == 2
    assert customers.loc[1, 2] == 1
    assert customers.to_numpy().sum() == 3
    assert amounts.loc[5, 5] == 120
    assert amounts.loc[1, 2] == 80
    assert amounts.to_numpy().sum() == 200


def test_the_map_tells_how_much_the_best_corner_holds():
    section = rfm(seen(SCORED))

    (drawn,) = figures(section)
    assert "are 67% of all and hold 60% of the money" in drawn.finding
    assert tables(section)["rfm_map"] == [[5, 5, 2, 120, 60], [1, 2, 1, 80, 80]]


def test_the_numbers_are_in_the_picture_itself():
    (drawn,) = figures(rfm(seen(SCORED)))

    assert ">2</text>" in drawn.svg
    assert "<title>2 customers, 60% of the money (120)</title>" in drawn.svg


def test_the_classes_stand_in_their_order_with_what_to_do():
    rows = tables(rfm(seen(SCORED)))["rfm_classes"]

    assert [row[0] for row in rows] == ["Key: cherish", "Key: win back", "No class"]
    assert [row[2] for row in rows] == [2, 1, 1]
    assert [row[4] for row in rows] == [120, 80, 7]
    assert rows[0][1] == "Recent, often, much"
    assert rows[0][-1].startswith("Look after them personally")


def test_without_money_lately_the_map_shows_expected_money():
    section = rfm(seen(SCORED.drop(columns="value_now")))

    assert tables(section)["rfm_map"] == [[5, 5, 2, 200, 100], [1, 2, 1, 100, 100]]


def test_without_scores_the_map_says_what_it_needs():
    section = rfm(seen(people({})))

    assert not figures(section)
    assert "need purchases with dates and amounts" in notes(section)[0]

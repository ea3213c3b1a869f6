"""What a decorated function becomes, and what a family says of a customer without rows."""

from datetime import datetime

import pytest

from features.family import Family
from tests.world import world

AS_OF = datetime(2024, 3, 31)


@pytest.fixture
def family():
    return Family("trials", source="transactions", about="Features on trial.")


def test_the_function_is_the_feature(family):
    @family.feature
    def spent(past):
        """Money spent, currency units."""
        return past.amount.sum()

    (feature,) = family.features
    assert (feature.name, feature.about, feature.window) == (
        "spent", "Money spent, currency units.", None,
    )  # fmt: skip
    given = world("ann  2024-01-01  3", "ann  2024-01-02  4")
    assert given.values(family, AS_OF) == {"ann": {"spent": 7}}


def test_days_become_windows_and_the_end_of_the_name(family):
    @family.feature(days=(7, 30))
    def spent(past, recent):
        """Money spent in the last {days} days, currency units."""
        return past.amount.sum(where=recent)

    assert [(f.name, f.window, f.about) for f in family.features] == [
        ("spent_7d", 7, "Money spent in the last 7 days, currency units."),
        ("spent_30d", 30, "Money spent in the last 30 days, currency units."),
    ]


def test_a_feature_may_ask_how_many_days_its_window_has(family):
    @family.feature(days=(7, 30))
    def lines_a_day(past, recent, days):
        """Lines in the last {days} days by the day, a count."""
        return past.count(where=recent) / days

    given = world("ann  2024-03-30  5", "ann  2024-03-10  5")
    assert given.values(family, AS_OF) == {
        "ann": {"lines_a_day_7d": 1 / 7, "lines_a_day_30d": 2 / 30}
    }


def test_other_parameters_are_spread_into_the_name(family):
    @family.feature(channel=("web", "shop"), days=(7, 30))
    def lines(past, recent, channel):
        """Lines through {channel} in the last {days} days, a count."""
        return past.count(where=recent & (past.channel == channel))

    assert [f.name for f in family.features] == [
        "lines_web_7d", "lines_web_30d", "lines_shop_7d", "lines_shop_30d",
    ]  # fmt: skip
    given = world("ann  2024-03-30  5  channel=web", "ann  2024-03-10  5  channel=web")
    assert given.values(family, AS_OF) == {
        "ann": {"lines_web_7d": 1, "lines_web_30d": 2, "lines_shop_7d": 0, "lines_shop_30d": 0}
    }


@pytest.mark.parametrize("name", ["spend_y", "spend_x", "day_yyyy", "entity_row_id", "as_of"])
def test_a_name_that_feast_would_lose_is_refused(family, name):
    def function(past):
        """A count."""
        return past.count()

    function.__name__ = name
    with pytest.raises(ValueError, match="cannot name") as refused:
        family.feature(function)
    assert str(refused.value) == (
        f"{name!r} cannot name a feature: Feast's join loses such a column."
    )


def test_a_name_that_the_family_has_already_is_refused(family):
    def lines(past):
        """Lines, a count."""
        return past.count()

    family.feature(lines)
    with pytest.raises(ValueError, match="names two") as refused:
        family.feature(lines)
    assert str(refused.value) == "'lines' names two features of trials. Rename one of them."


def test_numbers_are_float64_and_texts_stay_texts(family):
    @family.feature
    def lines(past):
        """Lines, a count."""
        return past.count()

    @family.feature
    def any_return(past):
        """Whether something was returned, yes or no."""
        return (past.amount < 0).any()

    @family.feature
    def last_channel(past):
        """The channel that comes last in the alphabet."""
        return past.channel.max()

    table = family.compute(world("ann  2024-01-01  3").events, AS_OF)
    assert {name: str(dtype) for name, dtype in table.schema().items()} == {
        "customer_id": "string", "lines": "float64", "any_return": "float64",
        "last_channel": "string",
    }  # fmt: skip


def test_a_customer_without_rows_has_what_each_feature_says_of_no_rows(family):
    @family.feature
    def lines(past):
        """Lines, a count."""
        return past.count()

    @family.feature
    def mean_amount(past):
        """Mean money of a line, currency units."""
        return past.amount.mean()

    given = world("ann  2024-03-01  3", interactions=["bob  2024-03-01  visit"])
    assert family.values_of_nobody == {"lines": 0, "mean_amount": None}
    assert given.values(family, AS_OF) == {
        "ann": {"lines": 1, "mean_amount": 3},
        "bob": {"lines": 0, "mean_amount": None},
    }


def test_a_family_may_make_its_own_rows_of_the_events():
    def dear_ones(past):
        return past.filter(past.amount > 100)

    family = Family("dear", source="transactions", about="Dear lines.", rows=dear_ones)

    @family.feature
    def lines(past):
        """Lines above 100, a count."""
        return past.count()

    given = world("ann  2024-03-01  101", "ann  2024-03-01  99", "bob  2024-03-01  99")
    assert given.values(family, AS_OF) == {"ann": {"lines": 1}, "bob": {"lines": 0}}


def test_with_features_adds_to_a_copy(family):
    @family.feature
    def lines(past):
        """Lines, a count."""
        return past.count()

    more = family.with_features(family.features)
    assert (len(more.features), len(family.features)) == (2, 1)


def test_a_feature_is_as_personal_as_its_family_and_a_sensitive_kind_more():
    family = Family(
        "trials", "interactions", "Features on trial.", owner="trial", privacy="profile"
    )

    @family.feature(kind=("visit", "chargeback"))
    def count(past, kind):
        """Interactions of the kind {kind}, a count."""
        return past.count(where=past.kind == kind)

    @family.feature(privacy="behaviour")
    def contacts(past):
        """Interactions, a count."""
        return past.count()

    told = {feature.name: feature.privacy for feature in family.features}
    assert told == {
        "count_visit": "profile", "count_chargeback": "sensitive", "contacts": "behaviour",
    }  # fmt: skip
    assert (family.of([]).owner, family.of([]).privacy) == ("trial", "profile")


def test_what_only_rules_read_says_so_and_models_read_all_else():
    family = Family("trials", "interactions", "Features on trial.", owner="trial")

    @family.feature(days=(30, 90), for_models=False)
    def visits(past, recent):
        """Visits in the last {days} days, a count."""
        return past.count(where=recent)

    @family.feature
    def calls(past):
        """Calls so far, a count."""
        return past.count()

    assert {feature.name: feature.for_models for feature in family.features} == {
        "visits_30d": False, "visits_90d": False, "calls": True,
    }  # fmt: skip

"""What holds for every listed feature: a new one is tested by being listed."""

import importlib
import re
from collections import Counter
from datetime import datetime, timedelta
from random import Random

import ibis
import ibis.expr.operations as ops
import pytest

from features import catalog
from features.catalog import FAMILIES, every_feature
from features.events import (
    CLOSURE_REASONS,
    FRAUD,
    HOW_TO,
    INTERACTION_KINDS,
    MENTIONS,
    TABLES,
    Events,
)
from features.family import FORBIDDEN_ENDINGS, FORBIDDEN_NAMES
from features.interactions import interactions
from features.relationship import relationship
from features.workspace import Workspace, ingest, open_events
from tests.world import World, world

AS_OF = datetime(2024, 3, 31, 12)
MICROSECOND = timedelta(microseconds=1)
HOUR = timedelta(hours=1)
DIALECTS = ("duckdb", "databricks", "bigquery", "snowflake", "postgres", "trino")

# These add floats; features.exact has what takes their place.
FLOATING = (ops.Mean, ops.Variance, ops.StandardDev, ops.Covariance, ops.Correlation)

UNITS = ("days", "count", "currency", "pieces", "ratio", "share", "0 to 1", "scale", "logs",
         "values", "hours", "name")  # fmt: skip

# Ages in days that fall into each window, into those before them, into the season of a year ago,
# and before everything else that the crowd did.
AGES = (1, 20, 45, 120, 150, 220, 340, 1000)

CROWD = world(
    "ann  2023-06-05        45  order_id=a1 product_id=tea category=food channel=shop quantity=4",
    "ann  2023-12-22T09:00  10  order_id=a2 product_id=tea category=food channel=web  discount=2",
    "ann  2023-12-22T15:00  30  product_id=cup category=home channel=web quantity=3 margin=8",
    "ann  2024-02-10        20  order_id=a3 product_id=cup category=home channel=web quantity=2",
    "ann  2024-02-20        -5  order_id=a3 product_id=cup category=home channel=phone",
    "ann  2024-03-17        35  product_id=pot margin=3  known_at=2024-03-19",
    "bob  2024-03-29T10:00  12",
    "bob  2024-03-29T18:00   3",
    "bob  2024-03-30         0",
    interactions=[
        "ann  2024-03-01  visit        in   web",
        "ann  2024-02-10  complaint    in   phone   c1",
        "ann  2024-02-20  survey       in   email   -   value=4",
        "ann  2024-02-20  survey       in   email   -   value=7",
        "ann  2024-03-09  usage        -    -       -   value=30",
        "bob  2024-03-26  payment_due  out  letter",
        "bob  2024-03-26  complaint",
    ],
    customers=["ann  2023-05-01  kind=person", "zoe  2024-01-15  kind=organisation"],
)


def everything_at(happened_at, known_at=None):
    """One of everything that can happen to ann and bob at a time, answered an hour later."""

    def told(time, lines):
        times = f"{time.isoformat()} {{}} known_at={(known_at or time).isoformat()}"
        return [f"{who} {times.format(line)}" for who in ("ann", "bob") for line in lines]

    when = f"{happened_at:%m%d%f}"
    lines = [
        f"64 order_id=n{when} product_id=n{when} category=n{when} channel=n{when} "
        "quantity=9 discount=4 margin=16",
        f"-8 order_id=n{when}",
        f"2 order_id=s{when} product_id=tea category=food channel=web",
        f"33 order_id=m{when} product_id=cup category=home channel=web",
        f"0 order_id=g{when}",
    ]
    contacts = [
        f"{kind} in face_to_face {when} value=6 detail=d{when}"
        for kind in INTERACTION_KINDS
        if kind != "complaint_resolved"
    ]
    # One case is complained of again and again, one is solved at once; the others stay open.
    contacts += ["complaint in phone again detail=slow", f"complaint in phone once{when}"]
    contacts += [f"payment_failed - - unpaid{when} value=6", f"visit out n{when}"]
    contacts += ["visit in website", f"contact in letter asked{when}"]
    contacts += [f"competitor_mention in phone - detail={over}" for over in MENTIONS]
    contacts += [f"contact in phone - detail={HOW_TO}", f"chargeback in - - detail={FRAUD}"]
    contacts += ["contact in event", "campaign out email - value=0"]
    contacts += [f"closure in phone - detail={reason}" for reason in CLOSURE_REASONS]
    answers = [f"complaint_resolved out phone {case}" for case in ("again", f"once{when}")]
    answers += [f"contact out email {when}"]
    return world(
        *told(happened_at, lines),
        interactions=told(happened_at, contacts) + told(happened_at + HOUR, answers),
    )


def values_of(given: World):
    return {family.name: given.values(family, AS_OF) for family in FAMILIES}


@pytest.fixture(scope="module")
def today():
    """What the features say of the crowd alone."""
    return values_of(CROWD)


FUTURES = {
    "happens later": [
        everything_at(AS_OF + after) for after in (MICROSECOND, timedelta(1), timedelta(400))
    ],
    "is announced and happens later": [
        everything_at(AS_OF + after, known_at=AS_OF - timedelta(1))
        for after in (MICROSECOND, timedelta(1), timedelta(400))
    ],
    "is known later": [
        everything_at(AS_OF - timedelta(age), known_at=AS_OF + MICROSECOND) for age in AGES
    ],
    "is listed later": [world(customers=[f"eve {(AS_OF + MICROSECOND).isoformat()} kind=person"])],
}


@pytest.mark.parametrize("future", FUTURES)
def test_no_feature_sees_what(future, today):
    assert values_of(CROWD.also(*FUTURES[future])) == today


@pytest.fixture(scope="module")
def told_in_time():
    """The same events as in `is known later`, but known when they happened."""
    return values_of(CROWD.also(*[everything_at(AS_OF - timedelta(age)) for age in AGES]))


@pytest.mark.parametrize(
    ("family", "feature"), every_feature(), ids=[f.name for _, f in every_feature()]
)
def test_the_same_events_would_move_the_feature_if_they_were_known(
    family, feature, today, told_in_time
):
    """Without this, blindness to the future could be blindness to everything."""
    now, then = today[family.name], told_in_time[family.name]
    assert any(now[who][feature.name] != then[who][feature.name] for who in ("ann", "bob"))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_an_event_exactly_at_the_moment_counts_and_a_microsecond_later_does_not(family, today):
    newcomers = [
        [f"eve {at.isoformat()} 5", f"eve {at.isoformat()} visit"]
        for at in (AS_OF, AS_OF + MICROSECOND)
    ]
    in_time, late = (
        CROWD.also(world(purchase, interactions=[visit])).values(family, AS_OF)
        for purchase, visit in newcomers
    )
    assert set(in_time) - set(late) == {"eve"}
    assert late == today[family.name]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_query_compiles_on_other_engines(family):
    unbound = {name: ibis.table(table.schema(), name=name) for name, table in TABLES.items()}
    rows = family.compute(Events(**unbound), AS_OF)
    for dialect in DIALECTS:
        query = str(ibis.to_sql(rows, dialect=dialect))
        assert all(feature.name in query for feature in family.features), dialect


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_every_sum_is_exact(family):
    """A sum of floats depends on the order of its rows; sums of decimals and integers do not."""
    unbound = {name: ibis.table(table.schema(), name=name) for name, table in TABLES.items()}
    query = family.compute(Events(**unbound), AS_OF).op()
    assert query.find(FLOATING) == []
    assert [total for total in query.find(ops.Sum) if total.arg.dtype.is_floating()] == []


def test_names_are_plain_and_unique_over_all_families():
    names = Counter(feature.name for _, feature in every_feature())
    assert [name for name, times in names.items() if times > 1] == []
    assert [name for name in names if not re.fullmatch(r"[a-z][a-z0-9_]*", name)] == []
    assert [name for name in names if name.endswith(FORBIDDEN_ENDINGS)] == []
    assert set(names) & set(FORBIDDEN_NAMES) == set()


@pytest.mark.parametrize("feature", [f for _, f in every_feature()], ids=lambda f: f.name)
def test_the_description_is_a_sentence_with_a_unit(feature):
    assert re.fullmatch(r"[A-Z][^{}\n]*\.", feature.about)
    assert re.search(rf"\b({'|'.join(UNITS)})\b", feature.about, re.IGNORECASE)
    if feature.window:
        assert f"{feature.window} days" in feature.about
        assert feature.name.endswith(f"_{feature.window}d")


def test_every_feature_has_values_right_by_hand():
    """Each family's test file has a table EXPECTED: feature -> values of ann and bob."""
    for family in FAMILIES:
        expected = importlib.import_module(f"tests.features.test_{family.name}").EXPECTED
        listed = {feature.name for feature in family.features}
        without_window = {re.sub(r"_\d+d$", "", name) for name in expected}
        assert set(expected) <= listed
        assert {re.sub(r"_\d+d$", "", name) for name in listed} == without_window


@pytest.mark.parametrize("seed", range(2))
def test_the_order_of_the_rows_changes_nothing(seed, today):
    shuffle = Random(seed).sample
    shuffled = World(
        customers=CROWD.customers[::-1],
        transactions=tuple(shuffle(CROWD.transactions, len(CROWD.transactions))),
        interactions=tuple(shuffle(CROWD.interactions, len(CROWD.interactions))),
    )
    assert values_of(shuffled) == today


def test_events_split_into_several_files_change_nothing(tmp_path, today):
    pieces = Workspace(tmp_path)
    for part in range(2):
        piece = World(CROWD.customers, CROWD.transactions[part::2], CROWD.interactions[part::2])
        ingest(pieces, {name: getattr(piece.events, name) for name in TABLES})
    events = open_events(pieces)
    for family in FAMILIES:
        rows = family.compute(events, AS_OF).to_pyarrow().to_pylist()
        assert {row.pop("customer_id"): row for row in rows} == today[family.name]


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_a_customer_without_events_has_what_the_functions_say_of_no_rows(family, today):
    if family is not relationship:
        assert today[family.name]["zoe"] == family.values_of_nobody


def test_no_money_is_zero_and_no_date_is_null(today):
    assert today["purchases"]["zoe"]["spend_total"] == 0
    assert today["purchases"]["zoe"]["line_amount_mean"] is None
    assert today["rhythm"]["zoe"]["recency"] is None
    assert today["interactions"]["zoe"]["contacts_30d"] == 0
    assert today["relationship"]["zoe"]["tenure"] == 76


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_everyone_known_stands_once_in_every_family_and_internal_customers_in_none(family):
    given = CROWD.also(world("inn  2024-03-01  5", customers=["inn  2024-01-01  is_internal=true"]))
    rows = family.compute(given.events, AS_OF).customer_id.to_pyarrow().to_pylist()
    assert sorted(rows) == ["ann", "bob", "zoe"]


def test_interactions_are_left_out_when_there_never_were_any():
    families = catalog.families_for(CROWD.events, has_interactions=False)
    kept = [family.name for family in FAMILIES if family.source != "interactions"]
    assert [family.name for family in families] == kept
    assert "interactions" not in kept


def test_the_version_tells_catalogues_apart():
    without = tuple(family for family in FAMILIES if family is not interactions)
    assert catalog.version(FAMILIES) == catalog.version(tuple(FAMILIES))
    assert catalog.version(FAMILIES) != catalog.version(without)
    assert re.fullmatch(r"[0-9a-f]{12}", catalog.version(FAMILIES))


def test_every_family_has_an_owner():
    assert [family.name for family in FAMILIES if not family.owner] == []


def test_what_tells_of_debts_disputes_and_fraud_is_sensitive():
    harmful = re.compile("payment|chargeback|fraud|life_event|past_due|paid|closure_malicious")
    found = {f.name: f.privacy for _, f in every_feature() if harmful.search(f.name)}
    assert set(found.values()) == {"sensitive"}
    told = {name: feature.privacy for name in ("spend_total", "count_visit_30d")
            for _, feature in every_feature() if feature.name == name}  # fmt: skip
    assert told == {"spend_total": "behaviour", "count_visit_30d": "behaviour"}

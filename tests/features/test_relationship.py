"""Given customers, expected tenure and profile columns."""

import ibis

from features.events import CUSTOMERS
from features.relationship import profile_features, relationship
from tests.world import world

AS_OF = "2024-03-31"

GIVEN = world(
    "ann  2024-03-21  10",
    customers=["ann  2023-06-05  kind=person plan=gold", "bob  2024-03-31  kind=organisation"],
)

EXPECTED = {
    #          ann  bob
    "tenure": (300, 0),
}


def test_the_relationship_is_right_by_hand():
    values = GIVEN.values(relationship, AS_OF)
    assert values == {"ann": {"tenure": 300}, "bob": {"tenure": 0}}


def test_profile_columns_say_what_the_customers_table_says():
    assert GIVEN.feature("profile_plan", AS_OF) == {"ann": "gold", "bob": None}
    assert GIVEN.feature("profile_kind", AS_OF) == {"ann": "person", "bob": "organisation"}


def test_a_customer_who_bought_before_the_listed_first_contact_was_seen_then():
    given = world("ann  2024-01-01  10", customers=["ann  2024-03-01"])
    assert given.feature("tenure", AS_OF) == {"ann": 90}


def test_profile_columns_become_features_by_their_types():
    profile = {
        "age": "int64", "income": "decimal(10, 2)", "is_member": "boolean", "plan": "string",
        "born": "date", "married_at": "timestamp(6)", "tags": "array<string>",
    }  # fmt: skip
    schema = ibis.schema({**CUSTOMERS.schema(), **profile})
    features = profile_features(schema)
    assert [feature.name for feature in features] == [
        "profile_kind", "profile_age", "profile_income", "profile_is_member", "profile_plan",
    ]  # fmt: skip
    assert features[1].about == "The customer's age, as the customers table says."
    table = ibis.table(schema).mutate(days_ago=0)
    family = relationship.with_features(features)
    types = {
        f.name: str(f.expression(table, None).type())  # type: ignore[arg-type]
        for f in family.features
    }
    assert types == {
        "tenure": "float64", "profile_kind": "string", "profile_age": "float64",
        "profile_income": "float64", "profile_is_member": "float64", "profile_plan": "string",
    }  # fmt: skip


def test_no_profile_column_gets_a_name_that_is_lost_in_a_join():
    schema = ibis.schema({"pos_x": "float64", "pos_y": "float64", "pos_z": "float64"})
    names = [feature.name for feature in profile_features(schema)]
    assert names == ["profile_pos_x_", "profile_pos_y_", "profile_pos_z"]

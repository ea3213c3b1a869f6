"""Who a customer is and since when: tenure and the profile columns of the customers table."""

import ibis
import ibis.expr.datatypes as dt
import ibis.expr.types as ir

from features.events import CUSTOMERS
from features.family import FORBIDDEN_ENDINGS, Family, Feature

relationship = Family(
    "relationship",
    source="customers",
    about="Tenure, and the profile columns of the customers table by their types.",
    owner="customer data",
)


@relationship.feature
def tenure(past: ir.Table) -> ir.Value:
    """Days since the customer was first seen."""
    return past.days_ago.max()


def profile_features(schema: ibis.Schema) -> list[Feature]:
    """One feature `profile_<column>` for each profile column of the customers table.

    Numbers and yes/no become numbers, text becomes a category, a time becomes nothing: it would
    need a moment to be compared with.
    """
    names = [n for n in schema.names if n not in CUSTOMERS.column_names() or n == "kind"]
    usable = [name for name in names if _is_usable(schema[name])]
    return [_profile_feature(name) for name in usable]


def _is_usable(dtype: dt.DataType) -> bool:
    return dtype.is_numeric() or dtype.is_boolean() or dtype.is_string()


def _profile_feature(column: str) -> Feature:
    def value(past: ir.Table) -> ir.Value:
        return past[column].arbitrary()

    name = f"profile_{column}"
    return Feature(
        name=f"{name}_" if name.endswith(FORBIDDEN_ENDINGS) else name,
        about=f"The customer's {column}, as the customers table says.",
        window=None,
        arguments={},
        function=value,
        privacy="profile",
    )

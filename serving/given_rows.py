"""Features that a caller gives, all of a row or some of a customer's -> the rows models read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Self

import numpy as np
import pandas as pd
from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

from features.columns import Columns
from serving.schemas import FeatureRow
from training.model_set import ModelSet

_PROFILE = "profile_"  # columns of the customers table: of any type, whether a model reads them


def to_frame(
    rows: Sequence[FeatureRow], models: ModelSet, now: datetime, request_id: str
) -> pd.DataFrame:
    """One row per given row, as `answer` takes them; as_of is `now` where it is not given.

    Raises pydantic's ValidationError for a feature that the models do not know, and for a text
    where they read a number or the reverse; it names the row and the feature.
    """
    check = _Check.of(models)
    names, texts = models.reference.features, check.texts
    given = [check.values(row.features(), "rows", position) for position, row in enumerate(rows)]
    columns = {
        name: pd.Series([features.get(name) for features in given],
                        dtype=object if name in texts else float)
        for name in names
    }  # fmt: skip
    frame = pd.DataFrame(
        {
            "customer_id": pd.Series([row.customer_id for row in rows], dtype=object),
            "as_of": pd.Series([row.as_of or now for row in rows], dtype="datetime64[us]"),
            "request_id": request_id,
            **columns,
        }
    )
    return _completed(frame)


def overridden(
    rows: Columns, overrides: Mapping[str, Mapping[str, Any]], models: ModelSet
) -> Columns:
    """The rows with other values for some features of some customers, who are named in `what_if`.

    Raises pydantic's ValidationError as to_frame does; it names the customer and the feature.
    """
    check, ids = _Check.of(models), rows["customer_id"].tolist()
    numbers, others = rows.numbers.copy(), {n: v.copy() for n, v in rows.others.items()}
    for customer_id, given in overrides.items():
        if customer_id not in ids:
            message = "This customer is not among the customer_ids"
            raise refusal("not_asked_for", message, "overrides", customer_id)
        values = check.values(dict(given), "overrides", customer_id)
        for position in (at for at, one in enumerate(ids) if one == customer_id):
            for name, value in values.items():
                if name in rows.places:
                    numbers[position, rows.places[name]] = np.nan if value is None else value
                else:
                    others[name][position] = value
    others["what_if"] = np.empty(len(rows), dtype=object)
    others["what_if"][:] = [sorted(overrides.get(customer_id, ())) for customer_id in ids]
    return Columns(numbers, rows.places, others)


def refusal(kind: str, message: str, *where: str | int) -> ValidationError:
    """An error about a place in a request as pydantic writes its own."""
    about = PydanticCustomError(kind, "{message}", {"message": message})
    error = InitErrorDetails(type=about, loc=where, input=None)
    return ValidationError.from_exception_data("Request", [error], hide_input=True)


@dataclass(frozen=True)
class _Check:
    """What the models know: all features, and those they read as texts and as numbers."""

    names: frozenset[str]
    texts: frozenset[str]
    numbers: frozenset[str]

    @classmethod
    def of(cls, models: ModelSet) -> Self:
        designs = [models.churn.design, models.clv.design, models.clv.purchase.design,
                   models.tier.design, models.churn_type.design]  # fmt: skip
        known = [design for design in designs if design is not None]
        return cls(
            frozenset(models.reference.features),
            frozenset(name for design in known for name in design.categories),
            frozenset(name for design in known for name in design.numbers),
        )

    def values(self, features: dict[str, Any], *where: str | int) -> dict[str, Any]:
        """The features as the models can read them; a text that no model reads is null."""
        for name, value in features.items():
            if name not in self.names:
                raise refusal("unknown_feature", "The models know no such feature", *where, name)
            if name in self.texts and isinstance(value, float):
                raise refusal("text_needed", "This feature is a text", *where, name)
            if isinstance(value, str) and name not in self.texts:
                if name in self.numbers or not name.startswith(_PROFILE):
                    raise refusal("number_needed", "This feature is a number", *where, name)
                features[name] = None
        return features


def _completed(rows: pd.DataFrame) -> pd.DataFrame:
    """Fill what the models need and a caller seldom has.

    gap_log_sum: of equal gaps, the largest that the same days can have. day_amount_sum: the money
    spent before returns.
    """
    repeats, days = rows.purchase_days_total - 1.0, rows.age - rows.recency
    with np.errstate(divide="ignore", invalid="ignore"):
        equal_gaps = (repeats * np.log(days / repeats)).where(repeats > 0, 0.0)
    bought = rows.spend_total + rows.return_amount_total.fillna(0.0)
    return rows.assign(
        gap_log_sum=rows.gap_log_sum.fillna(equal_gaps),
        day_amount_sum=rows.day_amount_sum.fillna(bought.clip(lower=0.0)),
    )

"""Features that a caller gives -> the rows that models read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import numpy as np
import pandas as pd
from pydantic import ValidationError
from pydantic_core import InitErrorDetails, PydanticCustomError

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
    texts, numbers = _read_by(models)
    names = models.reference.features
    given = [row.features() for row in rows]
    for position, features in enumerate(given):
        for name, value in features.items():
            if name not in names:
                raise refusal("unknown_feature", "The models know no such feature", position, name)
            if name in texts and isinstance(value, float):
                raise refusal("text_needed", "This feature is a text", position, name)
            if isinstance(value, str) and name not in texts:
                if name in numbers or not name.startswith(_PROFILE):
                    raise refusal("number_needed", "This feature is a number", position, name)
                features[name] = None  # a profile text that no model reads
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


def refusal(kind: str, message: str, *where: str | int) -> ValidationError:
    """An error about a request's rows as pydantic writes its own."""
    about = PydanticCustomError(kind, "{message}", {"message": message})
    error = InitErrorDetails(type=about, loc=("rows", *where), input=None)
    return ValidationError.from_exception_data("FeaturesRequest", [error], hide_input=True)


def _read_by(models: ModelSet) -> tuple[set[str], set[str]]:
    """The features that the models read as texts, and as numbers."""
    designs = [models.churn.design, models.clv.design, models.clv.purchase.design,
               models.tier.design, models.churn_type.design]  # fmt: skip
    known = [design for design in designs if design is not None]
    return (
        {name for design in known for name in design.categories},
        {name for design in known for name in design.numbers},
    )


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

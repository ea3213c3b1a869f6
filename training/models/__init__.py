"""One file a model family; every family in one visible list, the baseline among them."""

from typing import Protocol, Self

import pandas as pd

from training.models.baseline import Baseline
from training.models.boosting import Boosting
from training.models.churn_type import ChurnType
from training.models.tier import TierTransition
from training.models.two_part import TwoPart

# The task a model answers -> its class; `baseline` answers churn and value, and must be beaten.
MODELS = {
    "baseline": Baseline,
    "churn": Boosting,
    "clv": TwoPart,
    "churn_type": ChurnType,
    "tier": TierTransition,
}


class Rival(Protocol):
    """Whatever forecasts the customers of a test beside the models that are served."""

    @classmethod
    def fit(cls, panel: pd.DataFrame) -> Self:
        """Learn from a training panel (frame.panel)."""
        ...

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """purchase_probability and expected_value (currency units) of each row."""
        ...


# Measured at every test and never served; the first of them must be beaten.
RIVALS: dict[str, type[Rival]] = {"baseline": Baseline}

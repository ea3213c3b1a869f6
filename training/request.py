"""What a training is asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from training.definitions import INACTIVITY, Definition
from training.exposure import AS_THEY_ARE, Treated
from training.models.boosters import STANDARD, Trees
from training.tasks import CHURN_TYPE, CLV, TIER, Task, churn_by


@dataclass(frozen=True)
class Request:
    """What was asked: the moment of training and the horizons of churn and of value, in days.

    churn: what it means to leave. trees: how those of the churn forecast are grown. treated: how
    customers are learnt whom a campaign treated (training/exposure.py).
    """

    as_of: datetime
    horizon_days: int
    value_horizon_days: int
    churn: Definition = INACTIVITY
    trees: Trees = STANDARD
    treated: Treated = AS_THEY_ARE

    @property
    def value_trees(self) -> Trees:
        """Those of the value model's purchases: chosen ones belong to the horizon of churn."""
        return self.trees if self.horizon_days == self.value_horizon_days else STANDARD

    @property
    def tasks(self) -> Mapping[str, Task]:
        """The four questions at the horizons asked for."""
        days = {"clv": self.value_horizon_days}
        churn = churn_by(self.churn, self.horizon_days)
        tasks = (churn, replace(CHURN_TYPE, rule=self.churn), CLV, TIER)
        return {t.name: replace(t, horizon_days=days.get(t.name, self.horizon_days)) for t in tasks}

    @property
    def is_one_question(self) -> bool:
        """Whether the value forecast answers the churn question as well."""
        is_one_horizon = self.horizon_days == self.value_horizon_days
        return is_one_horizon and self.churn.asks_for_purchase

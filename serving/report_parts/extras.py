"""What the report shows beside scores and proof; a part that is not there says what it needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from serving.kpis import Kpi
from serving.monitoring.monitor import Monitoring


@dataclass(frozen=True)
class Extras:
    """Tables of a few rows each.

    moves: per kind of state (tier, stage, ladder, rfm_class) the customers by state one horizon
    ago (rows) and now (columns), counts. cohorts: one row per quarter of first purchase with
    `customers` and, per quarter since, the share who bought in it (columns 0, 1, ...; null where it
    has not ended). kpis: the KPI sheet. plan: action, channel, customers, cost, saved_value, net,
    the planner's choice; plan_facts: budget, spent, net, control_customers, save_rate, and what
    else it rests on; plan_assumptions: what it assumes, in sentences. customers_by_month: month,
    bought, new, returned, lost. channels: serving.channels.COLUMNS.
    blanks: what the data cannot tell of some customers: field, needs (abstention.NEEDS), share.
    monitoring: what was seen at the moment of the report or last before it; None without.
    """

    moves: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    cohorts: pd.DataFrame | None = None
    kpis: Sequence[Kpi] = ()
    plan: pd.DataFrame | None = None
    plan_facts: Mapping[str, float] = field(default_factory=dict)
    plan_assumptions: Sequence[str] = ()
    customers_by_month: pd.DataFrame | None = None
    channels: pd.DataFrame | None = None
    blanks: Sequence[Mapping[str, Any]] = ()
    monitoring: Monitoring | None = None

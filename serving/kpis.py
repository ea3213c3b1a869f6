"""The figures of a customer business, each from the events or said to need data that are not there.

To add one, name it in KPIS beside the function that answers with its key, and give it its words in
`report_parts/words/*/kpis.yaml`. The window is the last 365 days unless its words say otherwise.

Source: items 4, 6, 10, 26 and 30 of the customer-relationship theory.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

import pandas as pd

from features.workspace import Workspace, open_events
from serving import freshness, kpi_history, kpi_standing
from serving.campaign_effect import campaigns
from serving.kpi_contacts import contacts, payments, satisfaction, service
from serving.kpi_events import Estimate, Facts, Figure, Figures, Known, base, knowledge, trade
from serving.kpi_models import accuracy, earlier_batches, identified_rate, scoring
from serving.kpi_standing import standing
from training.proof import Proof
from training.tasks import CHURN, Task

Unit = Literal["share", "days", "hours", "count", "money", "ratio"]
Block = Literal["identify", "insight", "creation", "relationship"]


@dataclass(frozen=True)
class Kpi:
    """One figure: its key, which names its words, the part of the sheet, and its value.

    needs: where there is no value, the code of the data that would give it (abstention.NEEDS).
    before: the same figure a year earlier, as it was known then; None where the data
    do not reach back a year from there. low, high: the 95 % interval of a figure that was measured
    on a sample.
    """

    key: str
    block: Block
    value: float | None
    unit: Unit
    needs: str | None = None
    before: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Definition:
    """A figure of the sheet: what it needs, and the function that answers with its key."""

    key: str
    block: Block
    unit: Unit
    needs: str
    found_by: Callable[[Known], Figures]


def unrecorded(known: Known) -> Figures:
    """Nothing: no table that Holdfast reads has a column for these figures."""
    return {}


KPIS: tuple[Definition, ...] = (
    # IDIC (item 4), interaction (6), control (6).
    Definition("identified_rate", "identify", "share", "unnamed_rows", scoring),
    Definition("tier_coverage", "identify", "share", "history", scoring),
    Definition("need_coverage", "identify", "share", "categories", standing),
    Definition("tier_age", "identify", "days", "earlier_scores", standing),
    Definition("sourced_share", "identify", "share", "sources", standing),
    Definition("lawful_basis_share", "identify", "share", "sources", standing),
    Definition("contacts_in", "identify", "ratio", "contacts", contacts),
    Definition("contacts_out", "identify", "ratio", "contacts", contacts),
    Definition("reciprocity", "identify", "ratio", "contacts", contacts),
    Definition("response_rate", "identify", "share", "contacts", contacts),
    Definition("days_between_scores", "identify", "days", "earlier_scores", scoring),
    # 30 (1): insight into market and customer; value of the base (1), Pareto (12).
    Definition("customer_equity", "insight", "money", "history", scoring),
    Definition("top20_share", "insight", "share", "history", base),
    Definition("share_for_80", "insight", "share", "history", base),
    Definition("golden_precision", "insight", "share", "history", accuracy),
    Definition("model_auc", "insight", "ratio", "history", accuracy),
    Definition("model_calibration", "insight", "share", "history", accuracy),
    Definition("value_rank", "insight", "ratio", "history", accuracy),
    Definition("value_bias", "insight", "share", "history", accuracy),
    Definition("feedback_hours_sales", "insight", "hours", "known_times", knowledge),
    Definition("feedback_hours_contacts", "insight", "hours", "known_times", knowledge),
    Definition("data_age_hours", "insight", "hours", "history", knowledge),
    Definition("data_age_hours_sales", "insight", "hours", "history", knowledge),
    Definition("data_age_hours_contacts", "insight", "hours", "contacts", knowledge),
    Definition("oldest_source_hours", "insight", "hours", "sources", standing),
    Definition("hours_to_scores", "insight", "hours", "score_times", standing),
    Definition("golden_change", "insight", "share", "earlier_scores", standing),
    Definition("golden_profit_change", "insight", "money", "earlier_scores", standing),
    Definition("campaign_money_effect", "insight", "money", "campaigns", campaigns),
    Definition("insight_composite", "insight", "ratio", "earlier_sheets", unrecorded),
    # 30 (2): value made and delivered; service quality (23).
    Definition("products_sold", "creation", "count", "product_ids", trade),
    Definition("new_product_share", "creation", "share", "products", trade),
    Definition("full_price_share", "creation", "share", "discounts", trade),
    Definition("returns_share", "creation", "share", "returns", trade),
    Definition("sales_channels", "creation", "count", "channels", trade),
    Definition("sales_channels_effective", "creation", "ratio", "channels", trade),
    Definition("contact_rating", "creation", "ratio", "surveys", satisfaction),
    Definition("staff_rating", "creation", "ratio", "staff", unrecorded),
    Definition("on_time_share", "creation", "share", "deliveries", unrecorded),
    Definition("delivery_days", "creation", "days", "deliveries", unrecorded),
    Definition("repeat_fault_share", "creation", "share", "cases", service),
    Definition("dispute_rate", "creation", "share", "payments", payments),
    Definition("creation_composite", "creation", "ratio", "earlier_sheets", unrecorded),
    # 30 (3): the relationship; satisfaction (22), kept and lost (26).
    Definition("retention_rate", "relationship", "share", "history", base),
    Definition("retention_net", "relationship", "share", "history", base),
    Definition("repeat_purchase_rate", "relationship", "share", "history", base),
    Definition("customers_won", "relationship", "count", "history", base),
    Definition("customers_back", "relationship", "count", "history", base),
    Definition("churn_velocity", "relationship", "count", "history", base),
    Definition("lead_time", "relationship", "days", "earlier_scores", scoring),
    Definition("warned_share", "relationship", "share", "earlier_scores", scoring),
    Definition("campaign_effect", "relationship", "share", "campaigns", campaigns),
    Definition("retention_roi", "relationship", "ratio", "campaigns", campaigns),
    Definition("survey_mean", "relationship", "ratio", "surveys", satisfaction),
    Definition("satisfied_share", "relationship", "share", "surveys", satisfaction),
    Definition("satisfied_churn_share", "relationship", "share", "surveys", satisfaction),
    Definition("win_win", "relationship", "share", "surveys", standing),
    Definition("rung_age", "relationship", "days", "earlier_scores", standing),
    Definition("resolution_hours", "relationship", "hours", "cases", service),
    Definition("solution_rating", "relationship", "ratio", "surveys", satisfaction),
    Definition("unresolved_share", "relationship", "share", "cases", service),
    Definition("reopen_rate", "relationship", "share", "cases", service),
    Definition("first_contact_resolution", "relationship", "share", "cases", service),
    Definition("first_response_hours", "relationship", "hours", "cases", service),
    Definition("answered_within_day", "relationship", "share", "cases", service),
    Definition("wait_minutes", "relationship", "ratio", "waits", unrecorded),
    Definition("abandonment_rate", "relationship", "share", "waits", unrecorded),
    Definition("contact_channels", "relationship", "count", "contacts", contacts),
    Definition("contact_channels_effective", "relationship", "ratio", "contacts", contacts),
)


def sheet(
    space: Workspace,
    as_of: datetime,
    scores: pd.DataFrame,
    proof: Proof,
    *,
    churn: Task = CHURN,
    contact_cost: float | None = None,
    margin_rate: float = 1.0,
) -> tuple[Kpi, ...]:
    """The KPI sheet of a business at a moment: every figure of KPIS, in that order.

    scores: one row per customer as of then (score.COLUMNS). churn: the question the models answer.
    contact_cost: what one contact of a campaign costs, currency units. margin_rate: margin per
    unit of money.
    Raises UserError when the workspace has no transactions.
    """
    events = open_events(space)
    alerts, scored_days_ago = earlier_batches(space, as_of)
    facts = Facts(
        scores,
        proof,
        identified_rate(space),
        alerts,
        scored_days_ago,
        contact_cost,
        margin_rate,
        kpi_standing.earlier_states(space, as_of),
        kpi_standing.written_at(space, as_of),
        freshness.freshness(space, as_of),
    )
    now = Known.of(events, as_of, churn, facts)
    made = figures(now, Known.a_year_earlier(events, as_of, churn))
    past = kpi_history.before(space, as_of)
    kpi_history.keep(space, as_of, {k.key: k.value for k in made if k.value is not None})
    return with_composites(made, past)


def with_composites(made: Sequence[Kpi], past: Sequence[Mapping[str, float]]) -> tuple[Kpi, ...]:
    """The same with the composites of their blocks, where enough sheets were kept before."""
    now = {kpi.key: kpi.value for kpi in made if kpi.value is not None}
    found: dict[str, float | None] = {
        f"{block}_composite": kpi_history.composite(
            now, past, [kpi.key for kpi in made if kpi.block == block]
        )
        for block in ("insight", "creation")
    }
    return tuple(
        replace(kpi, value=found[kpi.key], needs=None) if found.get(kpi.key) is not None else kpi
        for kpi in made
    )


def figures(known: Known, earlier: Known) -> tuple[Kpi, ...]:
    """The sheet of what is known, beside what was known a year before."""
    functions = dict.fromkeys(definition.found_by for definition in KPIS)
    found = {function: function(known) for function in functions}
    found_before = {function: function(earlier) for function in functions}
    return tuple(
        _kpi(which, found[which.found_by].get(which.key), found_before[which.found_by])
        for which in KPIS
    )


def _kpi(which: Definition, figure: Figure, found_before: Figures) -> Kpi:
    estimate = figure if isinstance(figure, Estimate) else None
    value = estimate.value if estimate else figure
    needs = which.needs if value is None else value if isinstance(value, str) else None
    before = found_before.get(which.key)
    if isinstance(before, Estimate | str):
        before = before.value if isinstance(before, Estimate) else None
    return Kpi(
        which.key,
        which.block,
        None if needs else value,  # type: ignore[arg-type]
        which.unit,
        needs,
        before,
        estimate.low if estimate else None,
        estimate.high if estimate else None,
    )

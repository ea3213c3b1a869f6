"""The section on what these data cannot tell: no blank is left unexplained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from serving.report_parts import tables
from serving.report_parts.blocks import Block, Cell, Note, Section, Table, count, percent
from serving.report_parts.view import View


@dataclass(frozen=True)
class Field:
    """Scores that stay blank without certain data.

    columns: all must be missing for a customer to count as unknown. needs: codes of
    `abstention.NEEDS`. active: only active customers can have it. blank: a text that says as much
    as missing.
    """

    key: str
    columns: tuple[str, ...]
    needs: tuple[str, ...]
    active: bool = False
    blank: str | None = None


UNDETERMINED = "undetermined"
FIELDS = (
    Field("voluntary_causes", ("type_natural", "type_competitive"), ("reasons",), active=True),
    Field(
        "passive_causes",
        ("type_non_malicious", "type_retaliatory", "type_malicious"),
        ("payments",),
        active=True,
    ),
    Field("below_zero", ("tier_next_below_zero",), ("cost_to_serve", "margin")),
    Field("tier_before", ("tier_previous",), ("earlier_scores",)),
    Field("tier_next", ("tier_next_mvc", "tier_next_maintain"), ("history",)),
    Field("remaining", ("remaining_days",), ("history",)),
    Field("rfm", ("rfm_class",), ("history",)),
    Field("loyalty", ("loyalty",), ("surveys",)),
    Field(
        "loyalty_type",
        ("loyalty_type",),
        ("discounts", "channels", "categories", "alternatives"),
        blank=UNDETERMINED,
    ),
    Field("marketing_mode", ("marketing_mode",), ("categories",)),
)
# Fields as abstention names them (up to a dot), and what is said of them together.
SAID = {
    "churn.types": "passive_causes",
    "churn.cause": "voluntary_causes",
    "churn.low": "risk_range",
    "clv.margin": "margin",
    "clv.currency": "currency",
    "clv.historical_present": "historical_present",
    "clv.retention_cost": "retention_cost",
    "tier.below_zero": "below_zero",
    "ladder": "ladder_top",
    "loyalty": "loyalty",
    "loyalty_type": "loyalty_type",
    "marketing_mode": "marketing_mode",
    "uplift": "uplift",
}
LADDER_NEEDS = ("surveys", "referrals")
PLAN_NEEDS = ("campaigns",)


@dataclass(frozen=True)
class Gap:
    """Something not known: of how many customers (None: it is no matter of single ones)."""

    key: str
    needs: tuple[str, ...]
    customers: int | None = None
    share: float | None = None


def unknown(view: View) -> Section:
    """What is not known, for how many customers, and the data that would tell."""
    found = gaps(view)
    needed = [kpi for kpi in view.extras.kpis if kpi.value is None and kpi.needs]
    if not found and not needed:
        return tables.nothing(view, "unknown")
    blocks: list[Block] = []
    if found:
        blocks.append(_fields(view, found))
    blocks.append(_by_data(view, found))
    return tables.section(view, "unknown", [*blocks, Note(view.words["unknown.caution"])])


def gaps(view: View) -> list[Gap]:
    """The fields that are blank for some customers, the most of them first.

    As they were found where the data were at hand; of the rest what the scores alone show.
    """
    told = told_gaps(view.extras.blanks, len(view.scores))
    said = {gap.key for gap in told}
    if view.scores["loyalty_type"].dropna().ne(UNDETERMINED).any():
        told = [replace(gap, key="loyalty_types") if gap.key == "loyalty_type" else gap
                for gap in told]  # fmt: skip
    found = seen_gaps(view)
    return sorted(
        [*told, *(gap for gap in found if gap.key not in said)],
        key=lambda gap: -(1.0 if gap.share is None else gap.share),
    )


def told_gaps(blanks: Sequence[Mapping[str, Any]], customers: int) -> list[Gap]:
    """One gap per subject from the blanks of single fields: all they need, the largest share."""
    needs: dict[str, list[str]] = {}
    shares: dict[str, float] = {}
    for blank in blanks:
        name = str(blank["field"])
        prefix = next((known for known in SAID if f"{name}.".startswith(f"{known}.")), "")
        key = SAID.get(prefix, name)
        needs.setdefault(key, []).append(str(blank["needs"]))
        shares[key] = max(shares.get(key, 0.0), float(blank["share"]))
    return [
        Gap(key, tuple(dict.fromkeys(codes)), round(shares[key] * customers), shares[key])
        for key, codes in needs.items()
    ]


def seen_gaps(view: View) -> list[Gap]:
    """The fields of FIELDS that are blank in the scores, and what no customer can be seen to be."""
    found = [gap for field in FIELDS if (gap := _gap(view.scores, field)) is not None]
    if not view.scores["ladder"].isin(["advocate", "partner"]).any():
        found.append(Gap("ladder_top", LADDER_NEEDS))
    if not view.extras.blanks:  # else it is known whether there were campaigns
        found.append(Gap("uplift", PLAN_NEEDS))
    return found


def _gap(scores: pd.DataFrame, field: Field) -> Gap | None:
    rows = scores[scores["churn_probability"].notna()] if field.active else scores
    columns = rows[list(field.columns)]
    blank = (columns.isna() | (columns == field.blank)).all(axis=1)
    if not blank.any():
        return None
    return Gap(field.key, field.needs, int(blank.sum()), float(blank.mean()))


def _fields(view: View, found: list[Gap]) -> Table:
    everywhere = Cell(view.words["unknown.as_a_whole"])
    columns = {
        "field": [Cell(view.word("unknown", gap.key)) for gap in found],
        "customers": [
            everywhere if gap.customers is None else count(gap.customers) for gap in found
        ],
        "share": [percent(float("nan") if gap.share is None else gap.share) for gap in found],
        "data": [Cell(_listed(view, gap.needs)) for gap in found],
    }
    return tables.table(view, "unknown", columns)


def _listed(view: View, needs: tuple[str, ...]) -> str:
    return view.words["unknown.join"].join(view.word("needs", code) for code in needs)


def _by_data(view: View, found: list[Gap]) -> Table:
    """Each kind of data that is missing, and all that it would tell: what to collect first."""
    told: dict[str, list[str]] = {}
    for gap in found:
        for code in gap.needs:
            told.setdefault(code, []).append(view.word("unknown", gap.key))
    for kpi in view.extras.kpis:
        if kpi.value is None and kpi.needs:
            told.setdefault(kpi.needs, []).append(view.word("kpi", kpi.key))
    most = sorted(told, key=lambda code: -len(told[code]))
    columns = {
        "data": [Cell(view.word("needs", code)) for code in most],
        "answers": [count(len(told[code])) for code in most],
        "tells": [Cell(view.words["unknown.join"].join(told[code])) for code in most],
    }
    return tables.table(view, "unknown_data", columns, group="unknown")

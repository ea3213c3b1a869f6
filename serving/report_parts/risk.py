"""The sections on risk: the figures at a glance, who is at risk, how much, and why."""

from __future__ import annotations

import math

import pandas as pd

from serving.levers import LET_GO
from serving.report_parts import numbers, plots
from serving.report_parts.blocks import (
    MISSING,
    Block,
    Card,
    Cards,
    Cell,
    Column,
    Figure,
    Note,
    Section,
    Table,
    count,
    money,
    percent,
)
from serving.report_parts.retold import factors
from serving.report_parts.view import View

RESIDUAL = "fault"
LISTED = 100  # as many as a team can work through; the scores table holds everybody


def headline(view: View) -> Section:
    """The figures a manager takes into a meeting."""
    words, found = view.words, numbers.headline(view.scores)
    lead = words["headline.lead" if found.active else "headline.lead_quiet"].format(
        customers=count(found.customers).text,
        active=count(found.active).text,
        high=count(found.high_risk).text,
        money=money(found.money_at_risk).text,
    )
    lead = words["page.space"].join((lead, *_planned(view)))
    return Section(
        "headline", words["headline.title"], lead, (_headline_cards(view, found), _statuses(view))
    )


def _planned(view: View) -> list[str]:
    """What the plan comes to, in a sentence; nothing where there is no plan or it is not known."""
    chosen, facts = view.extras.plan, view.extras.plan_facts
    if chosen is None or not {"spent", "net"} <= set(facts):
        return []
    if chosen.empty:
        return [view.words["headline.plan_nothing"]]
    said = {name: money(float(facts[name])).text for name in ("spent", "net")}
    customers = count(float(chosen["customers"].sum())).text
    return [view.words["headline.plan"].format(customers=customers, **said)]


def _headline_cards(view: View, found: numbers.Headline) -> Cards:
    def card(key: str, cell: Cell, form: str = "note", **notes: Cell) -> Card:
        texts = {name: written.text for name, written in notes.items()}
        note = view.words[f"headline.{key}_{form}"].format(**texts)
        return Card(key, view.words[f"headline.{key}"], cell, note)

    high_share = percent(found.high_risk / found.active if found.active else math.nan)
    ranged = {"low": money(found.expected_low), "high": money(found.expected_high)}
    form = "range" if math.isfinite(found.expected_low) else "note"
    return Cards(
        (
            card("customers", count(found.customers)),
            card("active", count(found.active), share=percent(found.active / found.customers)),
            card(
                "high_risk",
                count(found.high_risk),
                "note" if found.high_risk else "none",
                share=high_share,
                cut=percent(found.high_risk_from),
            ),
            card("money_at_risk", money(found.money_at_risk), high=money(found.money_at_high_risk)),
            card("expected_value", money(found.expected_value), form, **ranged),
            card(
                "concentration",
                percent(found.top_share),
                "none" if math.isnan(found.top_share) else "note",
                share=percent(found.customers_for_most),
            ),
        )
    )


def _statuses(view: View) -> Table:
    words = view.words
    counts = view.scores["status"].fillna("none").value_counts()
    rows = tuple(
        (Cell(view.word("status", code)), count(n), Cell(words.get(f"status.{code}_is", "")))
        for code, n in counts.items()
    )
    columns = (
        Column(words["headline.status"], number=False),
        Column(words["group.customers"]),
        Column(words["headline.status_is"], number=False),
    )
    return Table("statuses", columns, rows)


def at_risk(view: View) -> Section:
    """The list to work through: the customers with the most money at risk."""
    words, scores = view.words, view.scores
    active = scores[(scores["churn_probability"] > 0) & (scores["expected_loss"] > 0)]
    listed = active.nlargest(LISTED, "expected_loss")
    if listed.empty:
        return Section("at_risk", words["at_risk.title"], "", (Note(words["at_risk.none"]),))
    lead = words["at_risk.lead"].format(
        n=count(len(listed)).text,
        money=money(listed["expected_loss"].sum()).text,
        share=percent(listed["expected_loss"].sum() / scores["expected_loss"].sum()).text,
    )
    # A column for which no listed customer has anything would only cost width.
    columns = {
        column: cells
        for column, cells in _at_risk_columns(view, listed).items()
        if any(cell.text != MISSING for cell in cells)
    }
    rows = tuple(zip(*columns.values(), strict=True))
    table = Table("at_risk", tuple(columns), rows, sortable=True)
    return Section("at_risk", words["at_risk.title"], lead, (table, Note(words["at_risk.caution"])))


def _at_risk_columns(view: View, listed: pd.DataFrame) -> dict[Column, list[Cell]]:
    words, rows = view.words, listed.to_dict("records")

    def column(name: str, number: bool = True, choose: bool = False) -> Column:
        return Column(words[f"at_risk.{name}"], number, choose)

    return {
        column("customer", number=False): [Cell(row["customer_id"]) for row in rows],
        column("risk"): [_risk_cell(row["churn_probability"]) for row in rows],
        column("loss"): [money(row["expected_loss"]) for row in rows],
        column("value"): [_value_cell(row) for row in rows],
        column("tier", number=False, choose=True): [_code(view, "tier", row) for row in rows],
        column("stage", number=False, choose=True): [_code(view, "stage", row) for row in rows],
        column("cause", number=False, choose=True): [_cause_cell(view, row) for row in rows],
        column("lever", number=False, choose=True): [_code(view, "lever", row) for row in rows],
        column("factors", number=False): [_factors_cell(view, row) for row in rows],
        column("max_spend"): [_spend_cell(view, row) for row in rows],
    }


def _risk_cell(risk: float) -> Cell:
    written = percent(risk)
    return Cell(written.text, written.value, bar=risk)


def _value_cell(row: dict) -> Cell:
    written = money(row["expected_value"])
    low, high = money(row["expected_value_low"]), money(row["expected_value_high"])
    known = low.value is not None and high.value is not None
    return Cell(written.text, written.value, f"{low.text} – {high.text}" if known else "")


def _code(view: View, kind: str, row: dict) -> Cell:
    return Cell(view.word(kind, row[kind]) if row[kind] else MISSING)


def _factors_cell(view: View, row: dict) -> Cell:
    if not row["top_factors"]:
        return Cell(MISSING)
    told = factors(row["top_factors"], view.words)
    return Cell(told.short, small=told.strongest)


def _cause_cell(view: View, row: dict) -> Cell:
    risks = {cause: row[f"type_{cause}"] for cause in numbers.CAUSES}
    known = {cause: risk for cause, risk in risks.items() if risk > 0}  # drops missing ones too
    cause = row["cause"] or max(known, key=known.__getitem__, default=None)
    if cause not in known:
        return _code(view, "cause", row)
    share = percent(known[cause] / row["churn_probability"]).text
    return Cell(
        view.word("cause", cause), small=view.words["at_risk.cause_share"].format(share=share)
    )


def _spend_cell(view: View, row: dict) -> Cell:
    advised = row["retain_advised"] != 0  # missing means nobody advised against it
    let_go = row["lever"] == LET_GO  # nobody is won back from leaving by nature
    written = money(0.0 if let_go else row["max_spend"])
    return Cell(written.text, written.value, "" if advised else view.words["at_risk.not_advised"])


def risk_distribution(view: View) -> Section:
    """How many active customers stand at which risk."""
    words = view.words
    active = view.scores[view.scores["churn_probability"].notna()]
    if active.empty:
        return Section("risk", words["risk.title"], "", (Note(words["risk.none"]),))
    groups = numbers.by_group(active, "churn_band", numbers.BANDS)
    rows = tuple(
        (
            Cell(view.word("band", band)),
            count(row["customers"]),
            percent(row["risk"]),
            money(row["loss"]),
        )
        for band, row in groups.iterrows()
    )
    names = ("band", "customers", "mean", "loss")
    columns = tuple(Column(words[f"risk.{name}"], name != "band") for name in names)
    drawn = Figure(
        plots.risk_histogram(numbers.risk_histogram(view.scores), words),
        words["risk.finding"].format(risk=percent(active["churn_probability"].mean()).text),
        words["risk.reading" if active["churn_band"].notna().any() else "risk.reading_plain"],
    )
    table = Table("bands", columns, rows)
    return Section("risk", words["risk.title"], words["risk.lead"], (drawn, table))


def causes(view: View) -> Section:
    """Why customers leave, and which answer fits."""
    words, found = view.words, numbers.causes(view.scores)
    title = words["causes.title"]
    if found["share"].isna().all():
        return Section("causes", title, "", (Note(words["causes.none"]),))
    first = found["share"].idxmax()
    drawn = Figure(
        plots.causes([view.word("cause", code) for code in found.index], found["share"], words),
        words["causes.finding_residual" if _all_residual(found) else "causes.finding"].format(
            cause=view.word("cause", first), share=percent(found["share"].max()).text
        ),
        words["causes.reading"],
    )
    missing = [view.word("cause", code) for code in found.index[found["share"].isna()]]
    blocks: tuple[Block, ...] = (drawn, _causes_table(view, found))
    if _all_residual(found):
        blocks += (Note(words["causes.residual"]),)
    if missing:
        listed = words["page.comma"].join(missing)
        blocks += (Note(words["causes.unavailable"].format(causes=listed)),)
    return Section("causes", title, words["causes.lead"], blocks)


def _all_residual(found: pd.DataFrame) -> bool:
    """Whether all is the cause that is left when no other can be told: then none was found."""
    others = found["share"].drop(RESIDUAL).sum()  # what is missing counts as 0
    return bool(found["share"][RESIDUAL] > 0 and others < numbers.UNEXPLAINED)


def _causes_table(view: View, found: pd.DataFrame) -> Table:
    words = view.words
    gone = Cell(words["plot.unavailable"])
    rows = tuple(
        (
            Cell(view.word("cause", code)),
            percent(row["share"]) if row["share"] >= 0 else gone,
            count(row["leavers"]) if row["share"] >= 0 else gone,
            Cell(words[f"causes.{code}"]),
            Cell(words[f"causes.{code}_answer"]),
        )
        for code, row in found.iterrows()
    )
    names = ("cause", "share", "leavers", "meaning", "answer")
    columns = tuple(Column(words[f"causes.{name}"], name in ("share", "leavers")) for name in names)
    return Table("causes", columns, rows)

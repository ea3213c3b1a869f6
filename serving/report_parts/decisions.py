"""The sections on what to do: the planner's choice, levers, ways of marketing, winning back."""

from __future__ import annotations

import math
from collections.abc import Mapping

import pandas as pd

from serving.levers import LET_GO, LEVERS, NONE
from serving.report_parts import grid, numbers, tables
from serving.report_parts.blocks import (
    MISSING,
    Block,
    Card,
    Cards,
    Cell,
    Figure,
    Note,
    Section,
    count,
    money,
    percent,
)
from serving.report_parts.retold import retold
from serving.report_parts.view import View

CARDS = {
    "chosen_customers": count,
    "budget": money,
    "spent": money,
    "net": money,
    "control_customers": count,
}
# The other facts, in this order; what is not among them is for the planner's own file.
FACTS = {
    "customers": count,
    "left_out_without_risk": count,
    "left_out_not_advised": count,
    "left_out_contacted": count,
    "kept_aside": count,
    "control_share": percent,
    "save_rate": percent,
    "break_even_share": percent,
    "net_at_half": money,
    "net_at_quarter": money,
    "gap_share": percent,
}
SAVE_SHARE, COST = "save_share_", "cost_"  # facts of single actions begin so
_LAST = (LET_GO, NONE)
CODES = (*(lever.code for lever in LEVERS if lever.code not in _LAST), *_LAST)
# By what separates them: (need is individual, value is high).
MODES = {"frequency": (False, True), "customised": (True, True),
         "mass": (False, False), "drop": (True, False)}  # fmt: skip
LAPSED = ("not_active", "already_churned")
LISTED = 50  # a first list to call; the scores table holds everybody
MAIN_CAUSES = 2


def plan(view: View) -> Section:
    """What to do with the budget, what it is expected to bring, and whom to leave alone to know."""
    chosen, facts = view.extras.plan, view.extras.plan_facts
    if chosen is None:
        return tables.nothing(view, "plan")
    blocks: list[Block] = [Cards(_cards(view))]
    if chosen.empty:
        return tables.section(view, "plan", [*blocks, Note(view.words["plan.nothing"])])
    rows = chosen.sort_values("net", ascending=False, kind="stable")
    columns = {
        "action": tables.names(view, "lever", list(rows["action"])),
        "channel": tables.names(view, "channel", list(rows["channel"])),
        "customers": [count(float(n)) for n in rows["customers"]],
        "cost": [money(float(amount)) for amount in rows["cost"]],
        "saved_value": [money(float(amount)) for amount in rows["saved_value"]],
        "net": [money(float(amount)) for amount in rows["net"]],
        "per_unit": [
            tables.plain(float(saved / cost)) if cost > 0 else Cell(MISSING)
            for saved, cost in zip(rows["saved_value"], rows["cost"], strict=True)
        ],
    }
    blocks.append(tables.table(view, "plan", columns))
    blocks += [Note(view.words[f"plan.{name}"]) for name in ("cheapest", "control")]
    blocks += _rests_on(view, facts)
    return tables.section(view, "plan", blocks)


def _cards(view: View) -> tuple[Card, ...]:
    words, facts = view.words, view.extras.plan_facts
    notes = {name: words[f"plan.{name}_note"] for name in CARDS}
    if "kept_aside" in facts:
        drawn = count(float(facts["kept_aside"])).text
        notes["control_customers"] = words["plan.control_customers_of"].format(drawn=drawn)
    return tuple(
        Card(f"plan_{name}", words[f"plan.{name}"], write(float(facts[name])), notes[name])
        for name, write in CARDS.items()
        if name in facts
    )


def _rests_on(view: View, facts: Mapping[str, float]) -> list[Block]:
    """What the plan assumes: of each action, of the whole, and in the planner's own sentences."""
    blocks: list[Block] = []
    actions = [name.removeprefix(SAVE_SHARE) for name in facts if name.startswith(SAVE_SHARE)]
    if actions:
        prices = [float(facts.get(f"{COST}{action}", math.nan)) for action in actions]
        columns = {
            "action": tables.names(view, "lever", actions),
            "assumed": [percent(float(facts[f"{SAVE_SHARE}{action}"])) for action in actions],
            "price": [money(price) for price in prices],
            "does": tables.sentences(view, "lever", actions, "_is"),
        }
        blocks.append(tables.table(view, "plan_actions", columns, group="plan"))
    told = {name: write(float(facts[name])) for name, write in FACTS.items() if name in facts}
    if told:
        columns = {
            "fact": [Cell(view.words[f"plan_fact.{name}"]) for name in told],
            "set": list(told.values()),
        }
        blocks.append(tables.table(view, "plan_facts", columns, group="plan"))
    assumed = (retold(sentence, view.words) for sentence in view.extras.plan_assumptions)
    said = view.words["page.space"].join(assumed)
    return [*blocks, Note(said)] if said else blocks


def levers(view: View) -> Section:
    """Which answer fits which customers, by the likely cause of their leaving."""
    if not tables.known(view, "lever"):
        return tables.nothing(view, "levers")
    told = view.scores[view.scores["lever"].notna()]
    found = numbers.by_group(told, "lever", CODES)
    spend = told.groupby("lever")["max_spend"].sum(min_count=1)
    spend[spend.index == LET_GO] = 0.0  # nobody is won back from leaving by nature
    columns = {
        "lever": tables.names(view, "lever", found.index),
        "customers": [count(n) for n in found["customers"]],
        "risk": [percent(risk) for risk in found["risk"]],
        "loss": [money(amount) for amount in found["loss"]],
        "max_spend": [money(float(spend[code])) for code in found.index],
        "causes": [_main_causes(view, told[told["lever"] == code]) for code in found.index],
        "answer": tables.sentences(view, "lever", found.index, "_is"),
    }
    blocks: list[Block] = [tables.table(view, "levers", columns)]
    kept_off = int((view.scores["retain_advised"] == 0).sum())
    if kept_off:
        blocks.append(Note(view.words["levers.kept_off"].format(n=count(kept_off).text)))
    return tables.section(view, "levers", blocks)


def _main_causes(view: View, rows: pd.DataFrame) -> Cell:
    """The most frequent likely causes of these customers."""
    shares = rows["cause"].dropna().value_counts(normalize=True).head(MAIN_CAUSES)
    parts = [f"{view.word('cause', code)} {percent(share).text}" for code, share in shares.items()]
    return Cell(view.words["page.comma"].join(parts) or MISSING)


def marketing(view: View) -> Section:
    """How to market to whom: by value, and by whether a customer's needs are like the others'."""
    if not tables.known(view, "marketing_mode"):
        return tables.nothing(view, "marketing")
    words = view.words
    told = view.scores[view.scores["marketing_mode"].notna()]
    found = numbers.by_group(told, "marketing_mode", tuple(MODES))
    fields = {
        place: grid.Quadrant(view.word("marketing_mode", code), *tables.field(view, found, code))
        for code, place in MODES.items()
    }
    across, up = (
        (words[f"marketing.{axis}_low"], words[f"marketing.{axis}_high"])
        for axis in ("need", "value")
    )
    columns = {
        "mode": tables.names(view, "marketing_mode", found.index),
        "customers": [count(n) for n in found["customers"]],
        "worth": [money(amount) for amount in found["value"]],
        "loss": [money(amount) for amount in found["loss"]],
        "answer": tables.sentences(view, "marketing_mode", found.index, "_is"),
    }
    alike = found["customers"].reindex(["frequency", "mass"]).sum() / len(told)
    drawn = Figure(
        grid.two_by_two(fields, across, up),
        words["marketing.finding"].format(share=percent(alike).text),
        words["marketing.reading"],
    )
    return tables.section(view, "marketing", [drawn, tables.table(view, "marketing", columns)])


def lapsed(scores: pd.DataFrame) -> pd.DataFrame:
    """Customers who went silent, the most worth winning back first, at most LISTED.

    `worth`: the chance that he buys again times what he is worth if he does, currency units. Where
    that is not known it is the expected value, which has the chance in it already. Who is not to be
    retained, or costs more than he brings, is not listed.
    """
    gone = scores[
        scores["status"].isin(LAPSED)
        & (scores["retain_advised"] != 0)  # missing: nobody advised against it
        & (scores["tier"] != "below_zero")
    ]
    returning = gone["purchase_probability"] * gone["clv_if_retained"]
    worth = returning.fillna(gone["expected_value"])
    return gone.assign(worth=worth)[worth > 0].nlargest(LISTED, "worth")


def win_back(view: View) -> Section:
    """The list of lost customers to try first."""
    gone = int(view.scores["status"].isin(LAPSED).sum())
    listed = lapsed(view.scores)
    if listed.empty:
        return tables.nothing(view, "win_back", "none" if gone else "nobody")
    rows = listed.to_dict("records")

    def coded(kind: str) -> list[Cell]:
        return [Cell(view.word(kind, row[kind]) if row[kind] else MISSING) for row in rows]

    columns = {
        "customer": [Cell(row["customer_id"]) for row in rows],
        "chance": [percent(row["purchase_probability"]) for row in rows],
        "if_back": [money(row["clv_if_retained"]) for row in rows],
        "worth": [money(row["worth"]) for row in rows],
        "tier": coded("tier"),
        "rfm_class": coded("rfm_class"),
        "cause": coded("cause"),
    }
    table = tables.table(
        view, "win_back", columns, sortable=True, choose=("tier", "rfm_class", "cause")
    )
    return tables.section(
        view,
        "win_back",
        [table, Note(view.words["win_back.caution"])],
        n=count(len(listed)),
        gone=count(gone),
        worth=money(float(listed["worth"].sum())),
    )

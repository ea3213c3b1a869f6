"""The sections on where customers stand with the business: lifecycle, ladder, loyalty."""

from __future__ import annotations

import pandas as pd

from serving.report_parts import bars, grid, numbers, tables
from serving.report_parts.blocks import (
    Block,
    Cell,
    Figure,
    Note,
    Section,
    Table,
    count,
    money,
    percent,
)
from serving.report_parts.view import View

RUNGS = ("prospect", "customer", "client", "advocate", "partner")
ATTITUDE_RUNGS = ("advocate", "partner")
LOYALTIES = {"true": (True, True), "spurious": (True, False),
             "latent": (False, True), "none": (False, False)}  # fmt: skip
LOYALTY_TYPES = (
    "monopoly",
    "inertia",
    "convenience",
    "price",
    "incentive",
    "super_value",
    "undetermined",
)


def lifecycle(view: View) -> Section:
    """How far each relationship has come, how long it is expected to last, and the money in it."""
    if not tables.known(view, "stage"):
        return tables.nothing(view, "lifecycle")
    words, found = view.words, tables.groups(view.scores, "stage", numbers.STAGES)
    labels = (words["group.customer_share"], words["group.loss_share"])
    columns = {
        "stage": tables.names(view, "stage", found.index),
        "customers": [count(n) for n in found["customers"]],
        "customer_share": [percent(share) for share in found["customer_share"]],
        "value": [money(amount) for amount in found["value"]],
        "value_share": [percent(share) for share in found["value_share"]],
        "risk": [percent(risk) for risk in found["risk"]],
        "loss": [money(amount) for amount in found["loss"]],
        "loss_share": [percent(share) for share in found["loss_share"]],
        "lifetime": [tables.days(view, number) for number in found["lifetime"]],
        "remaining": [tables.days(view, number) for number in found["remaining"]],
    }
    drawn = Figure(
        bars.pairs(
            [view.word("stage", code) for code in found.index],
            [percent(share) for share in found["customer_share"]],
            [percent(share) for share in found["loss_share"]],
            labels,
        ),
        _most_at_risk(view, "stage", found),
        words["lifecycle.reading"],
    )
    blocks: list[Block] = [drawn, tables.table(view, "stages", columns, group="lifecycle")]
    if not tables.known(view, "remaining_days"):
        blocks.append(Note(words["lifecycle.no_remaining"]))
    return tables.section(view, "lifecycle", [*blocks, *_moves(view, "stage", numbers.STAGES)])


def _most_at_risk(view: View, kind: str, found: pd.DataFrame) -> str:
    share = found["loss_share"]
    if not share.notna().any():
        return ""
    return view.words["lifecycle.finding"].format(
        stage=view.word(kind, share.idxmax()), share=percent(share.max()).text
    )


def _moves(view: View, kind: str, order: tuple[str, ...]) -> list[Block]:
    given = view.extras.moves.get(kind)
    if given is None or not given.to_numpy().sum() > 0:
        return [Note(view.words["moves.none"])]
    return [tables.moves(view, kind, given, order), Note(view.words[f"moves.reading_{kind}"])]


def rungs(view: View) -> Section:
    """How far customers have climbed from a first purchase to partnership."""
    if not tables.known(view, "ladder"):
        return tables.nothing(view, "rungs")
    words, found = view.words, tables.groups(view.scores, "ladder", RUNGS)
    drawn = Figure(
        bars.pairs(
            [view.word("ladder", code) for code in found.index],
            [percent(share) for share in found["customer_share"]],
            [percent(share) for share in found["value_share"]],
            (words["group.customer_share"], words["group.value_share"]),
        ),
        words["rungs.finding"].format(
            share=percent(1 - _share_of(found, ("prospect", "customer", "none"))).text,
            value=percent(found["value_share"].drop(
                ["prospect", "customer", "none"], errors="ignore").sum()).text,
        ),
        words["rungs.reading"],
    )  # fmt: skip
    columns = {
        "rung": tables.names(view, "ladder", found.index),
        "means": tables.sentences(view, "ladder", found.index, "_means"),
        "customers": [count(n) for n in found["customers"]],
        "value": [money(amount) for amount in found["value"]],
        "risk": [percent(risk) for risk in found["risk"]],
        "loss": [money(amount) for amount in found["loss"]],
        "up": tables.sentences(view, "ladder", found.index, "_up"),
    }
    blocks: list[Block] = [drawn, tables.table(view, "rungs", columns)]
    if not set(ATTITUDE_RUNGS) & set(found.index):
        blocks.append(Note(words["rungs.unreached"]))
    return tables.section(view, "rungs", [*blocks, *_moves(view, "ladder", RUNGS)])


def _share_of(found: pd.DataFrame, codes: tuple[str, ...]) -> float:
    return float(found["customer_share"].reindex(codes).sum())


def loyalty(view: View) -> Section:
    """Who buys again and means it, who only buys again, and what would end it."""
    blocks: list[Block] = []
    if tables.known(view, "loyalty"):
        blocks.append(_loyalty_board(view))
    if tables.known(view, "loyalty_type"):
        blocks += [_loyalty_types(view), Note(view.words["loyalties.types_reading"])]
    if not blocks:
        return tables.nothing(view, "loyalties")
    if not tables.known(view, "loyalty"):
        blocks.insert(0, Note(view.words["loyalties.no_attitude"]))
    if not tables.known(view, "loyalty_type"):
        blocks.append(Note(view.words["loyalties.no_types"]))
    return tables.section(view, "loyalties", blocks)


def _loyalty_board(view: View) -> Figure:
    words, told = view.words, view.scores[view.scores["loyalty"].notna()]
    found = numbers.by_group(told, "loyalty", tuple(LOYALTIES))
    fields = {
        (warm, often): grid.Quadrant(view.word("loyalty", code), *tables.field(view, found, code))
        for code, (often, warm) in LOYALTIES.items()
    }
    across, up = (
        (words[f"loyalties.{axis}_low"], words[f"loyalties.{axis}_high"])
        for axis in ("attitude", "behaviour")
    )
    codes = list(found.index)
    columns = {
        "loyalty": tables.names(view, "loyalty", codes),
        "customers": [count(n) for n in found["customers"]],
        "value": [money(amount) for amount in found["value"]],
        "risk": [percent(risk) for risk in found["risk"]],
        "loss": [money(amount) for amount in found["loss"]],
        "answer": tables.sentences(view, "loyalty", codes, "_answer"),
    }
    spurious = found["customers"].get("spurious", 0) / len(told)
    finding = words["loyalties.finding"].format(
        share=percent(spurious).text, known=percent(len(told) / len(view.scores)).text
    )
    return Figure(
        grid.two_by_two(fields, across, up),
        finding,
        words["loyalties.reading"],
        tables.table(view, "loyalties", columns),
    )


def _loyalty_types(view: View) -> Table:
    told = view.scores[view.scores["loyalty_type"].notna()]
    found = numbers.by_group(told, "loyalty_type", LOYALTY_TYPES)
    codes = list(found.index)
    columns: dict[str, list[Cell]] = {
        "type": tables.names(view, "loyalty_type", codes),
        "holds": tables.sentences(view, "loyalty_type", codes, "_holds"),
        "customers": [count(n) for n in found["customers"]],
        "customer_share": [percent(share) for share in found["customer_share"]],
        "loss": [money(amount) for amount in found["loss"]],
        "trigger": tables.sentences(view, "loyalty_type", codes, "_trigger"),
        "answer": tables.sentences(view, "loyalty_type", codes, "_answer"),
    }
    return tables.table(view, "loyalty_types", columns, group="loyalties")

"""A retention plan: what to do for whom, within a budget, so that it is worth most.

Whatever an action saves is counted as its share of the leavers it answers times what they would
have brought, less what it costs; nothing is done where that is not above 0. Who has left already or
merely buys seldom is no leaver (training/leaving.py). Some customers are kept aside at random
before anything is chosen, so that the effect of the plan can be measured.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.errors import UserError
from serving.actions import ACTIONS, CAMPAIGN, Action
from serving.assignment import FloatArray, assign, at_prices
from serving.responses import ASSUMED, Responses
from training.tasks import CHURN_TYPES

COLUMNS = ("customer_id", "action", "channel", "cost", "expected_saved", "expected_net",
           "is_control", "reason")  # fmt: skip
SUMMARY = ("action", "channel", "customers", "cost", "saved_value", "net")
NEEDED = ("customer_id", "status", "churn_probability", "clv_if_retained", "expected_loss", "tier",
          "retain_advised", *(f"type_{cause}" for cause in CHURN_TYPES))  # fmt: skip
CONTROL_SHARE = 0.10  # of those who may be contacted; what is lost by it is the price of knowing
CONTACT_CAP_DAYS = 14  # who heard from us in the last two weeks is left in peace; a convention
CONTACTED = "days_since_contacted"
SAVEABLE = "saveable_loss"
LEAST_MONEY = 0.005  # currency units; less than this is written as 0.00
# What a list is worth at these parts of the save shares: of the expected loss of simulated
# businesses, contacts saved a quarter to a half of what was assumed.
PARTS = {"half": 0.5, "quarter": 0.25}


@dataclass(frozen=True)
class Terms:
    """What a plan must keep to.

    name: draws the control group; another name draws another one. budget: currency units, None for
    no limit. capacities: channel -> most contacts by it. contact_cap_days: who was contacted within
    them is left out. control_share: of those who may be contacted, kept aside.
    """

    name: str = "plan"
    budget: float | None = None
    capacities: Mapping[str, float] = field(default_factory=dict)
    contact_cap_days: float = CONTACT_CAP_DAYS
    control_share: float = CONTROL_SHARE

    def __post_init__(self) -> None:
        amounts = {"budget": self.budget, "contact cap": self.contact_cap_days, **self.capacities}
        for what, amount in amounts.items():
            if amount is not None and not amount >= 0.0:
                raise UserError(
                    f"A plan with {amount} for {what} was asked for. Give a number of 0 or more."
                )
        if not 0.0 <= self.control_share < 1.0:
            raise UserError(
                f"A control group of a share of {self.control_share} was asked for. Give a number "
                "from 0 to below 1, such as 0.1."
            )


@dataclass(frozen=True)
class Plan:
    """Who gets what.

    table: COLUMNS, one row per customer chosen, and per control customer who would have been at the
    same prices; what these do not get costs and saves nothing. facts: numbers the plan rests on and
    came to. assumptions: the same in sentences. prices: what one more unit of `budget` or of a
    channel's capacity would be worth, currency units.
    """

    table: pd.DataFrame
    facts: Mapping[str, float]
    assumptions: tuple[str, ...]
    prices: Mapping[str, float]

    def summary(self) -> pd.DataFrame:
        """One row per action that is taken: SUMMARY; money in currency units."""
        taken = self.table[~self.table.is_control]
        found = taken.groupby(["action", "channel"], as_index=False, sort=False).agg(
            customers=("customer_id", "size"), cost=("cost", "sum"),
            saved_value=("expected_saved", "sum"), net=("expected_net", "sum"),
        )  # fmt: skip
        return found.sort_values("net", ascending=False, ignore_index=True)[list(SUMMARY)]


def plan(
    scores: pd.DataFrame,
    terms: Terms,
    actions: Sequence[Action] = ACTIONS,
    responses: Responses = ASSUMED,
) -> Plan:
    """The plan worth most for the customers of a score table.

    scores: the columns NEEDED of serving.score.COLUMNS; SAVEABLE, `cause` and CONTACTED (days,
    null: never) are used when they are there. responses: what past campaigns measured. Nobody whom
    it is not advised to keep is in it. Raises UserError for a table or terms that make no plan.
    """
    _check(scores, terms, actions)
    left_out = _left_out(scores, terms)
    may_be = np.logical_and.reduce([~rows for rows in left_out.values()])
    aside = may_be & kept_aside(scores.customer_id, terms)
    saved, cost = saved_by(scores, actions, responses), _costs(scores, actions)
    net = np.where(may_be[:, None], saved - cost, -np.inf)
    use, limits, names = _limits(actions, cost, terms)
    found = assign(np.where(aside[:, None], -np.inf, net), use, limits)
    withheld = at_prices(np.where(aside[:, None] & (net > 0.0), net, -np.inf), use, found.prices)
    choice = np.where(aside, withheld, found.choice)
    table = _table(scores, actions, choice, aside, saved, cost)
    facts = {
        **_came_to(table),
        **_if_less_is_saved(table),
        **({} if terms.budget is None else {"budget": terms.budget}),
        "customers": float(len(scores)),
        **{f"left_out_{why}": float(rows.sum()) for why, rows in left_out.items()},
        "kept_aside": float(aside.sum()),
        "control_share": terms.control_share,
        "gap": found.gap,
        "gap_share": found.gap / found.bound if found.bound > 0.0 else 0.0,
        **{f"save_share_{action.name}": action.save_share for action in actions},
        **{
            f"cost_{action.name}": each for action, each in zip(actions, cost.tolist(), strict=True)
        },
    }
    prices = dict(zip(names, found.prices.tolist(), strict=True))
    said = (*_assumptions(scores, terms, responses, facts), *_unspent_in_words(facts, prices))
    return Plan(table, facts, said, prices)


def kept_aside(customers: pd.Series, terms: Terms) -> NDArray[np.bool_]:
    """Whether a customer is kept aside by a plan of this name: by a hash of both, (n,)."""
    named = terms.name + "\n" + customers.astype(str)
    drawn = pd.util.hash_pandas_object(named, index=False).to_numpy(dtype=np.uint64)
    return drawn / float(2**64) < terms.control_share


def saved_by(
    scores: pd.DataFrame, actions: Sequence[Action], responses: Responses = ASSUMED
) -> FloatArray:
    """Money an action is expected to save with a customer, (n, actions), currency units.

    The save share times the loss at stake by the causes it answers: the type's share of the churn
    risk times SAVEABLE, or times the expected loss in scores that lack it. Of a customer none of
    whose causes can be known, all of it counts for an action against every cause, else none.
    What campaigns measured stands in place of what is assumed of a campaign.
    """
    loss = _numbers(scores, at_stake(scores)).clip(min=0.0)
    types = np.column_stack([_numbers(scores, f"type_{cause}") for cause in CHURN_TYPES])
    shares, total = types.clip(min=0.0), types.clip(min=0.0).sum(axis=1)
    widest = max(len(action.causes) for action in actions)
    saved = np.empty((len(scores), len(actions)))
    for place, action in enumerate(actions):
        answered = shares[:, [CHURN_TYPES.index(cause) for cause in action.causes]].sum(axis=1)
        unknown = float(len(action.causes) == widest)
        share = np.divide(answered, total, out=np.full(len(total), unknown), where=total > 0.0)
        saved[:, place] = action.save_share * share * loss
        if action.name == CAMPAIGN and responses.saved is not None:
            measured = responses.saved.reindex(scores.customer_id).to_numpy(dtype=np.float64)
            saved[:, place] = np.where(np.isnan(measured), saved[:, place], measured)
    return saved


def is_advised(scores: pd.DataFrame) -> NDArray[np.bool_]:
    """Whom a contact may be for at all, (n,): not below zero, not malicious, advised to keep."""
    return (
        scores.retain_advised.fillna(False).to_numpy(dtype=bool)
        & ~(scores.tier == "below_zero").to_numpy(dtype=bool)
        & ~(likeliest_cause(scores) == "malicious")
    )


def at_stake(scores: pd.DataFrame) -> str:
    """The column a plan rests on: SAVEABLE, or expected_loss where scores are of former times."""
    return SAVEABLE if SAVEABLE in scores else "expected_loss"


def likeliest_cause(scores: pd.DataFrame) -> NDArray[np.object_]:
    """The column `cause`, or the largest of the type_* columns; null where none is known, (n,)."""
    if "cause" in scores:
        return scores.cause.to_numpy(dtype=object)
    types = np.column_stack([_numbers(scores, f"type_{cause}") for cause in CHURN_TYPES])
    names = np.array([*CHURN_TYPES, None], dtype=object)
    return names[np.where((types > 0.0).any(axis=1), types.argmax(axis=1), len(CHURN_TYPES))]


def _check(scores: pd.DataFrame, terms: Terms, actions: Sequence[Action]) -> None:
    lacking = [name for name in NEEDED if name not in scores]
    if lacking:
        raise UserError(
            f"A plan needs the columns of a score table, but {', '.join(lacking[:5])} are not "
            "there. Give the table that `holdfast score` wrote."
        )
    if scores.customer_id.duplicated().any():
        again = scores.customer_id[scores.customer_id.duplicated()].iloc[0]
        raise UserError(
            f"A plan was asked for a table in which {again} stands twice, but a customer gets one "
            "action at most. Give the scores of one moment."
        )
    if not actions:
        raise UserError("A plan was asked for without any action. Name at least one.")
    channels = {action.channel for action in actions}
    if unknown := sorted(set(terms.capacities) - channels):
        raise UserError(
            f"A capacity was given for {', '.join(unknown)}, but the actions go by "
            f"{', '.join(sorted(channels))}. Use one of these channels."
        )


def _left_out(scores: pd.DataFrame, terms: Terms) -> dict[str, NDArray[np.bool_]]:
    """Whom no plan has in it, by the first reason that holds."""
    found = {
        "without_risk": ~(_numbers(scores, at_stake(scores)) > 0.0),
        "not_advised": ~is_advised(scores),
    }
    if CONTACTED in scores:  # who was never contacted has no days
        found["contacted"] = _numbers(scores, CONTACTED) < terms.contact_cap_days
    before = np.zeros(len(scores), dtype=bool)
    for why, rows in found.items():
        found[why] = rows & ~before
        before |= rows
    return found


def _costs(scores: pd.DataFrame, actions: Sequence[Action]) -> FloatArray:
    value = _numbers(scores, "clv_if_retained")[(scores.status == "scored").to_numpy(dtype=bool)]
    median = float(np.nanmedian(value)) if np.isfinite(value).any() else 0.0
    return np.array([action.cost_for(median) for action in actions])


def _limits(
    actions: Sequence[Action], cost: FloatArray, terms: Terms
) -> tuple[FloatArray, FloatArray, list[str]]:
    """What each action takes of the budget and of each channel, how much there is, and its name."""
    channels = list(terms.capacities)
    by_channel = [[float(action.channel == channel) for action in actions] for channel in channels]
    use = np.array([cost.tolist(), *by_channel])
    budget = np.inf if terms.budget is None else terms.budget
    limits = np.array([budget, *(float(terms.capacities[channel]) for channel in channels)])
    return use, limits, ["budget", *channels]


def _table(
    scores: pd.DataFrame,
    actions: Sequence[Action],
    choice: NDArray[np.intp],
    aside: NDArray[np.bool_],
    saved: FloatArray,
    cost: FloatArray,
) -> pd.DataFrame:
    rows = np.flatnonzero(choice >= 0)
    chosen, control = choice[rows], aside[rows]
    done = np.where(control, 0.0, 1.0)
    names, channels = (
        np.array([getattr(action, name) for action in actions], dtype=object)
        for name in ("name", "channel")
    )
    cause = likeliest_cause(scores)[rows]
    table = pd.DataFrame({
        "customer_id": scores.customer_id.to_numpy()[rows],
        "action": names[chosen],
        "channel": channels[chosen],
        "cost": done * cost[chosen],
        "expected_saved": done * saved[rows, chosen],
        "expected_net": done * (saved[rows, chosen] - cost[chosen]),
        "is_control": control,
        "reason": [
            f"{why or 'cause not known'}: would save {much:,.2f} for {price:,.2f}"
            for why, much, price in zip(cause, saved[rows, chosen], cost[chosen], strict=True)
        ],
    })  # fmt: skip
    order = (saved - cost)[rows, chosen]
    return table.iloc[np.lexsort((table.customer_id, -order))].reset_index(drop=True)


def _came_to(table: pd.DataFrame) -> dict[str, float]:
    return {
        "spent": float(table.cost.sum()),
        "saved_value": float(table.expected_saved.sum()),
        "net": float(table.expected_net.sum()),
        "chosen_customers": float((~table.is_control).sum()),
        "control_customers": float(table.is_control.sum()),
    }


def _if_less_is_saved(table: pd.DataFrame) -> dict[str, float]:
    """Net value of the same list at PARTS of the save shares, currency units, and the break-even.

    break_even_share: cost / saved, the part of all save shares below which the list loses money;
    not there where nothing is done.
    """
    cost, saved = float(table.cost.sum()), float(table.expected_saved.sum())
    net = {f"net_at_{name}": part * saved - cost for name, part in PARTS.items()}
    return {**net, "break_even_share": cost / saved} if saved > 0.0 else net


def _assumptions(
    scores: pd.DataFrame, terms: Terms, responses: Responses, facts: Mapping[str, float]
) -> tuple[str, ...]:
    cap = f"Who was contacted in the last {terms.contact_cap_days:g} days is left out."
    if CONTACTED not in scores:
        cap = "Nobody is left out for a recent contact: it is not known who was contacted last."
    control = (
        f"{terms.control_share:.0%} of those who may be contacted are kept aside by lot, always "
        f"the same in a plan named {terms.name}."
    )
    return responses.sentence, cap, control, _BASES[at_stake(scores)], *_less_in_words(facts)


_BASES = {
    SAVEABLE: "At stake is what goes with those who are still there and are about to leave.",
    "expected_loss": "At stake is all money at risk, which counts those who have left already or "
    "buy seldom as leaving. Score anew for a plan on who can be saved.",
}


def _less_in_words(facts: Mapping[str, float]) -> tuple[str, ...]:
    if "break_even_share" not in facts:
        return ()
    return (
        f"If actions save half of what is planned, the same list nets {facts['net_at_half']:,.2f}, "
        f"if a quarter {facts['net_at_quarter']:,.2f}; below {facts['break_even_share']:.0%} it "
        "loses money.",
    )


def _unspent_in_words(facts: Mapping[str, float], prices: Mapping[str, float]) -> tuple[str, ...]:
    """Why a budget is not spent up; nothing where more of it could bring anything.

    At a price of 0 the gap bounds what any larger budget could add.
    """
    budget, spent = facts.get("budget", 0.0), facts["spent"]
    if not spent < budget or prices["budget"] > 0.0 or facts["gap"] >= LEAST_MONEY:
        return ()
    return (
        f"Of the budget of {budget:,.2f} only {spent:,.2f} is spent, because no further action "
        "that may be taken would save more than it costs; a larger budget would bring nothing.",
    )


def _numbers(scores: pd.DataFrame, name: str) -> FloatArray:
    return scores[name].to_numpy(dtype=np.float64, na_value=np.nan)

"""What can at best be known at a moment about a simulated customer's future.

The state of knowledge is that of someone who sees everything but the dice: each customer's traits,
rhythm, whether alive, the state of each risk, the wait since the last purchase, which lines are
going to come back, and the plan of campaigns. Exact up to steps of a day: purchases of a day
are weighed by the mean survival of that day, whose loss is far below 10 % even in danger.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.datasets.simulator.block import Block
from features.datasets.simulator.causes import CAUSE_NAMES
from features.datasets.simulator.fates import step_of_a_day
from features.datasets.simulator.orders import mean_order_amount, need_clock, returned_by
from features.datasets.simulator.rhythm import RHYTHMS


def block_truth(block: Block, as_of: float, horizon: int) -> pd.DataFrame:
    """One row per customer of the block with a purchase by `as_of`; see Simulation.truth."""
    buyers = _buyers(block, as_of)
    alive = block.fates.death[buyers] > as_of
    kept = _kept(block, buyers, as_of, horizon)
    during = _during(kept)
    none, expected = _purchases(block, buyers, as_of, horizon)
    money = _order_money(block, buyers, horizon)
    pending = _pending_returns(block, buyers, as_of, horizon)
    bought = (-np.diff(none, axis=1) * during).sum(axis=1)
    dies_by = block.fates.death[buyers] <= as_of + horizon
    causes = np.array([*CAUSE_NAMES, None], dtype=object)
    incidence = _incidence(kept)
    return pd.DataFrame(
        {
            "customer_id": block.ids[buyers],
            "is_alive": alive,
            "purchase_probability": bought,
            "churn_probability": 1.0 - bought,
            "expected_value": (np.diff(expected, axis=1) * during * money).sum(axis=1) - pending,
            "cause": causes[np.where(dies_by, block.fates.death_cause[buyers], -1)],
            **{f"cause_{name}": incidence[:, i] for i, name in enumerate(CAUSE_NAMES)},
            "value_if_retained": (np.diff(expected, axis=1) * money).sum(axis=1) - pending,
        }
    )


def block_response(block: Block, as_of: float, horizon: int) -> pd.DataFrame:
    """One row per customer of the block with a purchase by `as_of`; see Simulation.response."""
    buyers = _buyers(block, as_of)
    _, expected = _purchases(block, buyers, as_of, horizon)
    earned = np.diff(expected, axis=1) * _order_money(block, buyers, horizon)
    pending = _pending_returns(block, buyers, as_of, horizon)
    found = {"customer_id": block.ids[buyers], "is_alive": block.fates.death[buyers] > as_of}
    for arm in ("untreated", "treated"):
        kept = _kept(block, buyers, as_of, horizon, is_reached=arm == "treated")
        found[f"leaves_{arm}"] = 1.0 - kept[:, :, -1].prod(axis=1)
        found[f"value_{arm}"] = (earned * _during(kept)).sum(axis=1) - pending
    return pd.DataFrame(found)


def _buyers(block: Block, as_of: float) -> np.ndarray:
    return np.unique(block.orders.owner[block.orders.day <= as_of])


def _during(kept: np.ndarray) -> np.ndarray:
    """Mean chance to be there in each day, whatever the cause to leave, (n, horizon)."""
    survival = kept.prod(axis=1)
    return (survival[:, 1:] + survival[:, :-1]) / 2.0


def _kept(
    block: Block, buyers: np.ndarray, as_of: float, horizon: int, is_reached: bool = False
) -> np.ndarray:
    """The same as _survival, but 0 for those who are gone."""
    alive = block.fates.death[buyers] > as_of
    survival = _survival(block, buyers, as_of, horizon, is_reached)
    return np.where(alive[:, None, None], survival, 0.0)


def _survival(
    block: Block, buyers: np.ndarray, as_of: float, horizon: int, is_reached: bool
) -> np.ndarray:
    """Chance of not having left for each cause, daily from now on, (n, causes, horizon + 1).

    is_reached: whether everybody is treated at `as_of`, whatever the plan of campaigns.
    """
    risk, persuadability = block.people.risk[buyers], block.people.persuadability[buyers]
    untreated, treated = (step_of_a_day(risk, persuadability, lot) for lot in (False, True))
    chances = np.eye(3)[block.fates.state_at(as_of)[buyers]]
    survival = [chances.sum(axis=-1)]
    for day in as_of + np.arange(horizon) + 0.5:
        under_effect = block.campaigns.treats(buyers, np.full(len(buyers), day))
        under_effect |= is_reached and day < as_of + block.campaigns.effect_days
        step = np.where(under_effect[:, None, None, None], treated, untreated)
        chances = np.einsum("nci,ncij->ncj", chances, step)
        survival.append(chances.sum(axis=-1))
    return np.stack(survival, axis=-1)


def _incidence(kept: np.ndarray) -> np.ndarray:
    """Chance to leave for each cause within the horizon, (n, causes).

    A day's departures are shared out by the causes' hazards of that day.
    """
    hazard = -np.diff(np.log(np.maximum(kept, 1e-300)), axis=2)
    total = hazard.sum(axis=1, keepdims=True)
    lost = -np.diff(kept.prod(axis=1), axis=1)[:, None, :]
    return (lost * hazard / np.where(total > 0.0, total, 1.0)).sum(axis=2)


def _purchases(
    block: Block, buyers: np.ndarray, as_of: float, horizon: int
) -> tuple[np.ndarray, np.ndarray]:
    """P(none yet) and expected purchases so far, daily from now on, of those who stay.

    Both (n, horizon + 1); given the wait since the last purchase on the clock of needs.
    """
    people = block.people.take(buyers)
    clock = need_clock(people, block.start, int(np.ceil(as_of + horizon)) + 1)
    owner = np.arange(len(buyers))
    past = block.orders.day <= as_of
    last = np.full(len(block.people), -np.inf)
    np.maximum.at(last, block.orders.owner[past], block.orders.day[past])
    now = clock.at(owner, np.full(len(owner), as_of))
    waited = (now - clock.at(owner, last[buyers])).clip(min=0.0)
    days = np.broadcast_to(as_of + np.arange(horizon + 1), (len(owner), horizon + 1))
    ahead = clock.at(owner[:, None], days) - now[:, None]
    none, expected = np.ones(ahead.shape), np.zeros(ahead.shape)
    for number, rhythm in enumerate(RHYTHMS):
        of_rhythm = people.rhythm == number
        none[of_rhythm] = rhythm.none_within(waited[of_rhythm], ahead[of_rhythm])
        expected[of_rhythm] = rhythm.expected_within(waited[of_rhythm], ahead[of_rhythm])
    return none, expected


def _order_money(block: Block, buyers: np.ndarray, horizon: int) -> np.ndarray:
    """Net money within the horizon of an order made on each day of it, (n, horizon)."""
    people = block.people.take(buyers)
    days_left = horizon - np.arange(horizon) - 0.5
    returned = people.return_habit[:, None] * returned_by(days_left)
    return mean_order_amount(people)[:, None] * (1.0 - returned)


def _pending_returns(block: Block, buyers: np.ndarray, as_of: float, horizon: int) -> np.ndarray:
    """Money expected to go back within the horizon for lines bought and kept so far, (n,)."""
    lines = block.lines
    held = np.flatnonzero((lines.day <= as_of) & (lines.returned > as_of))
    waited = as_of - lines.day[held]
    habit = block.people.return_habit[lines.owner[held]]
    soon = habit * (returned_by(waited + horizon) - returned_by(waited))
    chance = soon / (1.0 - habit * returned_by(waited))
    money = np.bincount(
        lines.owner[held], weights=chance * lines.amount[held], minlength=len(block.people)
    )
    return money[buyers]

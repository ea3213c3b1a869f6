"""What can be done to keep a customer: what each action answers, by which channel, at what price.

To add an action, name it in ACTIONS. How many leavers an action keeps is assumed until a control
group tells: the figures are orders of magnitude around SAVE_RATE, chosen before any result.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from features.errors import UserError
from training.retention import CONTACT_SHARE, SAVE_RATE
from training.tasks import CHURN_TYPES

# Nobody is won back from leaving by nature, and nobody should be who never meant to pay.
KEEPABLE = tuple(cause for cause in CHURN_TYPES if cause not in ("natural", "malicious"))


@dataclass(frozen=True)
class Action:
    """One thing to do for one customer.

    causes: what it answers, of KEEPABLE. save_share: share of those leavers it is assumed to keep,
    0 to 1. cost: currency units each; None takes cost_share of the median value if retained.
    about: what is done, and why these figures.
    """

    name: str
    about: str
    causes: tuple[str, ...]
    channel: str
    save_share: float
    cost_share: float
    cost: float | None = None

    def __post_init__(self) -> None:
        others = set(self.causes) - set(KEEPABLE)
        if others or not self.causes:
            raise UserError(
                f"The action {self.name} is to answer {', '.join(sorted(others)) or 'nothing'}, "
                f"but an action can answer {', '.join(KEEPABLE)}. Name some of these."
            )
        if not 0.0 <= self.save_share <= 1.0:
            raise UserError(
                f"The action {self.name} is to keep a share of {self.save_share} of leavers. "
                "Give a number from 0 to 1, such as 0.1."
            )
        if self.cost is not None and not 0.0 <= self.cost < np.inf:
            raise UserError(
                f"The action {self.name} was said to cost {self.cost}. Give an amount of 0 or more."
            )

    def cost_for(self, median_value: float) -> float:
        """What it costs each time among customers of this median value if retained."""
        return self.cost if self.cost is not None else self.cost_share * max(median_value, 0.0)


# What past campaigns did, so the one whose effect control groups can measure.
CAMPAIGN = "campaign"
# A message sent by a machine costs a fiftieth of an offer, a person's time half as much again.
MESSAGE_SHARE, PERSON_SHARE = CONTACT_SHARE / 50, CONTACT_SHARE * 1.5

ACTIONS: tuple[Action, ...] = (
    Action(
        "remind",
        "A reminder of a payment that was forgotten. Such customers did not mean to leave, so "
        "twice as many are kept as by other contacts.",
        ("non_malicious",), "email", 2 * SAVE_RATE, MESSAGE_SHARE,
    ),
    Action(
        "repair",
        "A person mends what went wrong and says so. As many are kept as by any contact that "
        "answers the cause.",
        ("fault",), "phone", SAVE_RATE, PERSON_SHARE,
    ),
    Action(
        "counter_offer",
        "An offer against that of a competitor, at the usual cost of an offer.",
        ("competitive",), "letter", SAVE_RATE, CONTACT_SHARE,
    ),
    Action(
        "complaint_desk",
        "A person settles the complaint for which the customer stopped paying.",
        ("retaliatory",), "phone", SAVE_RATE, PERSON_SHARE,
    ),
    Action(
        CAMPAIGN,
        "A message with a small reward, whatever the cause. It answers none in particular, so half "
        "as many are kept, at a fifth of the cost of an offer.",
        KEEPABLE, "email", SAVE_RATE / 2, CONTACT_SHARE / 5,
    ),
)  # fmt: skip


def adjusted(
    save_rate: float = SAVE_RATE,
    costs: dict[str, float] | None = None,
    actions: tuple[Action, ...] = ACTIONS,
) -> tuple[Action, ...]:
    """The actions with every save share in proportion to another save rate, and own costs.

    costs: name of an action -> currency units each. Raises UserError for an unknown name, or a rate
    with which some action would keep more than all.
    """
    costs = costs or {}
    unknown = sorted(set(costs) - {action.name for action in actions})
    if unknown:
        raise UserError(
            f"A cost was given for {', '.join(unknown)}, but the actions are "
            f"{', '.join(action.name for action in actions)}. Use one of these names."
        )
    return tuple(
        replace(
            action,
            save_share=action.save_share * save_rate / SAVE_RATE,
            cost=costs.get(action.name, action.cost),
        )
        for action in actions
    )

"""Who is still there and about to leave, apart from who has left already and who stays.

The chance to buy nothing in a horizon mixes three customers: one who is gone, whom nobody can keep;
one who is there and leaves, who may be kept; one who stays and merely buys seldom. The rhythm of
purchases tells them apart, the full model tells what else is known of the customer.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

from features.columns import Rows, numbers_of
from training.models.pareto_nbd import ParetoNBD
from training.retention import LEAST_STAY

FloatArray = NDArray[np.float64]

# Chances are kept this far from 0 and 1, so that their log odds stay finite.
LEAST_CHANCE = 1e-6


class Whereabouts(NamedTuple):
    """Chances that sum to 1 with the rest, who has left already; each (n,).

    leaves: still there, and leaves within the horizon. stays: still there at its end.
    """

    leaves: FloatArray
    stays: FloatArray


def survival(rows: Rows, pareto: ParetoNBD, days: float) -> FloatArray:
    """P(still there `days` from now | there now), by the rhythm alone, (n,).

    ((beta + T) / (beta + T + days))^s at age T, since the leaving rate of who is alive at T is
    Gamma(s, beta + T): Schmittlein, Morrison, Colombo (1987), Management Science 33(1).
    """
    return np.exp(-pareto.s * np.log1p(days / (pareto.beta + numbers_of(rows, "age"))))


def leaving(
    alive: FloatArray, lasting: FloatArray, rhythm_odds: FloatArray, model_odds: FloatArray
) -> Whereabouts:
    """Where each customer is: what the rhythm says, tilted by what else the full model knows.

    alive: P(there now); lasting: P(there at the end of the horizon | there now), both by the
    rhythm. rhythm_odds, model_odds: log odds of a purchase in the horizon by the rhythm and by the
    full model, (n,), at the same level.

    By the rhythm a customer stays with alive x lasting, leaves with alive x (1 - lasting) and is
    gone with 1 - alive (Schmittlein, Morrison, Colombo, 1987). The log odds of staying are moved by
    as much as the model moves those of a purchase; whoever does not stay has left, or will, in the
    rhythm's own proportion. This split is ours: P(purchase) by the model over P(purchase | stays)
    would be exact, but is all noise for who buys seldom, since it divides by a small chance.
    """
    stays = np.clip(alive * lasting, LEAST_CHANCE, 1.0 - LEAST_CHANCE)
    tilted = expit(logit(stays) + model_odds - rhythm_odds)
    in_time = alive * (1.0 - lasting) / (1.0 - stays)
    return Whereabouts((1.0 - tilted) * np.clip(in_time, 0.0, 1.0), tilted)


def saveable_loss(found: Whereabouts, value: FloatArray) -> FloatArray:
    """Money that goes with who is there and leaves, (n,), in the unit of `value`.

    value: expected, of who stays or not; divided by P(stays) it is what he brings if he stays, and
    not by P(purchase), which explodes for who buys seldom. A loss if kept counts as nothing.
    """
    return (found.leaves * value / found.stays.clip(LEAST_STAY)).clip(min=0.0)

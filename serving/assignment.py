"""One action or none for each customer, so that the sum is worth most within some limits.

A multiple-choice knapsack with few limits. At prices for what is limited every customer chooses
alone, so only the prices are sought: those at which the dual bound is lowest, by cutting planes.
Whoever is undecided at them, a few, is settled exactly within what is left. The bound says how much
better any plan could be. Sources: Kelley (1960), The cutting-plane method for solving convex
programs, J. SIAM 8(4); Kellerer, Pferschy, Pisinger (2004), Knapsack Problems, chapter 11.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, linprog, milp

FloatArray = NDArray[np.float64]

MOST_CUTS = 300  # with six limits some fifty are enough
PRECISION = 1e-9  # of the bound; TIE must still be told
# Customers nearest to another choice that are settled exactly: more only take longer.
UNDECIDED = 1_000
MOST_SECONDS = 5.0  # of that; what is found by then is taken, and the gap says how good it is
# Customers who are alike would all be undecided at once: the last of them counts for so much less.
TIE = 1e-4
NOTHING = -1


@dataclass(frozen=True)
class Assignment:
    """What was chosen.

    choice: index of the option of each customer, NOTHING for none, (n,). prices: what one more unit
    of each limit would be worth, (limits,). value: the sum of what was chosen; bound: no choice has
    a larger one.
    """

    choice: NDArray[np.intp]
    prices: FloatArray
    value: float
    bound: float

    @property
    def gap(self) -> float:
        """How much better the best choice may be, 0 or more."""
        return max(self.bound - self.value, 0.0)


def assign(worth: FloatArray, use: FloatArray, limits: FloatArray) -> Assignment:
    """Choose at most one option of each customer within all limits.

    worth: what an option is worth for a customer, (n, options); 0 or less is never chosen. use:
    what an option takes of each limit, 0 or more, (limits, options). limits: (limits,), infinite
    for none.
    """
    worth = np.where(worth > 0.0, worth, -np.inf)
    free = np.zeros(len(limits))
    choice = at_prices(worth, use, free)
    value = _value(worth, choice)
    if (_used(choice, use) <= limits).all():
        return Assignment(choice, free, value, value)
    binding = np.isfinite(limits)
    distinct = worth * (1.0 - np.linspace(0.0, TIE, len(worth)))[:, None]
    prices = _prices(distinct, use[binding], limits[binding])
    choice = _settled(distinct, use[binding], limits[binding], prices)
    every = free.copy()
    every[binding] = prices
    at_these = at_prices(worth, use[binding], prices)
    slack = limits[binding] - _used(at_these, use[binding])
    bound = _value(worth, at_these) + float(prices @ slack)
    return Assignment(choice, every, _value(worth, choice), bound)


def at_prices(worth: FloatArray, use: FloatArray, prices: FloatArray) -> NDArray[np.intp]:
    """What each customer chooses alone when what is limited has prices; NOTHING below 0."""
    if not worth.size:
        return np.full(len(worth), NOTHING)
    left = worth - prices @ use
    best = left.argmax(axis=1)
    return np.where(left[np.arange(len(best)), best] > 0.0, best, NOTHING)


def _value(worth: FloatArray, choice: NDArray[np.intp]) -> float:
    chosen = np.flatnonzero(choice >= 0)
    return float(worth[chosen, choice[chosen]].sum())


def _used(choice: NDArray[np.intp], use: FloatArray) -> FloatArray:
    return use @ np.bincount(choice[choice >= 0], minlength=use.shape[1]).astype(np.float64)


def _prices(worth: FloatArray, use: FloatArray, limits: FloatArray) -> FloatArray:
    """The prices with the lowest bound found.

    The bound at prices p is p·limits + the sum of what each customer then gains: convex in p, and
    every choice of all customers is a plane below it.
    """
    k = len(limits)
    best, bound = np.zeros(k), np.inf
    slopes: list[FloatArray] = []
    heights: list[float] = []
    prices, most = np.zeros(k), _dearest(worth, use)
    for _ in range(MOST_CUTS):
        choice = at_prices(worth, use, prices)
        value, slope = _value(worth, choice), limits - _used(choice, use)
        if value + prices @ slope < bound:
            best, bound = prices, value + float(prices @ slope)
        slopes.append(slope)
        heights.append(value)
        # Least height of all planes so far: minimise z with z >= value + slope·p.
        found = linprog(
            np.r_[np.zeros(k), 1.0],
            A_ub=np.column_stack([np.array(slopes), np.full(len(slopes), -1.0)]),
            b_ub=-np.array(heights),
            bounds=[*((0.0, top) for top in most), (0.0, None)],
        )
        prices = found.x[:k]
        if bound - found.fun <= PRECISION * max(bound, 1e-9):
            break
    return best


def _dearest(worth: FloatArray, use: FloatArray) -> FloatArray:
    """A price of each limit at which nobody takes anything of it, (limits,)."""
    highest = np.maximum(worth.max(axis=0, initial=0.0), 0.0)
    each = np.divide(highest, use, out=np.zeros(use.shape), where=use > 0)
    return each.max(axis=1, initial=0.0) + 1e-9


def _settled(
    worth: FloatArray, use: FloatArray, limits: FloatArray, prices: FloatArray
) -> NDArray[np.intp]:
    """The choice at these prices, but exact within the limits for those nearest to another one."""
    choice = at_prices(worth, use, prices)
    ordered = np.sort(np.column_stack([worth - prices @ use, np.zeros(len(worth))]), axis=1)
    nearest = np.argsort(ordered[:, -1] - ordered[:, -2], kind="stable")
    count = min(UNDECIDED, len(worth))
    while True:
        undecided, decided = nearest[:count], nearest[count:]
        left = limits - _used(choice[decided], use)
        if (left >= 0.0).all():
            break
        count = min(2 * count, len(worth))
    choice[undecided] = _exact(worth[undecided], use, left)
    return choice


def _exact(worth: FloatArray, use: FloatArray, limits: FloatArray) -> NDArray[np.intp]:
    """The best choice of a few customers, by branch and bound."""
    customer, option = np.nonzero(worth > 0.0)
    choice = np.full(len(worth), NOTHING)
    if not len(customer):
        return choice
    each = sparse.csr_array((np.ones(len(customer)), (customer, np.arange(len(customer)))))
    rules = [LinearConstraint(sparse.csr_array(use[:, option]), ub=limits),
             LinearConstraint(each, ub=1.0)]  # fmt: skip
    found = milp(
        -worth[customer, option], integrality=np.ones(len(customer)), bounds=Bounds(0.0, 1.0),
        constraints=rules, options={"time_limit": MOST_SECONDS, "mip_rel_gap": TIE},
    )  # fmt: skip
    if found.x is not None:
        taken = found.x > 0.5
        choice[customer[taken]] = option[taken]
    return choice

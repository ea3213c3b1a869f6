"""What a forecast is worth in money: rules of whom to contact, on days they had not seen.

Each rule decides at an origin from what was known there; then the leavers of the days after it are
counted. What a leaver would have brought is never seen: he is taken to have been worth what
customers of like forecast brought who stayed. No rule sees that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from training import chance
from training.evaluate import Backtest
from training.metrics import equal_bins
from training.retention import Assumptions, Costs, value_if_retained

FloatArray = NDArray[np.float64]

COLUMNS = (
    "rule", "treated", "cost", "savings", "low", "high", "behind", "behind_low", "behind_high",
    "customers", "origins", "contact_cost", "save_rate",
)  # fmt: skip
THRESHOLDS = np.linspace(0.0, 1.0, 101)  # a point of risk apart, as people state them


@dataclass(frozen=True)
class Cases:
    """The active customers of one origin, each (n,), money in currency units.

    left: 0 or 1. risk, baseline_risk: of leaving. costs: by the forecast value if retained, for
    decisions. true_costs: by what customers of like forecast brought who stayed, for counting.
    """

    customer: NDArray
    left: FloatArray
    risk: FloatArray
    baseline_risk: FloatArray
    costs: Costs
    true_costs: Costs


def measure(tests: Sequence[Backtest], given: Assumptions) -> pd.DataFrame:
    """Every rule on the same customers and origins: COLUMNS, one row per rule.

    treated: share contacted. cost: per customer and origin, currency units. savings: 1 - cost /
    cost of the better of contacting nobody or everybody, with its 95 % interval; NaN when that is
    0, since nobody left. behind: cost of the rule less that of each customer's own threshold.
    Only origins with an earlier one whose outcome was known by then are used, unless none has one;
    then the threshold chosen there is left out. No rows without active customers.
    """
    able = [test for test in tests if _is_usable(test)]
    if not able:
        return pd.DataFrame(columns=list(COLUMNS))
    values = np.concatenate([_value(_active(test)) for test in able])
    given = Assumptions(given.cost_for(values), given.save_rate)
    pairs = [(test, _past(test, able)) for test in able]
    pairs = [(test, past) for test, past in pairs if past is not None] or pairs
    cases = [_cases(test, given) for test, _ in pairs]
    before = [None if past is None else _cases(past, given) for _, past in pairs]
    decided = [_decide(now, past) for now, past in zip(cases, before, strict=True)]
    customer = np.concatenate([now.customer for now in cases])
    treated, cost = {}, {}
    for rule in decided[0]:
        made = [contacted[rule] for contacted in decided]
        treated[rule] = np.concatenate(made)
        cost[rule] = np.concatenate([
            now.true_costs.of_decisions(now.left, contacted)
            for now, contacted in zip(cases, made, strict=True)
        ])  # fmt: skip
    facts = {"customers": len(np.unique(customer)), "origins": len(pairs),
             "contact_cost": given.contact_cost, "save_rate": given.save_rate}  # fmt: skip
    return _table(treated, cost, customer).assign(**facts)[list(COLUMNS)]


def _is_usable(test: Backtest) -> bool:
    return "expected_value" in test.held_out and bool(test.held_out.is_active.any())


def _past(test: Backtest, tests: Sequence[Backtest]) -> Backtest | None:
    """The newest other test whose outcome was known at the origin of this one."""
    known = [other for other in tests if other.origin.matured_at <= test.origin.as_of]
    return max(known, key=lambda other: other.origin.as_of, default=None)


def _active(test: Backtest) -> pd.DataFrame:
    return test.held_out[test.held_out.is_active]


def _value(rows: pd.DataFrame) -> FloatArray:
    chance_to_stay = rows.purchase_probability.to_numpy(dtype=float)
    return value_if_retained(rows.expected_value.to_numpy(dtype=float), chance_to_stay)


def _cases(test: Backtest, given: Assumptions) -> Cases:
    rows = _active(test)
    stayed, value = rows.bought.to_numpy(dtype=float), _value(rows)
    cost = given.cost_for(value)
    return Cases(
        customer=rows.customer_id.to_numpy(),
        left=1.0 - stayed,
        risk=1.0 - rows.purchase_probability.to_numpy(dtype=float),
        baseline_risk=1.0 - rows.baseline_probability.to_numpy(dtype=float),
        costs=Costs.of(value, cost, given.save_rate),
        true_costs=Costs.of(
            _worth(value, stayed, rows.value.to_numpy(dtype=float)), cost, given.save_rate
        ),
    )


def _worth(forecast: FloatArray, stayed: FloatArray, value: FloatArray) -> FloatArray:
    """Mean value of those who stayed in the same tenth of forecasts; the forecast where nobody."""
    which = equal_bins(forecast)
    many = np.bincount(which, stayed)
    seen = chance.ratio(np.bincount(which, stayed * value), many)[which]
    return np.where(np.isfinite(seen), seen, forecast)


def _nobody(now: Cases, past: Cases | None) -> FloatArray:
    return np.zeros(len(now.left))


def _everybody(now: Cases, past: Cases | None) -> FloatArray:
    return np.ones(len(now.left))


def _half(now: Cases, past: Cases | None) -> FloatArray:
    return (now.risk > 0.5).astype(float)


def _best_before(now: Cases, past: Cases | None) -> FloatArray | None:
    """The one threshold that would have cost least at the earlier origin; None without one."""
    if past is None:
        return None
    costs = [past.true_costs.of_decisions(past.left, past.risk > at).sum() for at in THRESHOLDS]
    return (now.risk > THRESHOLDS[int(np.argmin(costs))]).astype(float)


def _own(now: Cases, past: Cases | None) -> FloatArray:
    return (now.risk > now.costs.threshold()).astype(float)


def _by_baseline(now: Cases, past: Cases | None) -> FloatArray:
    """As many contacts as the own thresholds make, by the baseline's risk; ties share alike."""
    _, which, rows = np.unique(-now.baseline_risk, return_inverse=True, return_counts=True)
    before = np.cumsum(rows) - rows
    return np.clip((_own(now, past).sum() - before) / rows, 0.0, 1.0)[which]


def _foresight(now: Cases, past: Cases | None) -> FloatArray:
    """Who leaves and what he is worth are known: no rule can save more."""
    pays = now.true_costs.leaves_contacted < now.true_costs.leaves_missed
    return now.left * pays


OWN = "each customer's own threshold"
RULES: dict[str, Callable[[Cases, Cases | None], FloatArray | None]] = {
    "nobody": _nobody,
    "everybody": _everybody,
    "as many, by the baseline's risk": _by_baseline,
    "risk above 0.5": _half,
    "one threshold, best at an earlier origin": _best_before,
    OWN: _own,
    "if it were known who leaves": _foresight,
}


def _decide(now: Cases, past: Cases | None) -> dict[str, FloatArray]:
    made = {name: rule(now, past) for name, rule in RULES.items()}
    return {name: treated for name, treated in made.items() if treated is not None}


def _table(
    treated: dict[str, FloatArray], cost: dict[str, FloatArray], customer: NDArray
) -> pd.DataFrame:
    drawn = chance.resampled_sums([*cost.values(), np.ones(len(customer))], customer)
    of_rule, rows = dict(zip(cost, drawn.T, strict=False)), drawn[:, -1]
    best = np.minimum(of_rule["nobody"], of_rule["everybody"])
    least = min(cost["nobody"].sum(), cost["everybody"].sum())
    found = []
    for rule, of_each in cost.items():
        low, high = chance.interval(1.0 - chance.ratio(of_rule[rule], best))
        behind_low, behind_high = chance.interval((of_rule[rule] - of_rule[OWN]) / rows)
        found.append((
            rule, treated[rule].mean(), of_each.mean(),
            1.0 - of_each.sum() / least if least > 0 else np.nan, low, high,
            (of_each - cost[OWN]).mean(), behind_low, behind_high,
        ))  # fmt: skip
    return pd.DataFrame(found, columns=list(COLUMNS[:9]))

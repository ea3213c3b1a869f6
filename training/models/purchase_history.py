"""What the buy-till-you-die models know of a customer: how often, how recently, for how long."""

from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from features.errors import UserError

FloatArray = NDArray[np.float64]

# Relative; room for sums of logarithms kept in single precision, far less than a wrong unit.
TOLERANCE = 1e-6


class Outlook(NamedTuple):
    """What a model expects of each customer in a horizon, each (n,).

    alive: P(has not left). chance: P(at least one purchase day). orders: purchase days expected.
    """

    alive: FloatArray
    chance: FloatArray
    orders: FloatArray


@dataclass(frozen=True, eq=False)
class PurchaseHistory:
    """One row per customer with at least one purchase, seen from one as_of.

    Attributes:
        frequency: repeat purchase days, the first day not counted, (n,).
        recency: days from the first to the last purchase day, 0 without a repeat, (n,).
        age: days from the first purchase day to as_of, (n,).
        log_gaps: sum of the natural logarithms of the days between purchases, 0 without a repeat,
            (n,); None where no model asks for regularity.

    Raises:
        UserError: when the arrays differ in length or a row cannot be a purchase history.
    """

    frequency: FloatArray
    recency: FloatArray
    age: FloatArray
    log_gaps: FloatArray | None = None

    def __post_init__(self) -> None:
        for name in ("frequency", "recency", "age", "log_gaps"):
            values = getattr(self, name)
            if values is not None:
                object.__setattr__(self, name, _column(name, values, len(np.atleast_1d(self.age))))
        x, t_x, T = self.frequency, self.recency, self.age
        _refuse((x < 0) | (x != np.round(x)), "a frequency that is no whole number from 0 upward")
        _refuse((t_x < 0) | (t_x > T), "a recency below 0 or above the age")
        _refuse((x > 0) != (t_x > 0), "a repeat purchase without recency, or the reverse")
        if self.log_gaps is not None:
            # By the inequality of the means no gaps of this sum have a larger sum of logarithms.
            most = x * np.log(np.where(x > 0, t_x, 1.0) / np.maximum(x, 1.0))
            _refuse(
                (self.log_gaps > most + TOLERANCE * (1.0 + np.abs(most)))
                | ((x == 0) & (self.log_gaps != 0)),
                "a sum of log gaps that no gaps in days between its purchases can have",
            )

    def __len__(self) -> int:
        return len(self.age)

    def unique(self) -> tuple[Self, FloatArray]:
        """The distinct rows and how many customers share each, ((m,) history, (m,) counts)."""
        columns = self._columns()
        order = np.lexsort(columns)
        changes = np.any([np.diff(column[order]) != 0 for column in columns], axis=0)
        starts = np.concatenate([[0], np.flatnonzero(changes) + 1])
        counts = np.diff(np.append(starts, len(self))).astype(np.float64)
        return self._rows(order[starts]), counts

    def sample(self, most: int, seed: int) -> Self:
        """At most `most` customers, drawn without replacement; the same seed draws the same."""
        if len(self) <= most:
            return self
        rows = np.random.default_rng(seed).choice(len(self), size=most, replace=False)
        return self._rows(np.sort(rows))

    def time_unit(self) -> float:
        """Days that suit as the unit of time: the mean age, 1 where everybody came today."""
        return float(np.mean(self.age)) or 1.0

    def in_units_of(self, days: float) -> Self:
        """The same histories with time counted in units of `days` days."""
        log_gaps = self.log_gaps
        if log_gaps is not None:
            log_gaps = log_gaps - self.frequency * np.log(days)
        return type(self)(self.frequency, self.recency / days, self.age / days, log_gaps)

    def horizon(self, horizon_days: ArrayLike) -> FloatArray:
        """One horizon for each customer in days, (n,), from a scalar or one value each.

        Raises:
            UserError: when it is negative, not finite, or of another length.
        """
        horizon = np.asarray(horizon_days, dtype=np.float64)
        if horizon.shape not in ((), (len(self),)):
            raise UserError(
                f"Horizons of shape {horizon.shape} were given for {len(self)} customers. "
                "Give one number of days, or one for each customer."
            )
        if not np.all(np.isfinite(horizon) & (horizon >= 0)):
            raise UserError(
                "A horizon was negative or not finite. Give a number of days from 0 upward."
            )
        return np.broadcast_to(horizon, (len(self),))

    def _columns(self) -> list[FloatArray]:
        columns = [self.frequency, self.recency, self.age]
        return columns if self.log_gaps is None else [*columns, self.log_gaps]

    def _rows(self, rows: NDArray[np.intp]) -> Self:
        return type(self)(*(column[rows] for column in self._columns()))


def _column(name: str, values: ArrayLike, length: int) -> FloatArray:
    column = np.array(values, dtype=np.float64)
    if column.shape != (length,) or length == 0:
        raise UserError(
            f"The purchase histories have {name} of shape {column.shape} and ages of {length} "
            "customers. Give arrays with one value for each customer, and at least one customer."
        )
    _refuse(~np.isfinite(column), f"a missing or infinite {name}")
    column.flags.writeable = False
    return column


def _refuse(wrong: NDArray[np.bool_], what: str) -> None:
    if np.any(wrong):
        raise UserError(
            f"{int(np.sum(wrong))} of {len(wrong)} purchase histories have {what}, the first in "
            f"row {int(np.argmax(wrong))}. Count purchase days up to as_of, in days from the first."
        )

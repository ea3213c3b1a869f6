"""Feature and Family: many small functions -> one query per family and moment.

A feature is one function of a family. Its name is the column, its docstring the description, its
type comes from the ibis expression it returns. It asks for what it needs by parameter name:

    past    the events of the family's table that had happened and were known
    recent  whether an event lies in the last `days` days
    before  whether an event lies in the `days` days before those
    season  whether an event lies in the `days` days that followed this moment a year ago

and for any parameter its decorator spreads it over, such as `kind`. `past.days_ago` is the age of
an event in days; no function compares times.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

import ibis
import ibis.expr.types as ir

from features import moment
from features.events import TABLES, Events

WINDOWS = (7, 30, 90, 180, 365)  # days: a week, a month, a quarter, half a year, a year

# Feast's DuckDB store drops columns that end so, or uses the names itself.
FORBIDDEN_ENDINGS = ("_y", "_x", "_yyyy")
FORBIDDEN_NAMES = ("entity_row_id", "event_expire_timestamp", "customer_id", "as_of")


@dataclass(frozen=True)
class Feature:
    """One column of the feature store.

    name: the column. about: what it says, with its unit. window: days looked back, None for the
    whole past. arguments: what the function is called with beside the events.
    """

    name: str
    about: str
    window: int | None
    arguments: Mapping[str, object]
    function: Callable[..., ir.Value]

    def expression(self, rows: ir.Table, as_of: datetime) -> ir.Value:
        """The aggregate over the rows of one customer."""
        wanted = inspect.signature(self.function).parameters
        given = dict(self.arguments) | {"past": rows}
        for name in ("recent", "before", "season"):
            if name in wanted:
                given[name] = getattr(moment, name)(rows, as_of, self.window)
        value = self.function(**{name: given[name] for name in wanted})
        return value if value.type().is_string() else value.cast("float64")


class Family:
    """Features that are computed together from one canonical table.

    name: also the name of the Feast view. source: the canonical table. about: one sentence.
    rows: makes of the past events the rows to aggregate, when that is not the events themselves;
    it must keep `customer_id`, `happened_at` and `days_ago`.
    """

    def __init__(
        self,
        name: str,
        source: str,
        about: str,
        rows: Callable[[ir.Table], ir.Table] | None = None,
        features: Iterable[Feature] = (),
    ) -> None:
        self.name, self.source, self.about, self.rows = name, source, about, rows
        self.features: list[Feature] = list(features)

    def feature(
        self, function: Callable[..., ir.Value] | None = None, **spread: Iterable[object]
    ) -> Callable:
        """Add a function as a feature, once for each combination of the spread parameters.

        days: the windows; the column ends in `_<days>d`. Any other parameter is passed to the
        function by name and joined to the column's name.
        """

        def add(function: Callable[..., ir.Value]) -> Callable[..., ir.Value]:
            for values in itertools.product(*spread.values()):
                self._add(function, dict(zip(spread, values, strict=True)))
            return function

        return add if function is None else add(function)

    def with_features(self, more: Iterable[Feature]) -> Family:
        """This family with some features more, for columns that only the data tells."""
        return Family(self.name, self.source, self.about, self.rows, [*self.features, *more])

    def compute(self, events: Events, as_of: datetime) -> ir.Table:
        """One row per customer known at `as_of`: customer_id and every feature.

        A customer without a row in the family's table has what each feature says of no rows.
        """
        everyone = moment.known_customers(events, as_of)
        rows = everyone if self.source == "customers" else self._past_rows(events, as_of)
        grouped = rows.group_by("customer_id").agg(**self._expressions(rows, as_of))
        joined = everyone.select("customer_id").left_join(grouped, "customer_id")
        return joined.select("customer_id", **self._filled(joined))

    def _past_rows(self, events: Events, as_of: datetime) -> ir.Table:
        rows = moment.past(getattr(events, self.source), as_of)
        return self.rows(rows) if self.rows else rows

    def _expressions(self, rows: ir.Table, as_of: datetime) -> dict[str, ir.Value]:
        return {feature.name: feature.expression(rows, as_of) for feature in self.features}

    def _filled(self, joined: ir.Table) -> dict[str, ir.Value]:
        return {
            name: joined[name] if value is None else joined[name].fill_null(value)
            for name, value in self.values_of_nobody.items()
        }

    @cached_property
    def values_of_nobody(self) -> dict[str, float | str | None]:
        """What each feature says of a customer without rows: the aggregate of an empty table."""
        if self.source == "customers":
            return {feature.name: None for feature in self.features}
        empty = ibis.memtable([], schema=TABLES[self.source].schema())
        nobody = Events(**dict.fromkeys(TABLES, empty))
        rows = self._past_rows(nobody, _ANY_MOMENT)
        values = rows.agg(**self._expressions(rows, _ANY_MOMENT)).to_pyarrow().to_pylist()[0]
        return {name: values[name] for name in (feature.name for feature in self.features)}

    def _add(self, function: Callable[..., ir.Value], arguments: dict[str, object]) -> None:
        window = arguments.pop("days", None)
        name = "_".join([function.__name__, *map(str, arguments.values())])
        name += f"_{window}d" if window else ""
        if name.endswith(FORBIDDEN_ENDINGS) or name in FORBIDDEN_NAMES:
            raise ValueError(f"{name!r} cannot name a feature: Feast's join loses such a column.")
        if name in [feature.name for feature in self.features]:
            raise ValueError(f"{name!r} names two features of {self.name}. Rename one of them.")
        about = inspect.getdoc(function).format(days=window, **arguments)  # type: ignore[union-attr]
        self.features.append(Feature(name, about, window, arguments, function))  # type: ignore[arg-type]


_ANY_MOMENT = datetime(2000, 1, 1)

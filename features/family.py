"""Feature and Family: many small functions -> one query per family and moment.

A feature is one function of a family. Its name is the column, its docstring the description, its
type comes from the ibis expression it returns. It asks for what it needs by parameter name:

    past    the events of the family's table that had happened and were known
    recent  whether an event lies in the last `days` days
    before  whether an event lies in the `days` days before those
    season  whether an event lies in the `days` days that followed this moment a year ago
    days    how many days the window has

and for any parameter its decorator spreads it over, such as `kind`. `past.days_ago` is the age of
an event in days; no function compares times.

What is aggregated need not be the events: `rows=` names a function that makes the rows, such as
one row per order, from the past. It may ask for a second table, `population`: what the family's
function of that name says of everybody's past, such as the mean order value. Sums, means and
deviations come from `features.exact`, so that the order of the rows does not matter.
"""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

import ibis
import ibis.expr.types as ir

from features import moment
from features.events import SENSITIVE_KINDS, TABLES, Events

# How personal a feature is. A number of any class is personal data as long as the customer id
# stands beside it: behaviour tells what a customer does with us; sensitive could harm him when
# others learn of it (debts, disputes, life events); profile is what the business wrote of him,
# which may name him.
Privacy = Literal["behaviour", "sensitive", "profile"]

Rows = Callable[..., ir.Table]

WINDOWS = (7, 30, 90, 180, 365)  # days: a week, a month, a quarter, half a year, a year

# Feast's DuckDB store drops columns that end so, or uses the names itself.
FORBIDDEN_ENDINGS = ("_y", "_x", "_yyyy")
FORBIDDEN_NAMES = ("entity_row_id", "event_expire_timestamp", "customer_id", "as_of")


@dataclass(frozen=True)
class Feature:
    """One column of the feature store.

    name: the column. about: what it says, with its unit. window: days looked back, None for the
    whole past. arguments: what the function is called with beside the events. rows: makes of the
    past what is aggregated, when that is not the events themselves. for_models: whether models
    may read it; off for what only rules read, so that a rule can be added without another model.
    """

    name: str
    about: str
    window: int | None
    arguments: Mapping[str, object]
    function: Callable[..., ir.Value]
    rows: Rows | None = None
    privacy: Privacy = "behaviour"
    for_models: bool = True

    def expression(self, rows: ir.Table, as_of: datetime) -> ir.Value:
        """The aggregate over the rows of one customer."""
        wanted = inspect.signature(self.function).parameters
        given = dict(self.arguments) | {"past": rows, "days": self.window}
        for name in ("recent", "before", "season"):
            if name in wanted:
                given[name] = getattr(moment, name)(rows, as_of, self.window)
        value = self.function(**{name: given[name] for name in wanted})
        return value if value.type().is_string() else value.cast("float64")


class Family:
    """Features that are computed together from one canonical table.

    name: also the name of the Feast view. source: the canonical table. about: one sentence.
    rows: makes of the past events the rows to aggregate, for features that name no other; such a
    function must keep `customer_id`, and `happened_at` and `days_ago` where a window is asked for.
    population: makes of everybody's past a small table that the rows may be compared with.
    owner: who in the business answers for what it is made from, and is asked when it looks wrong.
    privacy: how personal its features are; what is counted of SENSITIVE_KINDS is sensitive anyway.
    """

    def __init__(
        self,
        name: str,
        source: str,
        about: str,
        rows: Rows | None = None,
        population: Rows | None = None,
        features: Iterable[Feature] = (),
        owner: str = "",
        privacy: Privacy = "behaviour",
    ) -> None:
        self.name, self.source, self.about = name, source, about
        self.rows, self.population = rows, population
        self.owner, self.privacy = owner, privacy
        self.features: list[Feature] = list(features)

    def feature(
        self,
        function: Callable[..., ir.Value] | None = None,
        rows: Rows | None = None,
        privacy: Privacy | None = None,
        for_models: bool = True,
        **spread: Iterable[object],
    ) -> Callable:
        """Add a function as a feature, once for each combination of the spread parameters.

        rows: what is aggregated; default: the family's rows. privacy: default: the family's.
        for_models: off for what only rules read. days: the windows; the column ends in `_<days>d`.
        Any other parameter is passed to the function by name and joined to the column's name.
        """

        def add(function: Callable[..., ir.Value]) -> Callable[..., ir.Value]:
            for values in itertools.product(*spread.values()):
                given = dict(zip(spread, values, strict=True))
                self._add(function, rows, privacy, for_models, given)
            return function

        return add if function is None else add(function)

    def with_features(self, more: Iterable[Feature]) -> Family:
        """This family with some features more, for columns that only the data tells."""
        return self.of([*self.features, *more])

    def of(self, features: Iterable[Feature]) -> Family:
        """This family with other features."""
        return Family(
            self.name, self.source, self.about, self.rows, self.population, features,
            self.owner, self.privacy,
        )  # fmt: skip

    def compute(
        self,
        events: Events,
        as_of: datetime,
        everyone: ir.Table | None = None,
        population: ir.Table | None = None,
    ) -> ir.Table:
        """One row per customer known at `as_of`: customer_id and every feature.

        A customer without a row in the family's table has what each feature says of no rows.
        everyone, population: these tables when they are at hand already, else they are computed
        from the events.
        """
        known = moment.known_customers(events, as_of) if everyone is None else everyone
        past = known if self.source == "customers" else self._past(events, as_of)
        if population is None:
            population = self.everybody(events, as_of)
        joined = known.select("customer_id")
        for rows, features in self._groups(past, population):
            asked = {feature.name: feature.expression(rows, as_of) for feature in features}
            grouped = rows.group_by("customer_id").agg(**asked)
            joined = joined.left_join(grouped, "customer_id").drop("customer_id_right")
        return joined.select("customer_id", **self._filled(joined))

    def everybody(self, events: Events, as_of: datetime) -> ir.Table | None:
        """What the family's `population` says of everybody's past; None when it asks for none."""
        return self.population(self._past(events, as_of)) if self.population else None

    def _past(self, events: Events, as_of: datetime) -> ir.Table:
        return moment.past(getattr(events, self.source), as_of)

    def _groups(
        self, past: ir.Table, population: ir.Table | None
    ) -> Iterator[tuple[ir.Table, list[Feature]]]:
        """The features by the rows they aggregate, with those rows."""
        made = [feature.rows or self.rows for feature in self.features]
        for rows in dict.fromkeys(made):
            chosen = [f for f, its in zip(self.features, made, strict=True) if its is rows]
            yield _made(rows, past, population), chosen

    def _filled(self, joined: ir.Table) -> dict[str, ir.Value]:
        nobody = self.values_of_nobody
        return {
            name: joined[name] if nobody[name] is None else joined[name].fill_null(nobody[name])
            for name in (feature.name for feature in self.features)
        }

    @cached_property
    def values_of_nobody(self) -> dict[str, float | str | None]:
        """What each feature says of a customer without rows: the aggregate of an empty table."""
        if self.source == "customers":
            return {feature.name: None for feature in self.features}
        empty = ibis.memtable([], schema=TABLES[self.source].schema())
        nobody = Events(**dict.fromkeys(TABLES, empty))
        past, population = self._past(nobody, _ANY_MOMENT), self.everybody(nobody, _ANY_MOMENT)
        values: dict[str, float | str | None] = {}
        for rows, features in self._groups(past, population):
            asked = {feature.name: feature.expression(rows, _ANY_MOMENT) for feature in features}
            values |= rows.agg(**asked).to_pyarrow().to_pylist()[0]
        return values

    def _add(
        self,
        function: Callable[..., ir.Value],
        rows: Rows | None,
        privacy: Privacy | None,
        for_models: bool,
        arguments: dict[str, object],
    ) -> None:
        window = arguments.pop("days", None)
        name = "_".join([function.__name__, *map(str, arguments.values())])
        name += f"_{window}d" if window else ""
        if name.endswith(FORBIDDEN_ENDINGS) or name in FORBIDDEN_NAMES:
            raise ValueError(f"{name!r} cannot name a feature: Feast's join loses such a column.")
        if name in [feature.name for feature in self.features]:
            raise ValueError(f"{name!r} names two features of {self.name}. Rename one of them.")
        about = inspect.getdoc(function).format(days=window, **arguments)  # type: ignore[union-attr]
        known: Privacy = privacy or self.privacy
        known = "sensitive" if arguments.get("kind") in SENSITIVE_KINDS else known
        given = (name, about, window, arguments, function, rows, known, for_models)
        self.features.append(Feature(*given))  # type: ignore[arg-type]


def _made(rows: Rows | None, past: ir.Table, population: ir.Table | None) -> ir.Table:
    if rows is None:
        return past
    asks_for_population = "population" in inspect.signature(rows).parameters
    return rows(past, population) if asks_for_population else rows(past)


_ANY_MOMENT = datetime(2000, 1, 1)

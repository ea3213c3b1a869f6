"""What the events of a business tell by a moment: its sales, its customers, its knowledge.

A function of `Known` answers with figures by key; a figure that cannot be known is not among them,
or None. The window is the last year before the moment, and nothing known later is used.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

import ibis
import ibis.expr.types as ir
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features import backend, exact, lines
from features.events import Events
from features.following import SECONDS_OF_HOUR, seconds_between
from features.moment import past, recent
from serving import cohorts
from training.proof import Proof
from training.tasks import Task

YEAR = 365  # days: every season once
TOP_SHARE = 0.20  # the Pareto rule of item 12: a fifth of the customers ...
MOST_OF_VALUE = 0.80  # ... brings four fifths of the value
LEAST_CHANNEL = 0.01  # of sales: a channel below that is a trial
MONTHS = 12  # whole months whose mean is a figure per month
QUARTER = 3  # months: fewer are no mean


@dataclass(frozen=True)
class Estimate:
    """A figure that was measured on a sample, with its 95 % interval."""

    value: float
    low: float
    high: float

    def times(self, factor: float) -> Estimate:
        """The estimate in another unit; factor above 0."""
        return Estimate(self.value * factor, self.low * factor, self.high * factor)


# A text is the code of the data that is missing, where it is not the one that the list names.
Figure = float | Estimate | str | None
Figures = Mapping[str, Figure]


@dataclass(frozen=True)
class Facts:
    """What is known of a business beside its events.

    scores: one row per customer, as the batch makes them. proof: the tests of the models.
    identified: share of the rows given that name their customer, None when not counted. alerts: one
    row per customer and earlier batch that called his risk high, with `alert_days_ago`; None
    without an earlier batch. scored_days_ago: of those batches. contact_cost: of one contact of a
    campaign, None when not known. margin_rate: margin per unit of money. earlier: the states of
    customers in earlier batches (kpi_standing.earlier_states). written_at: when the scores were.
    freshness: of tables and sources (freshness.freshness).
    """

    scores: pd.DataFrame
    proof: Proof
    identified: float | None = None
    alerts: ir.Table | None = None
    scored_days_ago: Sequence[int] = ()
    contact_cost: float | None = None
    margin_rate: float = 1.0
    earlier: ir.Table | None = None
    written_at: datetime | None = None
    freshness: pd.DataFrame | None = None


@dataclass(frozen=True)
class Known:
    """The events of external customers that had happened and were known at a moment.

    lines, contacts: transactions and interactions as moment.past gives them. churn: the question
    whose active days say when a customer is lost, and whose horizon how long an effect is awaited.
    facts: what no event tells; None at a moment of which only the events are known.
    """

    as_of: datetime
    lines: ir.Table
    contacts: ir.Table
    churn: Task
    facts: Facts | None = None

    @classmethod
    def of(cls, events: Events, as_of: datetime, churn: Task, facts: Facts | None = None) -> Known:
        """What is known at `as_of`."""
        sold, met = _external(events, as_of)
        return cls(as_of, sold, met, churn, facts)

    @classmethod
    def a_year_earlier(cls, events: Events, as_of: datetime, churn: Task) -> Known:
        """What was known a year before `as_of`.

        A table that begins less than a year before that moment is taken as empty: a part of a year
        is nothing to compare with.
        """
        earlier = as_of - timedelta(days=YEAR)
        sold, met = (rows.filter(_reaches_back(rows)) for rows in _external(events, earlier))
        return cls(earlier, sold, met, churn)

    @cached_property
    def days(self) -> ir.Table:
        """The purchase days of cohorts.with_gaps, computed once for the figures that need them."""
        found = backend.connect().to_pyarrow(cohorts.with_gaps(self.lines))
        return ibis.memtable(found)

    def in_year(self, rows: ir.Table) -> ir.BooleanValue:
        """Whether a row lies in the last year."""
        return recent(rows, self.as_of, YEAR)


def trade(known: Known) -> Figures:
    """Figures of what was sold: channels, prices, returns, products."""
    sold, year = known.lines, known.in_year(known.lines)
    purchase, priced = year & lines.is_purchase(sold), sold.discount.notnull()
    got = one(
        sold.agg(
            bought=exact.total(sold.amount, purchase),
            returned=-exact.total(sold.amount, year & lines.is_return(sold)),
            returns=sold.count(where=lines.is_return(sold)),
            priced=exact.total(sold.amount, purchase & priced),
            full_price=exact.total(sold.amount, purchase & priced & (sold.discount <= 0)),
            products=sold.product_id.nunique(where=purchase),
        )
    )
    by_channel = _money_by_channel(sold.filter(purchase))
    return {
        # Where nothing ever came back, returns are more likely not in the data than not there.
        "returns_share": ratio(got["returned"], got["bought"]) if got["returns"] else None,
        "full_price_share": ratio(got["full_price"], got["priced"]),
        "products_sold": got["products"] or None,
        "new_product_share": _new_product_share(known),
        "sales_channels": _used_channels(by_channel),
        "sales_channels_effective": effective_number(by_channel),
    }


def base(known: Known) -> Figures:
    """Figures of the customers who buy: concentration, repeat buying, who was kept and lost."""
    days = known.days
    bought = (
        days.filter(days.days_ago < YEAR).group_by("customer_id").agg(days=lambda row: row.count())
    )
    repeats = one(bought.agg(all=bought.count(), again=bought.count(where=bought.days > 1)))
    months = cohorts.months(days, known.as_of, known.churn.active_days).tail(MONTHS)
    return {
        "repeat_purchase_rate": ratio(repeats["again"], repeats["all"]),
        **_concentration(known),
        **cohorts.last_quarter(days, known.as_of, known.churn.active_days),
        "customers_won": _a_month(months.new, known),
        "customers_back": _a_month(months.returned, known),
        "churn_velocity": _a_month(months.lost, known),
    }


def knowledge(known: Known) -> Figures:
    """How soon the business knows: the delay of its sources and the age of its newest event."""
    of_sales, of_contacts = (_delay(known, rows) for rows in (known.lines, known.contacts))
    newest = max((got["newest"] for got in (of_sales, of_contacts) if got["newest"]), default=None)
    return {
        "feedback_hours_sales": of_sales["hours"],
        "feedback_hours_contacts": of_contacts["hours"],
        "data_age_hours": _hours_since(newest, known),
        "data_age_hours_sales": _hours_since(of_sales["newest"], known),
        "data_age_hours_contacts": _hours_since(of_contacts["newest"], known),
    }


def one(row: ir.Table) -> dict[str, Any]:
    """The only row of an aggregate: numbers as floats; None for null and for what is no number."""
    values = backend.connect().to_pyarrow(row).to_pylist()[0]
    return {
        name: value if value is None or isinstance(value, datetime) else finite(value)
        for name, value in values.items()
    }


def finite(value: Any) -> float | None:
    """The number as a float; None for one that is missing or infinite."""
    return float(value) if value is not None and np.isfinite(float(value)) else None


def ratio(part: float | None, whole: float | None) -> float | None:
    """Part by whole; None without a whole."""
    return part / whole if part is not None and whole else None


def effective_number(weights: NDArray[np.float64]) -> float | None:
    """How many equal shares would spread as wide, exp(-sum p ln p); None without any.

    Source: Hill (1973), Ecology 54(2), the diversity number of order 1.
    """
    share = weights[weights > 0] / weights[weights > 0].sum()
    return float(np.exp(-(share * np.log(share)).sum())) if len(share) else None


def _money_by_channel(rows: ir.Table) -> NDArray[np.float64]:
    given = rows.filter(rows.channel.notnull())
    found = given.group_by("channel").agg(money=exact.total(given.amount)).order_by("channel")
    return np.asarray(backend.connect().to_pyarrow(found)["money"], dtype=np.float64)


def _used_channels(money: NDArray[np.float64]) -> float | None:
    return float((money >= LEAST_CHANNEL * money.sum()).sum()) if len(money) else None


def _new_product_share(known: Known) -> float | None:
    """Share of the year's money with products first sold in it; None without a year before."""
    bought = lines.bought(known.lines).filter(lambda line: line.product_id.notnull())
    products = bought.group_by("product_id").agg(
        first=bought.days_ago.max(), money=exact.total(bought.amount, known.in_year(bought))
    )
    got = one(
        products.agg(
            history=products["first"].max(),
            money=products.money.sum(),
            new=products.money.sum(where=products["first"] < YEAR),
        )
    )
    is_long = got["history"] is not None and got["history"] >= 2 * YEAR
    return ratio(got["new"] or 0.0, got["money"]) if is_long else None


def _a_month(months: pd.Series, known: Known) -> float | None:
    """Mean of the months that are known: a quarter at least, and all to compare a year with."""
    least = QUARTER if known.facts else MONTHS
    return finite(months.mean()) if months.count() >= least else None


def _concentration(known: Known) -> Figures:
    """How the year's money, net of returns, lies on the customers who bought in it (item 12)."""
    sold = known.lines.filter(known.in_year)
    found = sold.group_by("customer_id").agg(
        money=exact.total(sold.amount), purchases=sold.count(where=lines.is_purchase(sold))
    )
    buyers = backend.connect().to_pyarrow(found.filter(found.purchases > 0))
    value = np.sort(np.asarray(buyers["money"], dtype=np.float64).clip(min=0.0))[::-1]
    if not value.sum() > 0:
        return {}
    reached = np.cumsum(value) / value.sum()
    top = int(np.ceil(TOP_SHARE * len(value)))
    enough = int(np.searchsorted(reached, MOST_OF_VALUE)) + 1
    return {"top20_share": float(reached[top - 1]), "share_for_80": enough / len(value)}


def _delay(known: Known, rows: ir.Table) -> dict[str, Any]:
    """The newest known_at, and the median hours from an event of the year until we knew of it.

    A source that does not tell when a row became known has the same two times in every row: where
    no row was late, the hours are None.
    """
    delay = seconds_between(rows.happened_at, rows.known_at)
    year = known.in_year(rows)
    got = one(
        rows.agg(
            newest=rows.known_at.max(),
            late=rows.count(where=delay > 0),
            seconds=delay.median(where=year),
        )
    )
    hours = ratio(got["seconds"], SECONDS_OF_HOUR) if got["late"] else None
    return {"newest": got["newest"], "hours": hours}


def _hours_since(newest: datetime | None, known: Known) -> float | None:
    return None if newest is None else (known.as_of - newest).total_seconds() / SECONDS_OF_HOUR


def _external(events: Events, as_of: datetime) -> tuple[ir.Table, ir.Table]:
    sold, met = (past(table, as_of) for table in (events.transactions, events.interactions))
    return cohorts.external(sold, events), cohorts.external(met, events)


def _reaches_back(rows: ir.Table) -> bool:
    return (one(rows.agg(days=rows.days_ago.max()))["days"] or 0) >= YEAR

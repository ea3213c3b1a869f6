"""What each channel of contact and of purchase is able to do: one row per channel, compared.

Source: item 18 of the customer-relationship theory, whose table of the channels' capability is
missing from its text; the columns are those that the field measures channels by.
"""

from __future__ import annotations

from datetime import datetime

import ibis.expr.types as ir
import numpy as np
import pandas as pd

from features import backend, exact, lines
from features.contact import ANSWER_DAYS, our_contacts
from features.direction import is_control, is_inbound, is_outbound
from features.events import PAYMENT_KINDS, Events
from features.following import SECONDS_OF_DAY, SECONDS_OF_HOUR, next_time, seconds_between
from features.satisfaction import AFTER_DAYS
from serving.kpi_events import YEAR, Known
from training.tasks import CHURN, Task

COLUMNS = (
    "side", "channel", "volume", "share", "response_rate", "response_hours", "resolution_share",
    "complaint_share", "survey_mean", "customers", "bought_after", "churn_odds_ratio",
)  # fmt: skip
_CASE = ("customer_id", "case_id")
# Added to each of the four counts, so that no odds are divided by none.
# Source: Haldane (1956), Annals of Human Genetics 20(4).
_HALF = 0.5


def channels(events: Events, as_of: datetime, churn: Task = CHURN) -> pd.DataFrame:
    """One row per side (contact, purchase) and channel used in the last year, most used first.

    - volume: contacts, or orders; share: of its side, 0 to 1
    - response_rate: share of our contacts after which the customer came within a week, 0 to 1
    - response_hours: median from a customer's contact about a case to our next in it
    - resolution_share: of the complaints about a case that came in here, resolved so far, 0 to 1
    - complaint_share: complaints among what came in from customers, 0 to 1
    - survey_mean: mean answer within 14 days after a contact or order here, in its own scale
    - customers: the active customers of one churn horizon ago who had used it in the year before;
      bought_after: share of them that bought in the horizon, 0 to 1; churn_odds_ratio: their odds
      to leave by those of the other active customers, a ratio: it goes along, it need not cause

    Null where the data cannot tell; no rows without channels.
    """
    known = Known.of(events, as_of, churn)
    parts = [_contact_side(known), _purchase_side(known)]
    table = pd.concat(parts, ignore_index=True).reindex(columns=list(COLUMNS))
    numbers = list(COLUMNS[2:])
    return table.astype(dict.fromkeys(numbers, "float64"))


def _contact_side(known: Known) -> pd.DataFrame:
    met = known.contacts.filter(known.contacts.channel.notnull(), ~is_control(known.contacts))
    year = met.filter(known.in_year)
    volume = year.group_by("channel").agg(
        volume=year.count(),
        came=year.count(where=is_inbound(year)),
        complained=year.count(where=year.kind == "complaint"),
    )
    table = _frame(volume)
    table["complaint_share"] = _by(table.complained, table.came)
    touches = year.filter(year.kind != "survey")
    for rows in (_answers_to_us(known), _our_service(known), _surveys_after(known, touches)):
        table = table.merge(_frame(rows), on="channel", how="left")
    return _finished(table, "contact", known, met)


def _purchase_side(known: Known) -> pd.DataFrame:
    bought = lines.bought(known.lines)
    bought = bought.filter(bought.channel.notnull())
    orders = bought.group_by("customer_id", "channel", order=lines.order(bought)).agg(
        happened_at=bought.happened_at.min(), days_ago=bought.days_ago.max()
    )
    year = orders.filter(known.in_year)
    table = _frame(year.group_by("channel").agg(volume=year.count()))
    table = table.merge(_frame(_surveys_after(known, year)), on="channel", how="left")
    return _finished(table, "purchase", known, bought)


def _finished(table: pd.DataFrame, side: str, known: Known, used: ir.Table) -> pd.DataFrame:
    table["share"] = _by(table.volume, pd.Series(table.volume.sum(), table.index))
    table = table.merge(_after(known, used), on="channel", how="left")
    table.insert(0, "side", side)
    return table.sort_values(["volume", "channel"], ascending=[False, True])


def _answers_to_us(known: Known) -> ir.Table:
    ours = our_contacts(known.contacts.filter(known.in_year))
    # Those of the last week are left out: their time to be answered is not over.
    asked = ours.filter(ours.days_ago >= ANSWER_DAYS, ours.channel.notnull())
    return asked.group_by("channel").agg(
        response_rate=asked.count(where=asked.is_answered) / asked.count()
    )


def _our_service(known: Known) -> ir.Table:
    """By the channel through which the customer came about a case."""
    about = known.contacts.filter(known.in_year).filter(
        lambda row: row.case_id.notnull() & ~row.kind.isin(PAYMENT_KINDS)
    )
    events = about.mutate(
        answered_at=next_time(about, is_outbound(about), *_CASE),
        resolved_at=next_time(about, about.kind == "complaint_resolved", *_CASE),
    )
    came = events.filter(is_inbound(events), events.channel.notnull())
    hours = seconds_between(came.happened_at, came.answered_at) / SECONDS_OF_HOUR
    complained = came.kind == "complaint"
    return came.group_by("channel").agg(
        response_hours=hours.median(),
        resolution_share=came.count(where=complained & came.resolved_at.notnull())
        / came.count(where=complained).nullif(0),
    )


def _surveys_after(known: Known, touches: ir.Table) -> ir.Table:
    answers = known.contacts.filter(known.in_year).filter(
        lambda row: (row.kind == "survey") & row.value.notnull()
    )
    answers = answers.select("customer_id", "value", answered_at=answers.happened_at)
    pairs = touches.select("customer_id", "channel", "happened_at").join(answers, "customer_id")
    waited = seconds_between(pairs.happened_at, pairs.answered_at)
    about = pairs.filter((waited >= 0) & (waited <= AFTER_DAYS * SECONDS_OF_DAY))
    # One answer counts once for a channel, however often it was used before.
    once = about.select("customer_id", "channel", "answered_at", "value").distinct()
    return once.group_by("channel").agg(survey_mean=exact.mean(once.value))


def _after(known: Known, used: ir.Table) -> pd.DataFrame:
    """What became in the horizon until now of the customers who were active before it."""
    horizon, active_days = known.churn.horizon_days, known.churn.active_days
    days = lines.purchase_days(known.lines)
    buyers = days.group_by("customer_id").agg(
        was_active=((days.days_ago >= horizon) & (days.days_ago < horizon + active_days)).any(),
        stayed=(days.days_ago < horizon).any().cast("int64"),
    )
    active = buyers.filter(buyers.was_active)
    users = used.filter(used.days_ago >= horizon, used.days_ago < horizon + YEAR)
    each = users.select("customer_id", "channel").distinct().join(active, "customer_id")
    found = _frame(each.group_by("channel").agg(customers=each.count(), stayed=each.stayed.sum()))
    everyone = _frame(active.agg(customers=active.count(), stayed=active.stayed.sum())).iloc[0]
    stayed = found.stayed.astype("float64")
    left = found.customers - stayed
    others_stayed = everyone.stayed - stayed
    others_left = (everyone.customers - everyone.stayed) - left
    odds = (left + _HALF) * (others_stayed + _HALF) / ((stayed + _HALF) * (others_left + _HALF))
    has_others = (others_stayed + others_left) > 0
    return found[["channel", "customers"]].assign(
        bought_after=_by(stayed, found.customers), churn_odds_ratio=odds.where(has_others)
    )


def _by(part: pd.Series, whole: pd.Series) -> pd.Series:
    return part.astype("float64") / whole.astype("float64").replace(0.0, np.nan)


def _frame(rows: ir.Table) -> pd.DataFrame:
    return backend.connect().to_pyarrow(rows).to_pandas()

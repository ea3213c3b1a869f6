"""Through which channels a customer buys: how many, the main one, and whether that changes."""

import ibis
import ibis.expr.types as ir

from features import exact, lines, shares
from features.family import Family

LATELY = 90  # days: long enough for most to have bought, short enough to be news


def channels(past: ir.Table) -> ir.Table:
    """One row per customer and channel bought through: money, first purchase, `last_days_ago`.

    shift: the change of the channel's share of money from before to lately, null without purchases
    in one of the two. is_main: the channel with the most money, of equals the first by name.
    """
    bought = lines.bought(past).filter(past.channel.notnull())
    used = bought.group_by("customer_id", "channel").agg(
        spend=exact.fixed(bought.amount.sum()),
        late=exact.fixed(bought.amount.sum(where=bought.days_ago < LATELY).fill_null(0)),
        days_ago=bought.days_ago.max(),
        last_days_ago=bought.days_ago.min(),
    )
    place = ibis.row_number().over(group_by="customer_id", order_by=[ibis.desc("spend"), "channel"])
    shift = _share(used.late) - _share(used.spend - used.late)
    return used.mutate(shift=exact.fine(shift), is_main=place == 0)


def _share(money: ir.DecimalValue) -> ir.FloatingValue:
    """A channel's share of its customer's money; null when that is 0."""
    whole = money.sum().over(ibis.window(group_by="customer_id")).cast("float64")
    return money.cast("float64") / whole.nullif(0.0)


purchase_channels = Family(
    "purchase_channels",
    source="transactions",
    about="Channels of purchase: how many, the main one, what is new and what has changed.",
    owner="sales",
    rows=channels,
)


@purchase_channels.feature
def purchase_channels_effective(past: ir.Table) -> ir.Value:
    """Effective number of channels, exp of the entropy of their shares of money, a count."""
    return shares.effective_number(past.spend)


@purchase_channels.feature
def main_purchase_channel(past: ir.Table) -> ir.Value:
    """Name of the channel with most of the money, of equals the first by name; null without."""
    return past.channel.max(where=past.is_main)


@purchase_channels.feature
def main_purchase_channel_share(past: ir.Table) -> ir.Value:
    """Share of money spent through the main channel, 0 to 1; null without one."""
    return shares.top_share(past.spend)


@purchase_channels.feature
def days_since_main_purchase_channel(past: ir.Table) -> ir.Value:
    """Days since the last purchase through the main channel; null without one."""
    return past.last_days_ago.min(where=past.is_main)


@purchase_channels.feature
def days_since_new_purchase_channel(past: ir.Table) -> ir.Value:
    """Days since a channel was bought through for the first time; null without one."""
    return past.days_ago.min()


@purchase_channels.feature
def purchase_channel_shift(past: ir.Table) -> ir.Value:
    """Share of money that changed channels in the last 90 days, 0 to 1; null without two times."""
    return past.shift.abs().sum().cast("float64") / 2

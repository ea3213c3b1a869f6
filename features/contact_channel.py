"""Through which channels a customer and we meet, which one he uses most and which he answers."""

import ibis
import ibis.expr.types as ir

from features import exact
from features.contact import our_contacts
from features.direction import NON_PERSONAL_CHANNELS, PERSONAL_CHANNELS, is_control
from features.family import Family


def channels(past: ir.Table) -> ir.Table:
    """One row per customer and channel: contacts through it, and its last use.

    days_ago: days since that last use. contacts_log: n ln n of the contacts. place: 1 for the
    channel with the most contacts, of equals the first by name.
    """
    met = past.filter(past.channel.notnull(), ~is_control(past))
    used = met.group_by("customer_id", "channel").agg(
        contacts=met.count(), days_ago=met.days_ago.min()
    )
    return used.mutate(
        contacts_log=exact.fixed(used.contacts * used.contacts.ln()),
        place=_place(used, ibis.desc(used.contacts)),
    )


def answered_channels(past: ir.Table) -> ir.Table:
    """One row per customer and channel of a contact from us that he answered within a week.

    place: 1 for the channel with the largest share of answers, of equals the first by name. One
    contact without an answer is added to each, so that one lucky answer is no certainty.
    """
    ours = our_contacts(past)
    asked = ours.filter(ours.channel.notnull()).group_by("customer_id", "channel")
    rates = asked.agg(rate=lambda rows: rows.is_answered.sum() / (rows.count() + 1))
    answered = rates.filter(rates.rate > 0)
    return answered.mutate(place=_place(answered, ibis.desc(answered.rate)))


def _place(rows: ir.Table, order: ir.Value) -> ir.IntegerValue:
    """1 for the first of a customer's channels in an order; equal ones go by name."""
    window = ibis.window(group_by=rows.customer_id, order_by=[order, rows.channel])
    return ibis.row_number().over(window) + 1


contact_channel = Family(
    "contact_channel",
    source="interactions",
    about="Channels of contact: how many, the shares, the main one and the one answered most.",
    owner="marketing",
    rows=channels,
)


@contact_channel.feature
def contact_channels(past: ir.Table) -> ir.Value:
    """Distinct channels of interactions so far, a count."""
    return past.count()


@contact_channel.feature
def contact_channels_effective(past: ir.Table) -> ir.Value:
    """Effective number of channels, exp of the entropy of their shares, a count."""
    contacts = past.contacts.sum()
    entropy = contacts.ln() - past.contacts_log.sum().cast("float64") / contacts
    return entropy.exp()


@contact_channel.feature
def main_contact_channel(past: ir.Table) -> ir.Value:
    """Name of the channel with the most contacts, of equals the first by name; null without."""
    return past.channel.max(where=past.place == 1)


@contact_channel.feature(rows=answered_channels)
def preferred_contact_channel(past: ir.Table) -> ir.Value:
    """Name of the channel whose contacts from us were answered most; null without answers."""
    return past.channel.max(where=past.place == 1)


@contact_channel.feature
def personal_channel_share(past: ir.Table) -> ir.Value:
    """Share of contacts face to face or by letter, email, website or phone, 0 to 1."""
    return _share(past, past.channel.isin(PERSONAL_CHANNELS))


@contact_channel.feature
def nonpersonal_channel_share(past: ir.Table) -> ir.Value:
    """Share of contacts by media, surroundings or events, 0 to 1."""
    return _share(past, past.channel.isin(NON_PERSONAL_CHANNELS))


@contact_channel.feature(channel=PERSONAL_CHANNELS)
def contact_share(past: ir.Table, channel: str) -> ir.Value:
    """Share of contacts through the channel {channel}, 0 to 1."""
    return _share(past, past.channel == channel)


@contact_channel.feature(channel=PERSONAL_CHANNELS)
def days_since_contact_by(past: ir.Table, channel: str) -> ir.Value:
    """Days since the last contact through the channel {channel}; null without one."""
    return past.days_ago.min(where=past.channel == channel)


def _share(past: ir.Table, chosen: ir.BooleanValue) -> ir.Value:
    return past.contacts.sum(where=chosen).fill_null(0) / past.contacts.sum()

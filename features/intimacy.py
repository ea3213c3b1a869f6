"""How close a customer and we are: days known, channels used, personal contacts (PRODUCT 6)."""

import ibis.expr.types as ir

from features import exact
from features.contact_channel import channels
from features.direction import PERSONAL_CHANNELS
from features.family import Family

PARTS = ("days_known", "channels_used", "personal_share")


def parts_of_everybody(past: ir.Table) -> ir.Table:
    """One row: the mean and the deviation of each part over all customers."""
    known = _parts(past)
    return known.agg(
        **{f"{part}_mean": exact.mean(known[part]) for part in PARTS},
        **{f"{part}_deviation": exact.deviation(known[part]) for part in PARTS},
    )


def standings(past: ir.Table, population: ir.Table) -> ir.Table:
    """One row per customer: each part as deviations above everybody's mean, 0 where unknown."""
    known = _parts(past).cross_join(population)
    above = {
        part: (known[part].cast("float64") - known[f"{part}_mean"])
        / known[f"{part}_deviation"].nullif(0.0)
        for part in PARTS
    }
    return known.select("customer_id", **{part: z.fill_null(0.0) for part, z in above.items()})


def _parts(past: ir.Table) -> ir.Table:
    """One row per customer: days known, channels used, share of personal contacts."""
    met = channels(past)
    personal = met.contacts.sum(where=met.channel.isin(PERSONAL_CHANNELS)).fill_null(0)
    breadth = met.group_by("customer_id").agg(
        channels_used=met.count(), personal_share=exact.fixed(personal / met.contacts.sum())
    )
    known = past.group_by("customer_id").agg(days_known=past.days_ago.max())
    return known.left_join(breadth, "customer_id").drop("customer_id_right")


intimacy = Family(
    "intimacy",
    source="interactions",
    about="How close a customer and we are, beside everybody else.",
    owner="marketing",
    rows=standings,
    population=parts_of_everybody,
)


@intimacy.feature
def closeness(past: ir.Table) -> ir.Value:
    """Mean standing in days known, channels used and personal share, in deviations, a ratio."""
    return sum(past[part].max() for part in PARTS) / len(PARTS)

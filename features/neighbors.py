"""What became of others who last bought the same: co-purchase, learnt from what has matured.

We step back by 90 days, look at each customer's last purchase day of then, and see who bought in
the 90 days since and for how much. Each product of such a day gets its rate and its money. Today a
customer has the mean over the products of his last purchase day. No purchase is newer than the
moment we stand at, so no label of a later question is in it.
"""

import ibis
import ibis.expr.types as ir

from features import exact, lines
from features.family import Family

MATURED = 90  # days: the usual horizon of the question whether somebody buys again
# A product's only buyer may be the customer himself.
LEAST_BUYERS = 2
# All products together weigh as much as this many buyers of one: the variance of the outcome within
# products over that of their rates, which is 61, 53 and 16 on Online Retail II as of 2010-09,
# 2011-03 and 2011-09.
PRIOR_BUYERS = 40


def last_products(bought: ir.Table) -> ir.Table:
    """One row per customer and product of his last purchase day."""
    lasts = bought.group_by("customer_id").agg(days_ago=bought.days_ago.min())
    of_last_day = bought.semi_join(lasts, ["customer_id", "days_ago"])
    named = of_last_day.filter(of_last_day.product_id.notnull())
    return named.select("customer_id", "product_id").distinct()


def outcomes_by_product(past: ir.Table) -> ir.Table:
    """One row per product: what its last buyers of 90 days ago have done since.

    buyers: how many. rate: the share of them who bought again. value: the mean money of that. Both
    are shrunk to all products' the fewer the buyers are.
    """
    bought = lines.bought(past)
    then = last_products(bought.filter(bought.days_ago >= MATURED))
    since = bought.filter(bought.days_ago < MATURED).group_by("customer_id")
    outcomes = then.left_join(since.agg(money=lambda rows: rows.amount.sum()), "customer_id")
    each = outcomes.group_by("product_id").agg(
        buyers=outcomes.count(),
        returned=outcomes.money.count(),
        money=outcomes.money.sum().fill_null(0),
    )
    shrunk = each.mutate(
        rate=exact.fine(_shrunk(each.returned, each.buyers)),
        value=exact.fixed(_shrunk(each.money, each.buyers)),
    )
    return shrunk.filter(shrunk.buyers >= LEAST_BUYERS).drop("returned", "money")


def _shrunk(what: ir.NumericValue, buyers: ir.IntegerValue) -> ir.FloatingValue:
    """What comes to each buyer of a product, shrunk to what comes to each of all products."""
    everything = ibis.window()
    usual = what.sum().over(everything).cast("float64") / buyers.sum().over(everything)
    return (what.cast("float64") + PRIOR_BUYERS * usual) / (buyers + PRIOR_BUYERS)


def last_products_with_outcomes(past: ir.Table, population: ir.Table) -> ir.Table:
    """One row per customer and product of his last purchase day, with its others' outcomes."""
    return last_products(lines.bought(past)).inner_join(population, "product_id")


neighbors = Family(
    "neighbors",
    source="transactions",
    about="What others did in the 90 days after they last bought the same products.",
    owner="sales",
    rows=last_products_with_outcomes,
    population=outcomes_by_product,
)


@neighbors.feature
def neighbor_rate(past: ir.Table) -> ir.Value:
    """Share of the last buyers of the same products who then bought within 90 days, 0 to 1."""
    return exact.mean(past.rate)


@neighbors.feature
def neighbor_rate_min(past: ir.Table) -> ir.Value:
    """Smallest such share among the products of the last purchase day, 0 to 1."""
    return past.rate.min()


@neighbors.feature
def neighbor_value(past: ir.Table) -> ir.Value:
    """Mean money the last buyers of the same products spent within 90 days, currency units."""
    return exact.mean(past.value)


@neighbors.feature
def neighbor_support(past: ir.Table) -> ir.Value:
    """Last buyers of the same products that these shares are learnt from, a count."""
    return exact.total(past.buyers)

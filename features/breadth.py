"""How wide a customer buys: products and categories, how evenly, and how unlike everybody else."""

import ibis
import ibis.expr.types as ir

from features import exact, lines, shares
from features.family import Family

NEWNESS_WINDOWS = (90, 365)


def products(past: ir.Table) -> ir.Table:
    """One row per customer and product bought: money, first purchase and `last_days_ago`."""
    return _things(past, past.product_id)


def categories(past: ir.Table, population: ir.Table) -> ir.Table:
    """One row per customer and category bought: money, first purchase, everybody's share.

    usual: the category's share of everybody's money. divergence: what it adds to the distance of
    the customer's mix from everybody's.
    """
    bought = _things(past, past.category)
    compared = bought.left_join(population, "thing").drop("thing_right")
    spent = bought.spend.sum().over(ibis.window(group_by="customer_id"))
    usual = compared.usual.fill_null(0)
    share = compared.spend.cast("float64") / spent.cast("float64")
    return compared.mutate(usual=usual, divergence=shares.divergence(share, usual.cast("float64")))


def everybodys_mix(past: ir.Table) -> ir.Table:
    """One row per category: its share of the money of all customers, as `usual`."""
    bought = lines.bought(past).filter(past.category.notnull())
    each = bought.group_by(thing="category").agg(spend=bought.amount.sum())
    spent = each.spend.sum().over(ibis.window())
    share = each.spend.cast("float64") / spent.cast("float64")
    return each.select("thing", usual=exact.fine(share))


def _things(past: ir.Table, thing: ir.StringValue) -> ir.Table:
    bought = lines.bought(past.mutate(thing=thing).filter(thing.notnull()))
    return bought.group_by("customer_id", "thing").agg(
        spend=exact.fixed(bought.amount.sum()),
        happened_at=bought.happened_at.min(),
        days_ago=bought.days_ago.max(),
        last_days_ago=bought.days_ago.min(),
    )


breadth = Family(
    "breadth",
    source="transactions",
    about="Spread of a customer's money over products and categories, what is new, and need.",
    owner="sales",
    population=everybodys_mix,
)


@breadth.feature(rows=products)
def products_effective(past: ir.Table) -> ir.Value:
    """Effective number of products, exp of the entropy of their shares of money, a count."""
    return shares.effective_number(past.spend)


@breadth.feature(rows=products)
def top_product_share(past: ir.Table) -> ir.Value:
    """Share of money that went to the product with most of it, 0 to 1; null without one."""
    return shares.top_share(past.spend)


@breadth.feature(rows=products)
def repeated_product_share(past: ir.Table) -> ir.Value:
    """Share of products bought on two days or more, 0 to 1; null without one."""
    return past.count(where=past.days_ago > past.last_days_ago) / past.count().nullif(0)


@breadth.feature(rows=products, days=NEWNESS_WINDOWS)
def new_products(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Products first bought in the last {days} days, a count."""
    return past.count(where=recent)


@breadth.feature(rows=products)
def days_since_new_product(past: ir.Table) -> ir.Value:
    """Days since a product was bought for the first time; null without one."""
    return past.days_ago.min()


@breadth.feature(rows=categories)
def categories_total(past: ir.Table) -> ir.Value:
    """Distinct categories bought so far, a count."""
    return past.count()


@breadth.feature(rows=categories)
def categories_effective(past: ir.Table) -> ir.Value:
    """Effective number of categories, exp of the entropy of their shares of money, a count."""
    return shares.effective_number(past.spend)


@breadth.feature(rows=categories)
def top_category_share(past: ir.Table) -> ir.Value:
    """Share of money that went to the category with most of it, 0 to 1; null without one."""
    return shares.top_share(past.spend)


@breadth.feature(rows=categories, days=NEWNESS_WINDOWS)
def new_categories(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Categories first bought in the last {days} days, a count."""
    return past.count(where=recent)


@breadth.feature(rows=categories)
def unbought_share(past: ir.Table) -> ir.Value:
    """Share of everybody's money that goes to categories the customer never bought, 0 to 1."""
    return 1.0 - past.usual.sum().cast("float64")


@breadth.feature(rows=categories)
def need_distance(past: ir.Table) -> ir.Value:
    """Distance of the own mix of categories from everybody's, Jensen-Shannon, 0 to 1."""
    return shares.distance(past.divergence, past.usual)

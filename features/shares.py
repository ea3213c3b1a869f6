"""How money spreads over things: the largest share, the effective number, the distance of mixes.

The expressions aggregate one row per customer and thing, with its money as a decimal above 0.
"""

from math import log

import ibis
import ibis.expr.types as ir

from features import exact

PLACES = 8  # logs are added with nine


def top_share(spend: ir.DecimalValue) -> ir.Value:
    """The share of the largest, 0 to 1; null without any."""
    return spend.max().cast("float64") / spend.sum().cast("float64")


def effective_number(spend: ir.DecimalValue) -> ir.Value:
    """How many equal shares would spread as wide, exp(-sum p ln p); null without any.

    With p = s / S that sum is (sum of s ln s) / S - ln S, so that no row needs its share.
    Source: Hill (1973), Ecology 54(2), the diversity number of order 1.
    """
    total = spend.sum().cast("float64")
    weighted = exact.product(spend, exact.log(spend)).sum().cast("float64")
    return (total.ln() - weighted / total).exp().round(PLACES)


def divergence(share: ir.FloatingValue, usual: ir.FloatingValue) -> ir.DecimalValue:
    """What one thing adds to twice the Jensen-Shannon divergence of two mixes, in logs.

    share: in the first mix, above 0. usual: in the second mix.
    """
    both = share + usual
    of_usual = ibis.ifelse(usual > 0, usual * (2 * usual.nullif(0.0) / both).ln(), 0.0)
    return exact.fine(share * (2 * share / both).ln() + of_usual)


def distance(divergence: ir.DecimalValue, usual: ir.DecimalValue) -> ir.Value:
    """The Jensen-Shannon divergence of two mixes, 0 (equal) to 1 (nothing in common).

    divergence, usual: of the things in the first mix. A thing that is missing there has only its
    usual share q, and adds q ln 2.
    Source: Lin (1991), IEEE Transactions on Information Theory 37(1).
    """
    missing = 1.0 - usual.sum().cast("float64")
    return ((divergence.sum().cast("float64") / log(2) + missing) / 2).round(PLACES)

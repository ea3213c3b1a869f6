"""Sums that do not depend on the order of their rows.

A sum of floats changes in its last digits with the order in which an engine happens to add, so the
same snapshot computed twice would differ. Here numbers are added as fixed-point decimals, which
are exact: the same bytes on every run, with any number of threads or files, and on every engine.
"""

from __future__ import annotations

import ibis
import ibis.expr.types as ir

# Six places: a millionth of a currency unit. Eighteen digits fit into 64 bits, so that adding
# decimals costs no more than adding floats; twelve are left before the point.
FIXED = "decimal(18, 6)"
# What one row may hold: a hundredth of what fits before the point, so that the sum of a day or of
# an order of a hundred such rows fits as well.
LARGEST = 1e10
_FINE = "decimal(18, 9)"
# A variance this small beside the mean of the squares is the rounding of equal values.
_NO_VARIANCE = 1e-12


def fixed(value: ir.NumericValue) -> ir.DecimalValue:
    """The value as a decimal with six places, which can be added exactly."""
    return value.cast(FIXED)


def fine(value: ir.NumericValue) -> ir.DecimalValue:
    """A value below a thousand million as a decimal with nine places, for shares and the like."""
    return value.cast(_FINE)


def log(value: ir.NumericValue) -> ir.DecimalValue:
    """The natural log as a decimal with nine places, which can be added exactly."""
    return fine(value.ln())


def product(left: ir.NumericValue, right: ir.NumericValue) -> ir.NumericValue:
    """The product of two values, which can be added exactly.

    A product of two decimals of eighteen digits has eighteen again on DuckDB and overflows beyond
    a million; with a factor of nineteen it has all its digits on every engine.
    """
    if not right.type().is_decimal():
        return left * right
    return left * right.cast(f"decimal(19, {right.type().scale})")


def compounded(
    value: ir.NumericValue, yearly_rate: float, days: ir.IntegerValue
) -> ir.NumericValue:
    """The value with the interest of so many days, to be added exactly: value (1+d)^(days/365)."""
    # The factor to nine places: engines may disagree on the last bit of a power, hardly on those.
    factor = ibis.literal(1.0 + yearly_rate, "float64") ** (days.cast("float64") / 365.0)
    return product(value, fine(factor))


def total(value: ir.NumericValue, where: ir.BooleanValue | None = None) -> ir.FloatingScalar:
    """The sum; 0 without values."""
    return value.sum(where=where).cast("float64").fill_null(0.0)


def mean(value: ir.NumericValue, where: ir.BooleanValue | None = None) -> ir.FloatingScalar:
    """The mean; null without values."""
    return value.sum(where=where).cast("float64") / value.count(where=where).nullif(0)


def deviation(
    value: ir.NumericValue,
    where: ir.BooleanValue | None = None,
    count: ir.IntegerValue | None = None,
) -> ir.FloatingScalar:
    """The standard deviation of a sample; null below two values.

    count: how many values there are, when those that are 0 have no row.
    """
    count = value.count(where=where) if count is None else count
    mean = total(value, where) / count.nullif(0)
    squares = total(product(value, value), where) / count.nullif(0)
    variance = squares - mean**2
    spread = ibis.ifelse(variance <= _NO_VARIANCE * squares, 0.0, variance)
    return (spread * count / (count - 1).nullif(0)).sqrt()

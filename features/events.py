"""The three tables that everything arrives as, and what makes a row of them fit for use.

Grain: `customers` one row per customer; `transactions` one row per order line or order;
`interactions` one row per contact or event. Times are UTC, to the microsecond, without a zone mark.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import ibis
import ibis.expr.types as ir

from features import backend, exact

# A source with more bad rows than this is more likely misread than dirty.
MOST_BAD_SHARE = 0.05
# Guests buy without a customer_id: in a shop without a loyalty card that is normal and no fault of
# the file. Where more than half of the rows name nobody, the rest is no picture of the business,
# or the column is the wrong one.
MOST_UNNAMED_SHARE = 0.5
UNNAMED = "customer_id is missing"
# Empty dates are written as year 1, 1753 or "-infinity"; no customer bought that early.
EARLIEST = datetime(1900, 1, 1)
MICROSECONDS = 6  # decimal places of a second in a stored time

# The core of the open vocabulary of `interactions.kind`; features are made for these.
INTERACTION_KINDS = (
    "visit", "usage", "email_open", "contact", "complaint", "complaint_resolved", "survey",
    "payment_due", "payment_failed", "payment_recovered", "chargeback", "fraud_flag",
    "competitor_mention", "price_check", "life_event", "plan_change", "closure", "campaign",
    "referral",
)  # fmt: skip
PAYMENT_KINDS = ("payment_due", "payment_failed", "payment_recovered", "chargeback")
# To know of these about somebody could harm him, more than to know what he buys.
SENSITIVE_KINDS = (*PAYMENT_KINDS, "fraud_flag", "life_event")
# Why a customer left, as the `detail` of a closure tells; any other detail tells no cause.
CLOSURE_REASONS = (
    "natural", "competitive", "fault", "non_malicious", "retaliatory", "malicious",
)  # fmt: skip
# What the `detail` of other kinds may say; rules read these and no other words: what a competitor
# was mentioned over, a contact that asked how something is used, and a payment that the bank took
# back because the customer said he had not made it.
MENTIONS = ("price", "service")
HOW_TO = "how_to"
FRAUD = "fraud"


# Names of judged rows that no column of a source has.
GIVEN, REASON, _POSITION = "as given: ", "why not used:", "position:"


@dataclass(frozen=True)
class Column:
    """One column of a canonical table: its name, type, unit or meaning, and other known names."""

    name: str
    dtype: str
    about: str
    needed: bool = False
    aliases: tuple[str, ...] = ()


# Where a row comes from and why we may hold it (item 11.2). No feature sees these columns, and they
# are stored only where a source has them: files, snapshots and event ids stay what they were.
PROVENANCE = ("source", "collection_channel", "collection_method", "lawful_basis")
_PROVENANCE = (
    Column("source", "string", "The system or place a row comes from.", False, ("source_system",)),
    Column("collection_channel", "string", "direct, or indirect such as by a partner."),
    Column("collection_method", "string",
           "interview, observation, survey, complaint, club or purchase."),
    Column("lawful_basis", "string", "Why it may be held, such as contract or consent."),
)  # fmt: skip


@dataclass(frozen=True)
class EventTable:
    """A canonical table: its grain and its columns."""

    name: str
    grain: str
    columns: tuple[Column, ...]

    def column_names(self) -> tuple[str, ...]:
        """The names of the columns that every stored table has, in order."""
        return tuple(column.name for column in self.columns if column.name not in PROVENANCE)

    def schema(self) -> ibis.Schema:
        """The ibis schema of the table that features are made from."""
        return ibis.schema({c.name: c.dtype for c in self.columns if c.name not in PROVENANCE})


_ID = Column(
    "customer_id", "string", "Whose row it is, text as given without outer blanks.", True,
    ("customer", "customerid", "cust_id", "client_id", "user_id", "userid", "account_id", "id"),
)  # fmt: skip
_HAPPENED_AT = Column(
    "happened_at", "timestamp(6)", "When it happened, UTC.", True,
    ("date", "time", "timestamp", "datetime", "invoicedate", "invoice_date", "order_date",
     "purchase_date", "transaction_date", "event_time", "created_at", "ts", "day"),
)  # fmt: skip
_KNOWN_AT = Column("known_at", "timestamp(6)", "When we learned of it; default: happened_at.")

CUSTOMERS = EventTable(
    "customers",
    "One row per customer.",
    (
        _ID,
        Column("first_seen_at", "timestamp(6)", "First contact, UTC.", False,
               ("signup_date", "registered_at", "date_registered", "joined_at", "created_at")),
        Column("kind", "string", "person or organisation."),
        Column("is_internal", "boolean", "Our own or a test account; left out everywhere."),
    ),
)  # fmt: skip
TRANSACTIONS = EventTable(
    "transactions",
    "One row per order line or order.",
    (
        _ID,
        _HAPPENED_AT,
        _KNOWN_AT,
        Column("order_id", "string", "The order a line belongs to.", False,
               ("order", "invoice", "invoice_id", "invoiceno", "orderid", "transaction_id")),
        Column("amount", "float64", "Net money of the line; negative for a return.", True,
               ("value", "total", "revenue", "price_total", "net_amount", "sales", "dollar_value",
                "spend", "total_amount")),
        Column("quantity", "float64", "Pieces.", False, ("qty", "units")),
        Column("product_id", "string", "What was bought.", False,
               ("product", "sku", "stockcode", "item_id", "item")),
        Column("category", "string", "The kind of product.", False, ("product_category",)),
        Column("channel", "string", "Where it was bought.", False, ("store", "sales_channel")),
        Column("discount", "float64", "Money taken off the list price.", False,
               ("discount_amount",)),
        Column("margin", "float64", "Money of the line left after the cost of goods.", False,
               ("profit", "gross_margin")),
        *_PROVENANCE,
    ),
)  # fmt: skip
INTERACTIONS = EventTable(
    "interactions",
    "One row per contact or event.",
    (
        _ID,
        _HAPPENED_AT,
        _KNOWN_AT,
        Column("kind", "string", "What kind of event; see INTERACTION_KINDS.", True,
               ("type", "event", "event_type", "interaction_type")),
        Column("channel", "string", "How it reached us or the customer.", False, ("medium",)),
        Column("direction", "string", "in: from the customer; out: from us."),
        Column("value", "float64", "A number that belongs to the event, such as a rating.", False,
               ("score", "rating")),
        Column("case_id", "string", "The case a contact belongs to.", False, ("ticket_id",)),
        Column("detail", "string", "A code or reason.", False, ("reason", "note")),
        *_PROVENANCE,
    ),
)  # fmt: skip
TABLES: dict[str, EventTable] = {
    table.name: table for table in (CUSTOMERS, TRANSACTIONS, INTERACTIONS)
}


@dataclass(frozen=True)
class Events:
    """The three canonical tables as lazy ibis tables; a table that was not given has no rows."""

    customers: ir.Table
    transactions: ir.Table
    interactions: ir.Table


@dataclass(frozen=True)
class Checked:
    """A source split into the rows fit for use and the rows that are not, with the reason."""

    good: ir.Table
    bad: ir.Table


def check(table: EventTable, raw: ir.Table, now: datetime, time_format: str | None) -> Checked:
    """Convert the columns of `raw` and split its rows into good ones and bad ones.

    raw: canonical column names, any types; columns beyond the canonical ones are kept only for
    `customers`, where they are profile columns. now: times after it are in the future and bad.
    time_format: a strptime format for all times; default: ISO 8601.
    The bad rows keep their spelling as given, with one more column `reason`.
    """
    judged, profile = _judge(table, raw, now, time_format)
    bad = judged.filter(judged[REASON].notnull())
    as_given = {name: bad[GIVEN + name] for name in raw.columns}
    fit = judged.filter(judged[REASON].isnull())
    good = fit.select(**_stored_columns(table, fit, profile))
    return Checked(
        # Sorted, a customer's rows lie together: the snapshots of sorted files took less than half
        # the time, and a few customers are read without reading the others. Sorted to the last
        # column, the same rows make the same file, and rows that repeat stand side by side.
        good=good.order_by(list(order_of(table, good.columns))),
        bad=bad.select(**(as_given | {"reason": bad[REASON]})),
    )


def judge(table: EventTable, raw: ir.Table, now: datetime, time_format: str | None) -> ir.Table:
    """Every row of `raw` in its order, checked as `check` does, for a handful of rows.

    The columns: those of the stored form; REASON, null for a good row; and each column as given,
    as text, called GIVEN and its name.
    """
    numbered = raw.mutate(**{_POSITION: ibis.row_number()})
    judged, profile = _judge(table, numbered, now, time_format)
    as_given = {GIVEN + name: judged[GIVEN + name].cast("string") for name in raw.columns}
    stored = _stored_columns(table, judged, [name for name in profile if name != _POSITION])
    told = {REASON: judged[REASON], _POSITION: judged[GIVEN + _POSITION]}
    return judged.select(**stored, **told, **as_given).order_by(_POSITION).drop(_POSITION)


def order_of(table: EventTable, stored: Sequence[str]) -> tuple[str, ...]:
    """The columns by which the stored rows of a table, which have these columns, are sorted."""
    told = [name for name in PROVENANCE if name in stored]
    return ("customer_id",) if table is CUSTOMERS else (*table.column_names(), *told)


def _judge(
    table: EventTable, raw: ir.Table, now: datetime, time_format: str | None
) -> tuple[ir.Table, list[str]]:
    """The rows as given and converted, with the reason against each; and the profile columns."""
    given = {column.name: column for column in table.columns if column.name in raw.columns}
    profile = _profile_columns(table, raw)
    typed = raw.select(
        *[raw[name].name(GIVEN + name) for name in raw.columns],
        **{name: _convert(raw[name], column, time_format) for name, column in given.items()},
        **{name: _profile_value(raw[name]) for name in profile},
    )
    return typed.mutate(**{REASON: _reason(table, typed, given, now)}), profile


def _profile_columns(table: EventTable, raw: ir.Table) -> list[str]:
    if table is not CUSTOMERS:
        return []
    return [name for name in raw.columns if name not in table.column_names()]


def _profile_value(value: ir.Value) -> ir.Value:
    return value.strip().nullif("") if value.type().is_string() else value


def _convert(value: ir.Value, column: Column, time_format: str | None) -> ir.Value:
    """The value in the column's type; null where it cannot be read as that."""
    if column.dtype == "string":
        text = _as_text(value).strip()
        return text.nullif("")
    if column.dtype.startswith("timestamp"):
        return _as_time(value, time_format)
    number = value.try_cast(column.dtype)
    return number.nullif(float("nan")) if column.dtype == "float64" else number


def _as_text(value: ir.Value) -> ir.StringValue:
    if value.type().is_floating():
        # An id column with a hole in it was read as 12345.0 by whoever wrote the file.
        number = value.nullif(float("nan"))
        whole = number.try_cast("int64")
        return ibis.ifelse(whole == number, whole.cast("string"), number.cast("string"))
    return value.cast("string")


def _as_time(value: ir.Value, time_format: str | None) -> ir.TimestampValue:
    is_text, is_number = value.type().is_string(), value.type().is_numeric()
    if time_format and (is_text or is_number):
        return backend.parse_timestamp(_as_text(value), time_format)
    if is_number:
        # 20110609 or 1307577600: a number does not say which; a format must.
        return ibis.null("timestamp(6)")
    if value.type().is_unknown():
        # So ibis sees the zoned nanoseconds of a Parquet file; the engine makes UTC of them.
        value = value.try_cast("timestamp(9)")
    if value.type().is_timestamp():
        return _to_microseconds(value)
    value = value.strip() if is_text else value
    # Through a zoned type, so that an offset in the text is honored; no offset means UTC.
    return value.try_cast("timestamp('UTC')").cast("timestamp(6)")


def _to_microseconds(value: ir.TimestampValue) -> ir.TimestampValue:
    """The time as naive UTC without what is below a microsecond, as a text is read."""
    if (value.type().scale or 0) <= MICROSECONDS:
        return value.cast("timestamp(6)")
    # The engine rounds nanoseconds to the nearest, which would carry the end of a day into the
    # next one; and of a zoned time it can drop the zone or the nanoseconds, not both at once.
    exactly = value.cast("timestamp(9)")
    nearest = exactly.cast("timestamp(6)")
    is_later = nearest.cast("timestamp(9)") > exactly
    return ibis.ifelse(is_later, nearest - ibis.interval(microseconds=1), nearest)


def _reason(
    table: EventTable, typed: ir.Table, given: Mapping[str, Column], now: datetime
) -> ir.StringValue:
    """Why a row cannot be used, in the words of the report; null for a good row."""
    cases = []
    for name, column in given.items():
        value, raw = typed[name], typed[GIVEN + name]
        missing = value.isnull()
        blank = raw.isnull() | (raw.cast("string").strip() == "") | _is_nan(raw)
        if column.needed:
            cases.append((missing & blank, UNNAMED if name == _ID.name else f"{name} is missing"))
        cases.append((missing & ~blank, f"{name} is not a {_plain_type(column)}"))
        if column.dtype == "float64":
            cases.append((value.isinf(), f"{name} is infinite"))
            too_large = f"{name} is {exact.LARGEST:.0e} or more"
            cases.append((value.abs() >= exact.LARGEST, too_large))
        if column.dtype.startswith("timestamp"):
            cases.append((value < ibis.literal(EARLIEST), f"{name} is before {EARLIEST:%Y}"))
        if name in ("happened_at", "first_seen_at"):
            cases.append((value > ibis.literal(now), f"{name} is in the future"))
    if table is CUSTOMERS:
        # Ordered by the whole row, so that the same file always keeps the same one.
        row = [typed[name] for name in typed.columns if name.startswith(GIVEN)]
        turn = ibis.row_number().over(group_by=typed.customer_id, order_by=row)
        cases.append((turn > 0, "a second row of the same customer_id"))
    return ibis.cases(*cases, else_=ibis.null("string"))


def _is_nan(raw: ir.Value) -> ir.BooleanValue:
    if raw.type().is_floating():
        return raw.isnan()
    if raw.type().is_string():
        return raw.strip().lower() == "nan"
    return ibis.literal(False)


def _plain_type(column: Column) -> str:
    if column.dtype.startswith("timestamp"):
        return "time"
    return {"float64": "number", "boolean": "yes or no", "string": "text"}[column.dtype]


def _stored_columns(table: EventTable, rows: ir.Table, profile: list[str]) -> dict[str, ir.Value]:
    """The stored form of converted rows: every canonical column in its order, then the profile."""
    columns: dict[str, ir.Value] = {
        column.name: rows[column.name] if column.name in rows.columns else ibis.null(column.dtype)
        for column in table.columns
        if column.name in rows.columns or column.name not in PROVENANCE
    }
    if "known_at" in columns:
        columns["known_at"] = columns["known_at"].coalesce(columns["happened_at"])
    return columns | {name: rows[name] for name in profile}

"""What passed between a customer and us beside purchases, by its kind: how often and how lately."""

import ibis.expr.types as ir

from features.events import CLOSURE_REASONS, INTERACTION_KINDS, MENTIONS
from features.family import Family

interactions = Family(
    "interactions",
    source="interactions",
    about="Counts and recency of contacts and events by kind.",
    owner="customer service",
)

# Three windows, not five: most kinds are too rare for a week to say anything.
CONTACT_WINDOWS = (30, 90, 365)


@interactions.feature(days=CONTACT_WINDOWS)
def contacts(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Interactions of any kind in the last {days} days, a count."""
    return past.count(where=recent)


@interactions.feature
def days_since_interaction(past: ir.Table) -> ir.Value:
    """Days since the last interaction of any kind; null without one."""
    return past.days_ago.min()


@interactions.feature(kind=INTERACTION_KINDS, days=CONTACT_WINDOWS)
def count(past: ir.Table, recent: ir.BooleanValue, kind: str) -> ir.Value:
    """Interactions of the kind {kind} in the last {days} days, a count."""
    return past.count(where=recent & (past.kind == kind))


@interactions.feature(kind=INTERACTION_KINDS)
def days_since(past: ir.Table, kind: str) -> ir.Value:
    """Days since the last interaction of the kind {kind}; null without one."""
    return past.days_ago.min(where=past.kind == kind)


@interactions.feature(over=MENTIONS, days=(90,), for_models=False)
def competitor_mentions(past: ir.Table, recent: ir.BooleanValue, over: str) -> ir.Value:
    """Mentions of a competitor over {over} (their detail) in the last {days} days, a count."""
    mentioned = past.kind == "competitor_mention"
    return past.count(where=recent & mentioned & (past.detail == over))


@interactions.feature(privacy="sensitive", reason=CLOSURE_REASONS)
def days_since_closure(past: ir.Table, reason: str) -> ir.Value:
    """Days since the last closure for the reason {reason}; null without one."""
    return past.days_ago.min(where=(past.kind == "closure") & (past.detail == reason))

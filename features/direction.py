"""Who spoke to whom: what came from the customer, what reached him, what he was merely shown."""

import ibis
import ibis.expr.types as ir

# The channels of personal and of non-personal contact (PRODUCT 18).
PERSONAL_CHANNELS = ("face_to_face", "letter", "email", "website", "phone")
NON_PERSONAL_CHANNELS = ("media", "environment", "event")
# What a customer does himself whoever it is said to come from. A payment may go by itself, and who
# closes has ended what he did.
OWN_KINDS = (
    "visit", "usage", "email_open", "complaint", "survey", "price_check", "plan_change", "referral",
)  # fmt: skip


def is_inbound(past: ir.Table) -> ir.BooleanValue:
    """Whether the customer came to us; being shown something is no act of his."""
    return (_direction(past) == "in").fill_null(False) & ~is_exposure(past)


def is_outbound(past: ir.Table) -> ir.BooleanValue:
    """Whether we came to the customer; who was kept apart as control was not reached."""
    going_out = (_direction(past) == "out").fill_null(False)
    return going_out & ~is_exposure(past) & ~is_control(past)


def is_own_act(past: ir.Table) -> ir.BooleanValue:
    """Whether the customer did something himself that shows that he is still there."""
    is_own = past.kind.isin(OWN_KINDS) & ~is_exposure(past)
    return (is_own | is_inbound(past)) & (past.kind != "closure")


def is_exposure(past: ir.Table) -> ir.BooleanValue:
    """Whether the customer was shown something by media, surroundings or an event."""
    return past.channel.isin(NON_PERSONAL_CHANNELS).fill_null(False)


def is_control(past: ir.Table) -> ir.BooleanValue:
    """Whether a campaign left the customer out to compare with; its value is then 0."""
    return (past.kind == "campaign") & (past.value == 0).fill_null(False)


def _direction(past: ir.Table) -> ir.StringValue:
    """The direction as given, in or out, else what the kind leaves no doubt about."""
    told = ibis.cases((past.kind == "complaint", "in"), (past.kind == "complaint_resolved", "out"))
    return past.direction.fill_null(told)

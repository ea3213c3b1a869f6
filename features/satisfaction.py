"""How content a customer says to be: the answers to surveys, their change and their standing."""

import ibis
import ibis.expr.types as ir

from features import exact
from features.family import Family
from features.following import SECONDS_OF_DAY, last_time, seconds_between
from features.refusal import answers_before_refusal

# The highest possible answer: shares, stars (CSAT), seven steps, recommendation (NPS), points.
SURVEY_SCALES = (1.0, 5.0, 7.0, 10.0, 100.0)
AFTER_DAYS = 14  # an answer within two weeks of an event is taken to be about it
_TOUCHES = ("contact", "complaint_resolved")


def surveys(past: ir.Table) -> ir.Table:
    """One row per answered survey.

    is_last: the customer's newest answer, or several of one time. after_<kind>: whether the
    customer had an event of that kind in the two weeks before.
    """
    before = {
        f"after_{kind}": _is_after(past, last_time(past, past.kind == kind, "customer_id"))
        for kind in _TOUCHES
    }
    answers = past.mutate(**before).filter(past.kind == "survey", past.value.notnull())
    newest = answers.happened_at.max().over(group_by="customer_id")
    return answers.mutate(is_last=answers.happened_at == newest)


def surveys_of_everybody(past: ir.Table) -> ir.Table:
    """One row: the mean and the deviation of all answers, the lowest and the highest."""
    value = past.filter(past.kind == "survey").value
    return value.as_table().agg(
        mean=exact.mean(value), deviation=exact.deviation(value),
        lowest=value.min().cast("float64"), highest=value.max().cast("float64"),
    )  # fmt: skip


def compared(past: ir.Table, population: ir.Table) -> ir.Table:
    """One row per answered survey, beside the mean and the deviation of all answers."""
    answers = past.filter(past.kind == "survey", past.value.notnull())
    return answers.select("customer_id", "value").cross_join(population)


def compared_before_refusal(past: ir.Table, population: ir.Table) -> ir.Table:
    """One row per answer before the first refusal to pay, beside the highest possible answer.

    scale: the lowest of SURVEY_SCALES that holds everybody's answers; null with one below 0.
    """
    answers = answers_before_refusal(past).select("customer_id", "value")
    beside = answers.cross_join(population)
    steps = [(beside.highest <= top, ibis.literal(top)) for top in SURVEY_SCALES]
    scale = ibis.cases(*steps, else_=ibis.null("float64"))
    return beside.mutate(scale=ibis.ifelse(beside.lowest < 0, ibis.null("float64"), scale))


def _is_after(past: ir.Table, time: ir.TimestampValue) -> ir.BooleanValue:
    waited = seconds_between(time, past.happened_at)
    return (waited <= AFTER_DAYS * SECONDS_OF_DAY).fill_null(False)


satisfaction = Family(
    "satisfaction",
    source="interactions",
    about="Answers to surveys: level, lowest, change, spread, standing among everybody's.",
    owner="customer service",
    rows=surveys,
    population=surveys_of_everybody,
)

SURVEY_WINDOWS = (90, 365)  # days: surveys are rare


@satisfaction.feature
def surveys_answered(past: ir.Table) -> ir.Value:
    """Answers to surveys so far, a count."""
    return past.count()


@satisfaction.feature
def survey_mean(past: ir.Table) -> ir.Value:
    """Mean answer to surveys so far, in the survey's own scale; null without one."""
    return exact.mean(past.value)


@satisfaction.feature(days=SURVEY_WINDOWS)
def survey_mean_recent(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Mean answer to surveys in the last {days} days, in the survey's own scale."""
    return exact.mean(past.value, where=recent)


@satisfaction.feature
def survey_last(past: ir.Table) -> ir.Value:
    """Last answer to a survey, in its own scale, the mean if several; null without one."""
    return exact.mean(past.value, where=past.is_last)


@satisfaction.feature
def survey_lowest(past: ir.Table) -> ir.Value:
    """Lowest answer to a survey so far, in its own scale; null without one."""
    return past.value.min()


@satisfaction.feature(days=SURVEY_WINDOWS)
def survey_lowest_recent(past: ir.Table, recent: ir.BooleanValue) -> ir.Value:
    """Lowest answer to a survey in the last {days} days, in its own scale."""
    return past.value.min(where=recent)


@satisfaction.feature
def survey_deviation(past: ir.Table) -> ir.Value:
    """Standard deviation of the answers, in the survey's own scale; null before the second."""
    return exact.deviation(past.value)


@satisfaction.feature
def survey_change(past: ir.Table) -> ir.Value:
    """Last answer less the mean of those before, in the survey's own scale; null before two."""
    return exact.mean(past.value, where=past.is_last) - exact.mean(past.value, where=~past.is_last)


@satisfaction.feature(kind=_TOUCHES)
def survey_after(past: ir.Table, kind: str) -> ir.Value:
    """Mean answer in the 14 days after an interaction of the kind {kind}, in its own scale."""
    return exact.mean(past.value, where=past[f"after_{kind}"])


@satisfaction.feature(rows=compared)
def survey_standing(past: ir.Table) -> ir.Value:
    """Mean answer above everybody's mean, in deviations of all answers, a ratio."""
    return (exact.mean(past.value) - past["mean"].max()) / past.deviation.max().nullif(0.0)


@satisfaction.feature(rows=compared_before_refusal, privacy="sensitive", for_models=False)
def survey_lowest_at_refusal(past: ir.Table) -> ir.Value:
    """Lowest answer of the 90 days before the first refusal to pay, of the scale's best, 0 to 1."""
    return past.value.min().cast("float64") / past.scale.max()

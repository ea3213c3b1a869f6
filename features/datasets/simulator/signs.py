"""What simulated customers at risk let be seen, the false alarms of all others, and closures."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.datasets.simulator.block import Block
from features.datasets.simulator.causes import CALM, CAUSE_NAMES, CAUSES, WARNED
from features.datasets.simulator.people import DAYS_PER_YEAR

# Kind -> the channels it comes through, each as often, and its direction.
ROUTES: dict[str, tuple[tuple[str | None, ...], str | None]] = {
    "visit": (("website",), "in"),
    "email_open": (("email",), "in"),
    "contact": (("phone", "email", "face_to_face", "website"), "in"),
    "complaint": (("phone", "email"), "in"),
    "complaint_resolved": (("phone", "email"), "out"),
    "survey": (("email",), "in"),
    "payment_due": (("letter", "email"), "out"),
    "payment_failed": ((None,), None),
    "payment_recovered": ((None,), None),
    "chargeback": ((None,), "in"),
    "fraud_flag": ((None,), None),
    "competitor_mention": (("phone", "email"), "in"),
    "price_check": (("website",), "in"),
    "life_event": (("phone", "letter"), "in"),
    "plan_change": (("website", "phone"), "in"),
    "closure": (("phone", "letter", "email"), "in"),
    "campaign": (("email",), "out"),
    "referral": (("website",), "in"),
}
# The same events without any meaning, a year: they make the true signs hard to read.
FALSE_ALARMS = {
    "complaint": 0.40,
    "price_check": 0.35,
    "competitor_mention": 0.12,
    "life_event": 0.10,
    "payment_failed": 0.20,
    "chargeback": 0.02,
    "fraud_flag": 0.02,
}
TOPICS = np.array(["delivery", "quality", "billing", "service"], dtype=object)
REFUSALS = {"retaliatory": "refused", "malicious": "disputed"}  # other payments are declined
ANGRY_ANSWERS = (0.50, 0.35, 0.15)  # shares of 1, 2 and 3 among surveys that are signs
CHARGEBACK_AMOUNT = 40.0  # median, currency units

# Complaints: share answered at once, in about a day; of the others, share ever answered, after
# two weeks and more. A complaint that is a sign is one that was dealt with badly.
PROMPT_SHARE, PROMPT_SHARE_OF_SIGNS, EVER_SHARE = 0.85, 0.25, 0.55
PROMPT_DAYS, SLOW_DAYS = 1.0, 15.0
RECOVERED_SHARE = 0.80  # of payments that failed without meaning, or whose danger has passed
RECOVERY_DAYS = 5.0

CLOSURE_SHARE = 0.40  # of those who leave say so, or are told so by us
LATE_CLOSURES = 0.20  # share of closures that we learn of one to six weeks later

# Events of one kind: the kind, whose, when, and the cause they are signs of.
Told = tuple[str, np.ndarray, np.ndarray, str | None]


def event_rows(
    rng: np.random.Generator,
    kind: str,
    owner: np.ndarray,
    day: np.ndarray,
    value: np.ndarray | float = np.nan,
    case_id: np.ndarray | None = None,
    detail: np.ndarray | str | None = None,
) -> pd.DataFrame:
    """One row per event of one kind: owner, day, delay (days until known: 0) and the columns."""
    channels, direction = ROUTES[kind]
    channel = np.array(channels, dtype=object)[rng.integers(len(channels), size=len(owner))]
    return pd.DataFrame(
        {
            "owner": owner, "day": day, "delay": 0.0, "kind": kind, "channel": channel,
            "direction": direction, "value": value, "case_id": case_id, "detail": detail,
        }
    )  # fmt: skip


def scatter(
    rng: np.random.Generator, mean: np.ndarray, since: np.ndarray, until: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Events of a Poisson process between two days each: whose, by index, and when."""
    owner = np.repeat(np.arange(len(mean)), rng.poisson(mean))
    return owner, rng.uniform(since[owner], until[owner])


def draw_signs(rng: np.random.Generator, block: Block) -> pd.DataFrame:
    """The interactions that speak of risk, truly or falsely, and what follows from them."""
    parts = []
    for kind, owner, day, cause in [*_true_signs(rng, block), *_false_alarms(rng, block)]:
        if kind == "complaint":
            parts += _complaints(rng, block, owner, day, is_sign=cause is not None)
        elif kind == "payment_failed":
            detail = REFUSALS.get(cause or "", "declined")
            parts.append(event_rows(rng, kind, owner, day, detail=detail))
            if cause is None:
                parts.append(_recoveries(rng, owner, day))
        elif kind == "survey":
            answers = rng.choice([1.0, 2.0, 3.0], len(owner), p=ANGRY_ANSWERS)
            parts.append(event_rows(rng, kind, owner, day, answers))
        elif kind == "chargeback":
            amounts = CHARGEBACK_AMOUNT * np.exp(0.6 * rng.standard_normal(len(owner)))
            parts.append(event_rows(rng, kind, owner, day, np.round(amounts, 2)))
        else:
            parts.append(event_rows(rng, kind, owner, day))
    parts.append(_recoveries(rng, *_passed_payment_troubles(block)))
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _true_signs(rng: np.random.Generator, block: Block) -> list[Told]:
    """For each sign of each cause: its kind, whose, when, and the cause."""
    fates = block.fates
    found: list[Told] = []
    until = np.minimum(fates.until, block.end)
    for number, cause in enumerate(CAUSES):
        for sign in cause.signs:
            of_sign = np.flatnonzero((fates.cause == number) & (fates.state == sign.state))
            mean_stay = cause.warning_days if sign.state == WARNED else cause.danger_days
            since, stay_end = fates.since[of_sign], until[of_sign]
            stay, day = scatter(rng, sign.mean * (stay_end - since) / mean_stay, since, stay_end)
            found.append((sign.kind, fates.owner[of_sign][stay], day, cause.name))
    return found


def _false_alarms(rng: np.random.Generator, block: Block) -> list[Told]:
    """The same for events without meaning, of customers who have bought."""
    since, until = np.minimum(block.people.first_order, block.end), block.active_until
    years = (until - since).clip(min=0.0) / DAYS_PER_YEAR
    return [
        (kind, *scatter(rng, a_year * years, since, until), None)
        for kind, a_year in FALSE_ALARMS.items()
    ]


def _complaints(
    rng: np.random.Generator, block: Block, owner: np.ndarray, day: np.ndarray, is_sign: bool
) -> list[pd.DataFrame]:
    """Complaints and the answers to them: late or never, mostly, where they are signs."""
    pairs = zip(block.ids[owner], (day * 24 * 60).astype(int), strict=True)
    case_id = np.array([f"{customer}-{minute}" for customer, minute in pairs], dtype=object)
    n, topic = len(owner), rng.choice(TOPICS, len(owner))
    prompt = rng.random(n) < (PROMPT_SHARE_OF_SIGNS if is_sign else PROMPT_SHARE)
    ever = prompt | (rng.random(n) < EVER_SHARE)
    wait = np.where(prompt, 0.0, SLOW_DAYS)
    wait = wait + rng.exponential(np.where(prompt, PROMPT_DAYS, SLOW_DAYS))
    answered = event_rows(
        rng, "complaint_resolved", owner[ever], (day + wait)[ever], case_id=case_id[ever]
    )
    return [event_rows(rng, "complaint", owner, day, case_id=case_id, detail=topic), answered]


def _passed_payment_troubles(block: Block) -> tuple[np.ndarray, np.ndarray]:
    """Whose trouble with payments passed without leaving, and when."""
    fates = block.fates
    passed = (fates.cause == CAUSE_NAMES.index("non_malicious")) & (fates.then == CALM)
    passed &= fates.until <= block.end
    return fates.owner[passed], fates.until[passed]


def _recoveries(rng: np.random.Generator, owner: np.ndarray, since: np.ndarray) -> pd.DataFrame:
    recovered = rng.random(len(owner)) < RECOVERED_SHARE
    day = since[recovered] + rng.exponential(RECOVERY_DAYS, int(recovered.sum()))
    return event_rows(rng, "payment_recovered", owner[recovered], day)


def draw_closures(rng: np.random.Generator, block: Block) -> pd.DataFrame:
    """The departures that are told at the moment they happen, with the cause as the reason."""
    fates = block.fates
    gone = np.flatnonzero(fates.death <= block.end)
    told = gone[rng.random(len(gone)) < CLOSURE_SHARE]
    cause = fates.death_cause[told]
    rows = event_rows(
        rng, "closure", told, fates.death[told], detail=np.array(CAUSE_NAMES, dtype=object)[cause]
    )
    by_customer = np.array([c.by_customer for c in CAUSES])[cause]
    late = rng.random(len(told)) < LATE_CLOSURES
    return rows.assign(
        direction=np.where(by_customer, "in", "out"),
        delay=np.where(late, rng.uniform(7.0, 42.0, len(told)), 0.0),
    )

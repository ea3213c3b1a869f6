"""What passes between simulated customers and the business from day to day, whatever their risk."""

from __future__ import annotations

import numpy as np
import pandas as pd

from features.datasets.simulator.block import Block
from features.datasets.simulator.people import DAYS_PER_YEAR
from features.datasets.simulator.signs import draw_closures, draw_signs, event_rows, scatter

PLAN_CHANGES = 0.08  # a year
REFERRALS = 0.15  # a year, for each point of satisfaction above 3
OPENS_AFTER_LEAVING = 0.3  # share of the mail still opened by those who will never buy again
CONTACT_MINUTES = 8.0  # mean length of a contact, its `value`
OUTBOUND_SHARE = 0.25  # of contacts: the business calls or writes
SURVEYED = 0.12  # share of orders followed by an answered survey
SURVEY_DAYS = 3.0  # from order to answer
INVOICE_DAYS = 14.0  # from order to payment due


def draw_contacts(rng: np.random.Generator, block: Block) -> pd.DataFrame:
    """All interactions of a block: owner, day, delay, and the columns of the canonical table."""
    closures = draw_closures(rng, block)
    parts = [
        *_engagement(rng, block),
        *_service(rng, block),
        draw_signs(rng, block),
        _surveys(rng, block),
        _invoices(rng, block),
        *_exposures(rng, block, closures),
        closures,
    ]
    return pd.concat([part for part in parts if len(part)], ignore_index=True)


def _engagement(rng: np.random.Generator, block: Block) -> list[pd.DataFrame]:
    """A visit at first sight, visits and opened mail while interested, some mail after leaving."""
    people, until = block.people, block.active_until
    since = people.first_seen
    years = (until - since).clip(min=0.0) / DAYS_PER_YEAR
    everyone = np.arange(len(people))
    years_gone = np.where(np.isfinite(block.fates.death), block.end - until, 0.0) / DAYS_PER_YEAR
    ghosts = people.email_opens * OPENS_AFTER_LEAVING * years_gone
    end = np.full(len(people), block.end)
    return [
        event_rows(rng, "visit", everyone, since),
        event_rows(rng, "visit", *scatter(rng, people.visits * years, since, until)),
        event_rows(rng, "email_open", *scatter(rng, people.email_opens * years, since, until)),
        event_rows(rng, "email_open", *scatter(rng, ghosts, until, end)),
    ]


def _service(rng: np.random.Generator, block: Block) -> list[pd.DataFrame]:
    """Contacts, which are the cost to serve, changes of plan, and referrals by the content."""
    people, since = block.people, np.minimum(block.people.first_order, block.end)
    until = block.active_until
    years = (until - since).clip(min=0.0) / DAYS_PER_YEAR
    owner, day = scatter(rng, people.contacts * years, since, until)
    minutes = np.round(rng.gamma(2.0, CONTACT_MINUTES / 2.0, len(owner)), 1)
    contacts = event_rows(rng, "contact", owner, day, minutes)
    is_ours = rng.random(len(owner)) < OUTBOUND_SHARE
    owner, day = scatter(rng, PLAN_CHANGES * years, since, until)
    turns = rng.choice(np.array(["upgrade", "downgrade"], dtype=object), len(owner))
    referring = REFERRALS * (people.satisfaction - 3.0).clip(min=0.0)
    return [
        contacts.assign(direction=np.where(is_ours, "out", contacts["direction"])),
        event_rows(rng, "plan_change", owner, day, detail=turns),
        event_rows(rng, "referral", *scatter(rng, referring * years, since, until)),
    ]


def _surveys(rng: np.random.Generator, block: Block) -> pd.DataFrame:
    """Answers, 1 to 5, some days after an order, around the customer's satisfaction."""
    orders = block.orders
    asked = rng.random(len(orders.owner)) < SURVEYED
    asked &= orders.day + SURVEY_DAYS < block.active_until[orders.owner]
    owner = orders.owner[asked]
    mood = block.people.satisfaction[owner] + 0.7 * rng.standard_normal(len(owner))
    return event_rows(
        rng, "survey", owner, orders.day[asked] + SURVEY_DAYS, mood.round().clip(1.0, 5.0)
    )


def _invoices(rng: np.random.Generator, block: Block) -> pd.DataFrame:
    """A payment falls due after each order of those who buy on invoice; `case_id` is the order."""
    orders, lines = block.orders, block.lines
    total = np.bincount(lines.of_order, weights=lines.amount, minlength=len(orders.owner))
    on_invoice = (block.people.profile["payment_method"] == "invoice").to_numpy()[orders.owner]
    return event_rows(
        rng,
        "payment_due",
        orders.owner[on_invoice],
        orders.day[on_invoice] + INVOICE_DAYS,
        total[on_invoice].round(2),
        block.order_ids[on_invoice],
    )


def _exposures(
    rng: np.random.Generator, block: Block, closures: pd.DataFrame
) -> list[pd.DataFrame]:
    """Campaigns reach, or spare as control, those chosen who have bought and are not known gone.

    Those who left in silence are still written to.
    """
    closed = np.full(len(block.people), np.inf)
    closed[closures["owner"]] = closures["day"] + closures["delay"]
    rows = []
    for number, (name, day) in enumerate(
        zip(block.campaigns.names, block.campaigns.days, strict=True)
    ):
        lot = block.campaigns.lot[:, number]
        is_customer = (block.people.first_order <= day) & (closed > day)
        owner = np.flatnonzero(is_customer & np.isfinite(lot))
        rows.append(
            event_rows(rng, "campaign", owner, np.full(len(owner), day), lot[owner], detail=name)
        )
    return rows

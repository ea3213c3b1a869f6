"""Who the simulated customers are: the traits nobody sees, and the profile that hints at them.

Times inside the simulator are days since its start, as floats; infinity means never.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
import pandas as pd

from features.datasets.simulator.causes import CAUSE_NAMES
from features.datasets.simulator.rhythm import RHYTHM_SHARES

DAYS_PER_YEAR = 365.25

# Relative list price and margin rate of the categories of the shop.
CATEGORIES = ("coffee", "kitchen", "garden", "books", "toys", "sport", "beauty", "office")
CATEGORY_PRICES = np.array([0.5, 1.6, 1.3, 0.7, 0.9, 1.5, 0.8, 1.0])
CATEGORY_MARGINS = np.array([0.35, 0.30, 0.33, 0.25, 0.38, 0.32, 0.50, 0.28])
CHANNELS = ("web", "app", "store", "phone")
MAIN_CHANNEL_SHARE = 0.8  # of a customer's orders; the others come through any channel

# Value of a profile column -> (its share, what it does to the rate of buying, and to risks).
PROFILE: dict[str, dict[str, tuple[float, float, dict[str, float]]]] = {
    "region": {
        "north": (0.25, 1.0, {}),
        "south": (0.25, 1.0, {}),
        "east": (0.20, 0.9, {"fault": 1.5}),  # the weak warehouse
        "west": (0.20, 1.1, {}),
        "islands": (0.10, 0.8, {"natural": 1.5, "fault": 1.2}),
    },
    "age_band": {
        "18-29": (0.20, 0.9, {"competitive": 1.3, "natural": 1.4}),
        "30-44": (0.30, 1.0, {}),
        "45-59": (0.28, 1.1, {}),
        "60-74": (0.16, 1.0, {"competitive": 0.7}),
        "75+": (0.06, 0.8, {"competitive": 0.5, "natural": 3.0}),
    },
    "acquisition_channel": {
        "search": (0.35, 1.0, {}),
        "social": (0.20, 0.8, {"competitive": 1.2}),
        "marketplace": (0.15, 0.7, {"competitive": 1.8, "malicious": 2.0}),
        "store": (0.18, 1.1, {"competitive": 0.7}),
        "friend": (0.12, 1.3, {"competitive": 0.6, "fault": 0.7}),
    },
    "plan": {
        "basic": (0.60, 0.9, {}),
        "plus": (0.30, 1.2, {"competitive": 0.8}),
        "premium": (0.10, 1.5, {"competitive": 0.6, "fault": 1.2}),
    },
    "payment_method": {
        "card": (0.70, 1.0, {}),
        "invoice": (0.30, 1.0, {"non_malicious": 2.0, "retaliatory": 1.5, "malicious": 2.0}),
    },
}


@dataclass(frozen=True)
class People:
    """The customers of one block; every array has one entry, or one row, a customer."""

    profile: pd.DataFrame  # what the business sees of them
    first_seen: np.ndarray  # day
    first_order: np.ndarray  # day; infinity: a prospect for good
    rate: np.ndarray  # purchases a year on arrival, season and trend apart
    trend: np.ndarray  # change of the log rate a year
    season_swing: np.ndarray  # relative height of the yearly wave, 0 to 1
    season_peak: np.ndarray  # day of the year of its crest
    weekend: np.ndarray  # 0 buys on working days, 1 on weekends
    rhythm: np.ndarray  # index into RHYTHMS
    order_level: np.ndarray  # list price of an average piece, currency units
    extra_lines: np.ndarray  # mean number of lines of an order beyond the first
    discount_habit: np.ndarray  # share of lines bought at a discount
    return_habit: np.ndarray  # share of lines sent back
    margin_level: np.ndarray  # factor on the margin rate of the category
    tastes: np.ndarray  # share of each category, (n, categories)
    main_channel: np.ndarray  # index into CHANNELS
    risk: np.ndarray  # factor on the onset of each cause, (n, causes)
    persuadability: np.ndarray  # share of the hazard a campaign takes away; below 0 it adds
    visits: np.ndarray  # a year
    email_opens: np.ndarray  # a year
    contacts: np.ndarray  # a year: the cost to serve
    satisfaction: np.ndarray  # mean answer to a survey, 1 to 5

    def __len__(self) -> int:
        return len(self.rate)

    def take(self, rows: np.ndarray) -> People:
        """The people of the given rows."""
        kept = {f.name: getattr(self, f.name)[rows] for f in fields(self) if f.name != "profile"}
        return People(profile=self.profile.iloc[rows], **kept)


def draw_people(rng: np.random.Generator, n: int, days: float) -> People:
    """Draw `n` customers who are first seen in a business that has been open for `days` days.

    The levels are chosen for the default simulation: about 12 order lines and 19 interactions a
    customer, a fifth of the buyers with one order only, and the difficulty told in simulated.py.
    """
    profile, rate_factor, risk_factor = _draw_profile(rng, n)
    pace, taste_for_money, temper = rng.standard_normal((3, n))
    first_seen = _draw_arrivals(rng, n, days)
    decides = np.where(rng.random(n) < 0.5, 0.0, rng.exponential(12.0, n))  # days
    decides[rng.random(n) < 0.015] = np.inf  # prospects who never buy
    rate = 4.4 * rate_factor * np.exp(0.95 * pace)
    organisation = (profile["kind"] == "organisation").to_numpy()
    # Money goes with the rate, but weakly: the correlation of the logs is about 0.2.
    level = 22.0 * np.exp(0.12 * pace + 0.55 * taste_for_money) * np.where(organisation, 2.5, 1.0)
    # Risks of one person go together (exp 0.5 N) and apart (exp 0.6 N); both have the mean 1.
    frailty = np.exp(0.5 * temper[:, None] + 0.6 * rng.standard_normal((n, len(CAUSE_NAMES))))
    return People(
        profile=profile,
        first_seen=first_seen,
        first_order=first_seen + decides,
        rate=rate,
        trend=rng.normal(-0.05, 0.30, n),
        season_swing=rng.uniform(0.0, 0.5, n),
        season_peak=np.where(rng.random(n) < 0.75, 345.0, 185.0),  # Christmas, or summer
        weekend=rng.beta(0.8, 0.8, n),
        rhythm=rng.choice(len(RHYTHM_SHARES), n, p=RHYTHM_SHARES),
        order_level=level,
        extra_lines=rng.gamma(2.0, 0.35, n),
        discount_habit=rng.beta(1.0, 3.0, n),
        return_habit=rng.beta(0.8, 12.0, n),
        margin_level=rng.normal(1.0, 0.12, n).clip(0.5, 1.5),
        tastes=_draw_tastes(rng, n),
        main_channel=rng.choice(len(CHANNELS), n, p=[0.45, 0.25, 0.22, 0.08]),
        risk=risk_factor * frailty / np.exp((0.5**2 + 0.6**2) / 2),
        persuadability=_draw_persuadability(rng, n),
        visits=1.8 * np.sqrt(rate) * rng.gamma(2.0, 0.5, n),
        email_opens=rng.gamma(0.7, 3.2, n),
        contacts=rng.gamma(0.35, 3.2, n),
        satisfaction=(3.9 - 0.35 * temper + 0.4 * rng.standard_normal(n)).clip(1.0, 5.0),
    )


def _draw_profile(rng: np.random.Generator, n: int) -> tuple[pd.DataFrame, np.ndarray, np.ndarray]:
    """The visible columns, and the factors they put on the rate, (n,), and the risks, (n, 6)."""
    columns: dict[str, np.ndarray] = {
        "kind": np.where(rng.random(n) < 0.08, "organisation", "person").astype(object),
        "is_internal": rng.random(n) < 0.004,  # accounts of our own and for tests
    }
    rate_factor, risk_factor = np.ones(n), np.ones((n, len(CAUSE_NAMES)))
    for column, values in PROFILE.items():
        shares, rates, risks = zip(*values.values(), strict=True)
        drawn = rng.choice(len(values), n, p=shares)
        columns[column] = np.array(list(values), dtype=object)[drawn]
        rate_factor = rate_factor * np.array(rates)[drawn]
        table = np.array([[risk.get(cause, 1.0) for cause in CAUSE_NAMES] for risk in risks])
        risk_factor = risk_factor * table[drawn]
    return pd.DataFrame(columns), rate_factor, risk_factor


def _draw_arrivals(rng: np.random.Generator, n: int, days: float) -> np.ndarray:
    """First contacts: a quarter in the first weeks of the opening, the others ever more."""
    opening = rng.random(n) < 0.25
    later = days * rng.random(n) ** 0.8  # the density grows with time
    return np.where(opening, rng.exponential(25.0, n).clip(max=days), later)


def _draw_tastes(rng: np.random.Generator, n: int) -> np.ndarray:
    weights = rng.gamma(0.6, 1.0, (n, len(CATEGORIES))) + 0.01  # a Dirichlet with a floor
    return weights / weights.sum(axis=1, keepdims=True)


def _draw_persuadability(rng: np.random.Generator, n: int) -> np.ndarray:
    """Three sorts of people: 40 % can be won, 52 % do not care, 8 % are put off."""
    sort = rng.choice(3, n, p=[0.40, 0.52, 0.08])
    effects = [rng.uniform(0.3, 0.9, n), np.zeros(n), rng.uniform(-0.8, -0.2, n)]
    return np.choose(sort, effects)

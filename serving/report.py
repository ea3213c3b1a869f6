"""The business reader's report: one HTML file that needs nothing but a browser.

It reads in this order: what is at stake and what to do, why they leave, who the customers are, the
figures of the business and its words, the proof. To add a section, write a function from `View` to
`Section` and name it in CHAPTERS; to add a plot, add a function to `report_parts/plots.py`; all
wording is in `report_parts/words/`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from pathlib import Path

import jinja2
import pandas as pd

from serving.report_parts.blocks import Definitions, Section
from serving.report_parts.channels import channels
from serving.report_parts.cohorts import cohorts
from serving.report_parts.decisions import levers, marketing, plan, win_back
from serving.report_parts.evidence import calibration, forecast, gain, metrics, quality
from serving.report_parts.extras import Extras
from serving.report_parts.kpi_sheet import kpis
from serving.report_parts.methods import methods
from serving.report_parts.migration import migration, tier_profile
from serving.report_parts.money_at_risk import money_by_cause
from serving.report_parts.monitoring import monitoring
from serving.report_parts.realised import realised
from serving.report_parts.relationship import lifecycle, loyalty, rungs
from serving.report_parts.retold import retold
from serving.report_parts.rfm import rfm
from serving.report_parts.risk import at_risk, causes, headline, risk_distribution
from serving.report_parts.threshold import threshold
from serving.report_parts.unknown import unknown
from serving.report_parts.value import tiers, value
from serving.report_parts.view import View, view
from serving.report_parts.words import ENGLISH, Words
from training.proof import Proof

logger = logging.getLogger(__name__)

NOTHING_MORE = Extras()

TERMS = (
    "active",
    "horizon",
    "risk",
    "band",
    "value",
    "loss",
    "spend",
    "tier",
    "stage",
    "cause",
    "noticed",
    "rule",
    "grade",
)


def how_to_read(given: View) -> Section:
    """What the words of the report mean."""
    words = given.words
    terms = tuple((words[f"terms.{term}"], words[f"terms.{term}_is"]) for term in TERMS)
    return Section("terms", words["terms.title"], words["terms.lead"], (Definitions(terms),))


Made = Callable[[View], Section]
CHAPTERS: Mapping[str, tuple[Made, ...]] = {
    "act": (headline, quality, at_risk, plan, levers, win_back),
    "risk": (causes, money_by_cause, threshold, risk_distribution),
    "customers": (
        tiers,
        tier_profile,
        migration,
        lifecycle,
        rungs,
        loyalty,
        rfm,
        cohorts,
        marketing,
        channels,
        value,
    ),
    "business": (kpis, unknown, how_to_read),
    "proof": (monitoring, methods, realised, calibration, gain, forecast, metrics),
}
SECTIONS = tuple(section for chapter in CHAPTERS.values() for section in chapter)
AT_THE_FOOT = ("model_versions", "policy", "features")  # facts no business reader begins with


def write_report(
    scores: pd.DataFrame,
    evidence: Proof,
    path: Path,
    *,
    title: str,
    facts: Mapping[str, str],
    extras: Extras = NOTHING_MORE,
    words: Words = ENGLISH,
) -> Path:
    """Write the report on today's scores and the test of the models, and return its path.

    The same input gives the same bytes.

    Args:
        scores: one row per customer; flat columns as the batch scores have them. `customer_id`,
            `as_of`, `status`, `purchase_probability`, `churn_probability`, `expected_value`,
            `tier`, `stage` and `expected_loss` are needed, the others are used when present.
        evidence: what was measured on held-out customers.
        path: the HTML file to write; missing folders are made, an old file is replaced.
        title: the heading of the report.
        facts: label and text pairs for its head: as of, horizon, versions, definition. A label that
            is a key of `facts` in the words is written as they say.
        extras: what the scores cannot give; a section without its part says what it would need.
        words: the language, one of `words.LANGUAGES`.

    Raises:
        UserError: the scores have no customers, or lack a needed column.
    """
    given = view(
        scores, evidence.held_out, evidence.metrics, evidence.note, words, extras, evidence.methods
    )
    chapters = {words[f"page.chapter_{name}"]: [make(given) for make in makes]
                for name, makes in CHAPTERS.items()}  # fmt: skip
    told = {label: (words.get(f"facts.{label}", label), retold(text, words))
            for label, text in facts.items()}  # fmt: skip
    scripts = (name for each in chapters.values() for one in each for name in one.scripts())
    page = _template().render(
        title=title,
        facts=[fact for label, fact in told.items() if label not in AT_THE_FOOT],
        small_facts=[fact for label, fact in told.items() if label in AT_THE_FOOT],
        chapters=chapters,
        scripts=list(dict.fromkeys(scripts)),
        words=words,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page.strip(), encoding="utf-8")
    logger.info("Report on %d customers written to %s", len(scores), path)
    return path


def _template() -> jinja2.Template:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "report_parts"),
        autoescape=True,  # customer ids and factors are other people's text
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2")

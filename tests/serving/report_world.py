"""Customers to report on, and a reader of the page: the material of the report's tests."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd

from serving.report import write_report
from training.proof import Proof

CAUSES = ("natural", "competitive", "fault", "non_malicious", "retaliatory", "malicious")
BAND_CODES = ["high", "medium", "low"]
NO_METRICS = pd.DataFrame(columns=["task", "model", "metric", "value"])
UNTESTED = Proof(None, NO_METRICS, "The data are too short for a test.")
FACTS = {"As of": "2025-06-30", "Horizon": "90 days"}


def customers(n=300, seed=1):
    """Scores as the batch writes them: two thirds active, values skewed, every column there."""
    draw = np.random.default_rng(seed)
    risk = np.where(draw.random(n) < 0.67, draw.uniform(0.02, 0.98, n), np.nan)
    value = draw.lognormal(4, 1.2, n)
    scores = pd.DataFrame(
        {
            "customer_id": [f"C{i}" for i in range(n)],
            "as_of": pd.Timestamp("2025-06-30"),
            "status": np.where(np.isnan(risk), "not_active", "scored"),
            "purchase_probability": 1 - np.nan_to_num(risk, nan=0.95),
            "churn_probability": risk,
            "churn_band": np.select([risk >= 0.6, risk >= 0.3, risk >= 0], BAND_CODES, None),
            "expected_value": value,
            "expected_value_low": value * 0.2,
            "expected_value_high": value * 2.5,
            "tier": draw.choice(["mvc", "mgc", "maintain", "below_zero"], n),
            "stage": draw.choice(["growth", "maturity", "decline"], n),
            "expected_loss": risk * value,
            "max_spend": risk * value * 0.1,
            "retain_advised": True,
            "top_factors": "no purchase for 58 days",
        }
    )
    mix = draw.dirichlet(np.ones(len(CAUSES)), n)
    return scores.assign(**{f"type_{c}": mix[:, i] * risk for i, c in enumerate(CAUSES)})


def held_out(n=1000, seed=2, skill=1.0):
    """A test whose outcomes follow the model's probabilities; `skill` 0 leaves it only noise."""
    draw = np.random.default_rng(seed)
    truth = draw.uniform(0.05, 0.95, n)
    bought = (draw.random(n) < truth).astype(int)
    stated = skill * truth + (1 - skill) * draw.uniform(0.05, 0.95, n)
    expected = stated * draw.lognormal(3, 1, n)
    return pd.DataFrame(
        {
            "customer_id": [f"C{i}" for i in range(n)],
            "as_of": pd.Timestamp("2025-03-31"),
            "is_active": draw.random(n) < 0.8,
            "bought": bought,
            "purchase_probability": stated,
            "baseline_probability": bought.mean(),
            "value": np.where(bought, expected / stated, 0.0),
            "expected_value": expected,
            "expected_value_median": expected * 0.7,
            "expected_value_low": 0.0,
            "expected_value_high": expected * 3,
            "baseline_value": expected.mean(),
        }
    )


def proven(outcomes):
    return Proof(outcomes, NO_METRICS, "Tested as of 2025-03-31.")


class Page(HTMLParser):
    """What a reader or a script finds in the page: figures, tables, texts by id, all it shows."""

    def __init__(self, html):
        super().__init__()
        self.html, self.tags, self.figures, self.tables, self.texts = html, [], {}, {}, {}
        self.shown, self.table, self.inside, self.skipped = [], None, [], None
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.skipped = tag if tag in ("script", "style") else None
        self.tags.append((tag, given))
        if tag == "table":
            self.table = self.tables[given["id"].removeprefix("table-")] = []
        elif tag == "tr":
            self.table.append([])
        elif tag in ("td", "th"):
            self.table[-1].append("")
        elif tag == "data" and self.table:
            self.table[-1][-1] = float(given["value"])
        elif tag == "data":
            self.figures[given["id"].removeprefix("figure-")] = float(given["value"])
        if tag in ("section", "div") and "id" in given:
            self.inside = [given["id"]]
            self.texts[given["id"]] = ""

    def handle_data(self, data):
        if self.skipped is None:
            self.shown.append(data)
        if self.inside:
            self.texts[self.inside[-1]] += data
        if self.table and self.table[-1] and isinstance(self.table[-1][-1], str):
            self.table[-1][-1] += data.strip()

    def handle_endtag(self, tag):
        self.skipped = None
        if tag == "table":
            self.table = None

    def rows(self, name):
        return self.tables[name][1:]


def written(path, scores, evidence=UNTESTED, title="Customers at risk", facts=FACTS, **more):
    """The report on the scores, written and read back."""
    write_report(scores, evidence, path, title=title, facts=facts, **more)
    return Page(path.read_text(encoding="utf-8"))

"""The model card tells whoever reads it what the models are, and are not, for."""

import pandas as pd

from training import card, exposure
from training.value_methods import COLUMNS


def written(learned, metrics):
    tests = learned.churn_test, learned.value_test
    return card.write(learned.models, metrics, learned.panel, *tests)


def test_the_card_has_data_questions_quality_and_limits(trained):
    learned = trained.learned
    text = written(learned, learned.metrics)
    assert text.startswith("# Models as of 2024-12-31\n")
    for heading in ("Questions", "Data", "Quality on customers of an earlier moment", "Limits",
                    "How right it was, by group", "Not for"):  # fmt: skip
        assert f"\n## {heading}\n" in text
    assert "- `churn-60d@1`: Makes no purchase in the 60 days after the cut-off" in text
    assert "- `clv-60d@1`: Money net of returns in the 60 days" in text
    assert f"{len(learned.panel):,} rows of {learned.panel.customer_id.nunique()} customers" in text
    assert "2024-11-01" in text  # the newest cut-off
    assert f"catalogue {learned.models.reference.catalog}." in text
    assert f"Churn causes come from: {learned.models.churn_type.source}." in text


def test_the_card_says_who_was_treated_and_how_that_was_learnt(trained):
    learned = trained.learned
    told = exposure.in_words(learned.panel, exposure.AS_THEY_ARE)
    assert learned.panel.is_treated.any()
    assert f"bend the labels. {told}\n" in written(learned, learned.metrics)


def test_every_metric_is_a_line_of_the_table(trained):
    learned = trained.learned
    text = written(learned, learned.metrics)
    lines = [line for line in text.splitlines() if line.startswith(("| churn", "| clv", "| tier"))]
    assert len(lines) == len(learned.metrics)
    first = learned.metrics.iloc[0]
    assert lines[0] == f"| {first.task} | {first.model} | {first.metric} | {first.value:.4g} |"


def test_without_a_test_the_card_says_so(trained):
    nothing = pd.DataFrame(columns=["task", "model", "metric", "value"])
    learned = trained.learned
    text = card.write(learned.models, nothing, learned.panel, None, None)
    assert "Not tested: the history is too short for a test at an earlier moment." in text
    assert "## How right it was, by group\nNot tested.\n" in text


def test_the_card_tells_the_level_of_the_groups_tested(trained):
    learned = trained.learned
    text = written(learned, learned.metrics)
    groups = text.split("## How right it was, by group\n")[1].split("\n## ")[0]
    assert groups.count("\neveryone ") == 2  # of churn and of value
    assert "\ntier mvc " in groups


def test_the_card_sets_other_ways_to_value_customers_beside_ours(trained):
    learned = trained.learned
    row = dict.fromkeys(COLUMNS[4:], 0.5) | {"origins": 1, "customers": 40, "horizon_days": 60}
    methods = pd.DataFrame([{"method": name, **row} for name in ("ABC", "RFM", "CLV")])
    tests = learned.churn_test, learned.value_test
    text = card.write(learned.models, learned.metrics, learned.panel, *tests, methods)
    ways = text.split("## Other ways to value a customer\n")[1].split("\n## ")[0]
    assert "CLV finds more of them than ABC: +50.0 points (+50.0 to +50.0)." in ways
    assert "40 customers, moments: 1, the best 20 % by the value of the 60 days after" in ways
    text = card.write(learned.models, learned.metrics, learned.panel, None, None)
    assert "## Other ways to value a customer\nNot compared.\n" in text

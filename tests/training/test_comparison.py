"""Two versions side by side, from given figures."""

from training import comparison
from training.comparison import Side

OLD = Side(
    "3",
    {"churn": "churn-90d@1", "clv": "clv-365d@1"},
    ("recency", "age", "visits"),
    {"trees_eta": "0.05", "features": "3"},
    {
        "churn/model/log_loss": 0.60, "churn/baseline/log_loss": 0.65, "churn/model/roc_auc": 0.70,
        "clv/model/coverage_90": 0.95, "clv/model/total_bias": 0.05, "gate/bytes": 5.0,
        "clv/model median/mae": 10.0,
    },
    {"events": "e1", "catalog": "c1", "policy": "policy@2", "trained_as_of": "2024-01-31",
     "gate": "passed"},
)  # fmt: skip
NEW = Side(
    "5",
    {"churn": "churn-60d@1", "clv": "clv-365d@1"},
    ("recency", "age", "gap"),
    {"trees_eta": "0.1", "features": "3"},
    {
        "churn/model/log_loss": 0.55, "churn/baseline/log_loss": 0.64, "churn/model/roc_auc": 0.69,
        "clv/model/coverage_90": 0.88, "clv/model/total_bias": -0.08,
        "clv/model median/mae": 10.001,
    },
    {"events": "e2", "catalog": "c1", "policy": "policy@2", "trained_as_of": "2024-02-29"},
)  # fmt: skip


def test_each_figure_has_its_better_version():
    found = comparison.compare(OLD, NEW)
    assert found.better == {
        "churn/model/log_loss": "5",  # lower
        "churn/model/roc_auc": "3",  # higher
        "clv/model/coverage_90": "5",  # nearer to 90 %
        "clv/model/total_bias": "3",  # nearer to 0
    }  # and the mean absolute errors are equal


def test_baselines_and_what_is_no_models_figure_are_left_out():
    found = comparison.compare(OLD, NEW)
    assert set(found.metrics) == {*found.better, "clv/model median/mae"}


def test_what_differs_is_named():
    found = comparison.compare(OLD, NEW)
    assert found.parameters == {"trees_eta": ("0.05", "0.1")}
    assert found.definitions == {"churn": ("churn-90d@1", "churn-60d@1")}
    assert found.origins == {
        "events": ("e1", "e2"), "trained_as_of": ("2024-01-31", "2024-02-29")
    }  # fmt: skip
    assert (found.only_a, found.only_b) == (("visits",), ("gap",))


def test_the_sentence_says_which_is_better_on_what_and_how_far_to_trust_it():
    assert comparison.compare(OLD, NEW).sentence() == (
        "Version 3 is better on churn/model/roc_auc, clv/model/total_bias; version 5 is better on "
        "churn/model/log_loss, clv/model/coverage_90. They were tested at different moments, so "
        "the days may differ, not the models."
    )
    assert comparison.compare(OLD, OLD).sentence() == "No figure tells them apart."


def test_the_text_has_figures_side_by_side():
    told = comparison.compare(OLD, NEW).in_words()
    assert "churn/model/log_loss                         0.6        0.55  better: 5" in told
    assert "only 5 reads 1 features: gap" in told
    assert "events: e1 -> e2" in told

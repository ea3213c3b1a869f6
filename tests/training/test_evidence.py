"""What the gate looks at: above all which champion may be asked about the days that are tested."""

import json
import shutil
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from features.store import FeatureStore
from features.workspace import Workspace
from training import evidence
from training.evidence import Rival
from training.tasks import TASKS


@pytest.fixture
def business(trained, tmp_path):
    """The promoted models in a workspace of their own, and a way to date them back."""
    space = Workspace(tmp_path / "workspace")
    shutil.copytree(trained.space.models, space.models)

    def dated(version: str, days_ago: int, **other) -> None:
        """Version 1 again, as if it had been trained so many days before the tested moment."""
        origin = trained.learned.value_test.origin.as_of
        for name in TASKS:
            folder = space.models / name / version
            if version != "1":
                shutil.copytree(space.models / name / "1", folder)
            meta = json.loads((folder / "task.json").read_text())
            moment = origin - timedelta(days=days_ago)
            meta |= {"trained_as_of": moment.isoformat(), **other}
            (folder / "task.json").write_text(json.dumps(meta, indent=1))

    def rival(name="churn"):
        test = trained.learned.value_test
        definition = trained.learned.models.tasks[name].definition
        return evidence.rival(space, name, test, definition)

    return space, dated, rival


def test_who_has_seen_the_tested_days_is_not_asked(business):
    _, _, rival = business
    assert rival() == (
        "every champion so far was trained after 2024-11-01 and has learnt from the days that are "
        "tested"
    )


def test_a_champion_of_before_is_asked_about_the_same_customers(business, trained):
    _, dated, rival = business
    dated("1", 0)
    found = rival()
    assert isinstance(found, Rival)
    held_out = trained.learned.value_test.held_out
    assert found.version == "churn@1"
    np.testing.assert_array_equal(found.forecast, trained.learned.models.churn.predict(held_out))
    value = rival("clv")
    median = trained.learned.models.clv.predict(held_out).expected_value_median
    np.testing.assert_array_equal(value.forecast, median)


def test_else_the_former_one_that_was_trained_last(business):
    _, dated, rival = business  # the champion stays too new
    dated("2", 300)
    dated("3", 30)
    dated("4", 200)
    assert rival().version == "churn@3"


def test_the_champion_itself_comes_first(business):
    _, dated, rival = business
    dated("1", 100)
    dated("2", 10)
    assert rival().version == "churn@1"


def test_another_question_is_no_comparison(business):
    _, dated, rival = business
    dated("1", 30, definition="churn-90d@1")
    assert rival() == "no champion so far answers churn-60d@1"


def test_a_copy_that_was_never_finished_is_no_champion(business):
    space, dated, rival = business
    dated("2", 30)
    (space.models / "churn" / "2").rename(space.models / "churn" / ".2.staging")
    assert rival().startswith("every champion so far was trained after")


def test_without_a_champion_or_a_test_it_says_so(tmp_path, trained):
    space, test = Workspace(tmp_path), trained.learned.value_test
    assert evidence.rival(space, "churn", test, "churn-60d@1") == "there was no champion yet"
    assert evidence.rival(space, "churn", None, "churn-60d@1") == (
        "there is no test at an earlier moment"
    )


def test_totals_are_of_the_same_customers(trained):
    models, store = trained.learned.models, FeatureStore(trained.space)
    today = store.snapshot(trained.request.as_of)
    rows = today[today.purchase_days_total > 0].reset_index(drop=True)
    found = evidence.totals(models, models, rows)
    assert (found.leavers, found.value) == (found.champion_leavers, found.champion_value)
    active = rows[rows.recency < 120].assign(horizon_days=60)
    assert found.leavers == pytest.approx((1.0 - models.churn.predict(active)).sum())
    assert evidence.totals(models, "there is no champion yet", rows) == "there is no champion yet"


def test_totals_of_another_question_are_not_compared(trained):
    models = trained.learned.models
    longer = {**models.tasks, "clv": replace(models.tasks["clv"], horizon_days=365)}
    other = replace(models, tasks=longer)
    today = trained.learned.value_test.held_out
    assert evidence.totals(models, other, today) == (
        "the champion answers another question, clv-365d@1 instead of clv-60d@1"
    )


def test_a_champion_that_knows_features_we_do_not_have_is_not_compared(trained):
    models = trained.learned.models
    today = trained.learned.value_test.held_out.drop(columns=list(models.churn.design.numbers[:1]))
    assert evidence.totals(models, models, today).startswith("the champion cannot read today's")


def test_all_of_it_is_gathered_and_nothing_is_written(trained, business):
    space, dated, _ = business
    dated("1", 0)
    learned = trained.learned
    tests = learned.churn_test, learned.value_test
    before = sorted(space.root.rglob("*"))
    found = evidence.gather(
        space, FeatureStore(trained.space), learned.models, tests, learned.probes
    )
    assert sorted(space.root.rglob("*")) == before
    assert isinstance(found.churn_rival, Rival)
    assert isinstance(found.totals, evidence.Totals)
    assert found.answers == found.reloaded
    assert found.size == found.champion_size  # the same models
    assert min(found.milliseconds, found.champion_milliseconds) > 0.0
    assert found.churn_groups.segment.iloc[0] == "everyone"
    assert datetime.fromisoformat("2024-11-01") < found.churn_test.origin.as_of

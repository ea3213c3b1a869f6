"""The search for trees: on past days only, within its time, gone on with, used only when better."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from features.store import FeatureStore
from training import search
from training.models.boosters import STANDARD, Trees
from training.models.boosting import Boosting
from training.tasks import ACTIVE_HORIZONS


class Law:
    """A past cut-off on which the loss of some trees is given by a law, with chance on top."""

    def __init__(self, loss, seed):
        self.loss = loss
        self.noise = np.random.default_rng(seed).normal(0.0, 0.05, 400)
        self.active = pd.DataFrame({"customer_id": [f"C{number}" for number in range(400)]})
        self.asked = []

    def losses(self, trees, features):
        self.asked.append(trees)
        return self.loss(trees) + self.noise


def pasts(loss):
    return [Law(loss, seed) for seed in range(3)]


def better_when_slow(trees):
    """The slower the better: the standard's 0.05 is in the middle."""
    return 0.5 + 0.2 * np.log(trees.eta / 0.05)


@pytest.fixture(autouse=True)
def children(monkeypatch):
    """What is written into child runs, without MLflow."""
    written = []

    class Child:
        def __init__(self, name, tags):
            written.append(SimpleNamespace(name=name, tags=tags))

        def __enter__(self):
            return "run"

        def __exit__(self, *_):
            return None

    def log_facts(parameters, metrics):
        written[-1].parameters, written[-1].metrics = parameters, metrics

    fake = SimpleNamespace(child=Child, log_facts=log_facts)
    monkeypatch.setattr(search, "registry", fake)
    return written


def test_trees_that_are_better_beyond_chance_are_used(tmp_path, children):
    found = search.search(pasts(better_when_slow), (), 5.0, tmp_path, most=12)
    assert found.trees.eta < 0.05
    assert found.sentence.startswith("New trees are used: of 12 tries on 3 past moments")
    assert found.tried == 12
    assert [child.name for child in children] == [f"trees {number}" for number in range(12)]
    complete = [child for child in children if child.tags == {"state": "complete"}]
    assert complete[0].metrics["standard"] == pytest.approx(0.5, abs=0.01)
    assert set(complete[0].parameters) == set(vars(STANDARD))


def test_a_lucky_try_does_not_replace_the_standard(tmp_path):
    # Nothing matters: every difference is chance, of which the best of twelve has had the most.
    count = iter(range(10_000))

    def luck(trees):
        return 0.5 + np.random.default_rng(next(count)).normal(0.0, 0.05, 400)

    found = search.search(pasts(luck), (), 5.0, tmp_path, most=12)
    assert found.trees == STANDARD
    assert found.sentence.startswith("The standard trees are kept: of 12 tries")


def test_tries_that_are_worse_from_the_start_are_given_up(tmp_path, children):
    given = pasts(better_when_slow)
    found = search.search(given, (), 5.0, tmp_path, most=30)
    assert found.pruned > 0
    assert len(given[2].asked) < len(given[0].asked)  # the later moments were spared
    assert sum(child.tags == {"state": "pruned"} for child in children) == found.pruned


def test_an_ended_search_goes_on_within_its_time(tmp_path):
    first = search.search(pasts(better_when_slow), (), 5.0, tmp_path, most=4)
    second = search.search(pasts(better_when_slow), (), 5.0, tmp_path, most=4)
    assert (first.tried, second.tried) == (4, 8)
    trials = search._study(tmp_path).get_trials()
    assert len({tuple(trial.params.values()) for trial in trials}) == 8  # none drawn twice
    given = pasts(better_when_slow)
    spent = search.search(given, (), search._spent(search._study(tmp_path)) / 60.0, tmp_path)
    assert spent.tried == 8  # the time was used up


def test_without_a_past_the_standard_stays(tmp_path):
    found = search.search([], (), 5.0, tmp_path)
    assert (found.trees, found.sentence) == (
        STANDARD, "No trees were searched: the history is too short."
    )  # fmt: skip
    assert search.from_dict(search.to_dict(found)) == found


def test_no_outcome_after_the_gates_moment_is_looked_at(trained):
    test = trained.learned.value_test
    store = FeatureStore(trained.space)
    found = search.pasts(store, test.origin.as_of, 60, origins=2)
    assert found
    for past in found:
        assert past.origin.matured_at <= test.origin.as_of
        assert (past.active.recency < ACTIVE_HORIZONS * 60).all()


def test_trees_are_grown_as_given_and_stored_with_the_model(shop, tmp_path):
    from tests.training import known_truth

    trees = Trees(eta=0.2, max_depth=1, smoothing=2.0, least_leaf_rows=20.0)
    model = Boosting.fit(shop.panel, shop.today, shop.as_of, known_truth.FEATURES, trees)
    assert max(line.count("\t") for dump in model.with_level.get_dump()
               for line in dump.splitlines()) <= 1  # fmt: skip
    model.save(tmp_path)
    assert Boosting.load(tmp_path).trees == trees


def test_models_of_before_have_the_standard_trees(two_part, tmp_path):
    import json

    two_part.purchase.save(tmp_path)
    path = tmp_path / "model.json"
    stored = json.loads(path.read_text())
    assert stored.pop("trees") == vars(STANDARD)
    path.write_text(json.dumps(stored))
    assert Boosting.load(tmp_path).trees == STANDARD

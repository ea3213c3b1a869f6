"""A retraining that searches first: when it looks, and what becomes of what it finds."""

from datetime import datetime
from types import SimpleNamespace

import pytest

from training import evaluate, registry, retrain, search
from training.models.boosters import STANDARD, Trees
from training.phases import Phases
from training.request import Request
from training.retrain import Order
from training.search import Searched
from training.split import CutOff

AS_OF, ORIGIN = datetime(2024, 12, 31), datetime(2024, 10, 2)
FOUND = Searched(Trees(eta=0.1, max_depth=2), 9, 4, "New trees are used: of 9 tries.")


@pytest.fixture
def asked(monkeypatch):
    """What the search was asked, without searching."""
    seen = SimpleNamespace(untils=[], searches=[], tags={})

    def pasts(store, until, horizon_days, treated):
        seen.untils.append((until, horizon_days))
        return ["past"]

    def searched(given, features, minutes, folder, progress):
        seen.searches.append((given, minutes, folder))
        return FOUND

    monkeypatch.setattr(evaluate, "newest_origin", lambda *_: CutOff(ORIGIN, 90))
    monkeypatch.setattr(search, "pasts", pasts)
    monkeypatch.setattr(search, "search", searched)
    monkeypatch.setattr(registry, "tag", seen.tags.update)
    return seen


STORE = SimpleNamespace(feature_names=("recency",))


def test_it_is_off_by_default(asked, tmp_path):
    request = Request(AS_OF, 90, 365)
    phases = Phases(tmp_path, lambda _: None)
    assert retrain._with_trees(STORE, Order(request), phases) is request
    assert asked.searches == []


def test_it_stands_where_the_gates_test_begins_and_is_done_once(asked, tmp_path):
    order = Order(Request(AS_OF, 90, 365), search_minutes=5.0)
    for _ in range(2):
        request = retrain._with_trees(STORE, order, Phases(tmp_path, lambda _: None))
        assert request.trees == FOUND.trees
    assert asked.untils == [(ORIGIN, 90)]
    assert asked.searches == [(["past"], 5.0, tmp_path)]
    assert asked.tags == {"search": FOUND.sentence}


def test_what_was_found_belongs_to_the_horizon_of_churn():
    trees = FOUND.trees
    assert Request(AS_OF, 90, 365, trees=trees).value_trees == STANDARD
    assert Request(AS_OF, 90, 90, trees=trees).value_trees == trees

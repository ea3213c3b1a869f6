"""A customer erased to the end, and the receipt that says so without his name."""

import json
import shutil
from datetime import datetime

import pandas as pd
import pytest

from features.errors import Unavailable
from features.store import FeatureStore
from features.workspace import Workspace
from serving import batch, plan_files, planner
from serving.erasure import erase, is_genuine
from serving.policy import POLICY
from serving.profile import history
from tests.serving.conftest import AS_OF
from training import champion
from training.proof import COLUMNS, Proof
from training.tasks import TASKS

NOW = datetime(2025, 1, 1, 8)
HIM = "C000005"
METRICS = ["task", "model", "metric", "value"]


@pytest.fixture
def space(trained_workspace, tmp_path):
    """A workspace of our own, with scores and a report that name the customer."""
    space = Workspace(tmp_path / "workspace")
    shutil.copytree(trained_workspace.root, space.root)
    scores = batch.score_everyone(space, champion.load(space), POLICY, AS_OF)
    batch.write(scores, batch.score_path(space, AS_OF))
    for name, text in (("2024-12-31", f"<p>{HIM}</p>"), ("2024-11-30", "<p>C000007</p>")):
        page = space.reports / f"as_of={name}" / "report.html"
        page.parent.mkdir(parents=True)
        page.write_text(text)
    return space


def test_he_is_nowhere_afterwards_and_the_others_stay(space):
    path = batch.score_path(space, AS_OF)
    before = pd.read_parquet(path)
    receipt = erase(space, FeatureStore(space), HIM, NOW)
    assert receipt.rows["transactions"] > 0
    assert (receipt.was_online, receipt.score_tables) == (True, 1)
    store = FeatureStore(space)
    assert store.latest([HIM, "C000007"]).status.tolist() == ["missing", "present"]
    assert store.recent_events(HIM, 10) == []
    assert HIM not in store.snapshot(AS_OF).customer_id.tolist()
    assert history(space, HIM) == []
    pd.testing.assert_frame_equal(
        pd.read_parquet(path), before[before.customer_id != HIM].reset_index(drop=True)
    )
    assert [page.parent.name for page in space.reports.glob("*/report.html")] == [
        "as_of=2024-11-30"
    ]


def test_reports_of_every_language_that_name_him_go(space):
    page = space.reports / "as_of=2024-11-30" / "report.zh.html"
    page.write_text(f"<p>{HIM}</p>")
    erase(space, FeatureStore(space), HIM, NOW)
    assert sorted(path.name for path in space.reports.glob("*/*")) == ["report.html"]


def test_he_is_no_longer_among_those_the_models_were_tested_on(space):
    held_out = pd.DataFrame({"customer_id": [HIM, "C000007"], "value": [3.0, 5.0]})
    held_out = held_out.reindex(columns=list(COLUMNS))
    metrics = pd.DataFrame([("churn", "model", "roc_auc", 0.7)], columns=METRICS)
    Proof(held_out, metrics, "").save(space.models / "proof")
    erase(space, FeatureStore(space), HIM, NOW)
    left = Proof.load(space.models / "proof")
    assert left.held_out is not None
    assert left.held_out.customer_id.tolist() == ["C000007"]
    assert left.held_out.value.tolist() == [5.0]
    pd.testing.assert_frame_equal(left.metrics, metrics)


def test_a_plan_without_him_still_says_what_it_rests_on(space):
    path = plan_files.path(space, AS_OF)
    made = planner.plan(pd.read_parquet(batch.score_path(space, AS_OF)), planner.Terms())
    plan_files.write(made, path)
    him = made.table.customer_id.iloc[0]
    erase(space, FeatureStore(space), him, NOW)
    left = plan_files.read(path)
    assert him not in left.table.customer_id.tolist()
    assert left.facts == made.facts


def test_parts_of_a_batch_that_was_ended_go_with_him(space):
    parts = batch.score_path(space, AS_OF).parent / ".parts-of-a-run"
    parts.mkdir()
    (parts / "000000.parquet").write_text(HIM)
    erase(space, FeatureStore(space), HIM, NOW)
    assert not parts.exists()


def test_while_a_batch_is_scored_nobody_is_erased(space):
    with (
        batch.alone(batch.score_path(space, AS_OF).parent),
        pytest.raises(Unavailable, match="being written by another run"),
    ):
        erase(space, FeatureStore(space), HIM, NOW)
    assert FeatureStore(space).latest([HIM]).status.tolist() == ["present"]


def test_the_receipt_names_the_models_and_not_him(space):
    receipt = erase(space, FeatureStore(space), HIM, NOW)
    assert receipt.models == [f"{name}@1" for name in sorted(TASKS)]
    assert receipt.note == "retrain"
    (kept,) = (space.root / "erasures").glob("*.json")
    assert json.loads(kept.read_text()) == receipt.model_dump()
    assert HIM not in kept.read_text()
    assert is_genuine(space, receipt)
    assert not is_genuine(space, receipt.model_copy(update={"models": []}))


def test_models_of_a_time_before_him_have_not_learnt_from_him(space):
    meta = space.models / "churn" / "1" / "task.json"
    stored = json.loads(meta.read_text())
    meta.write_text(json.dumps(stored | {"trained_as_of": "2019-12-31T00:00:00"}))
    receipt = erase(space, FeatureStore(space), HIM, NOW)
    assert "churn@1" not in receipt.models
    assert "clv@1" in receipt.models


def test_twice_is_harmless_and_nobody_is_not_an_error(space):
    erase(space, FeatureStore(space), HIM, NOW)
    for customer_id in (HIM, "nobody"):
        receipt = erase(space, FeatureStore(space), customer_id, NOW)
        assert set(receipt.rows.values()) == {0}
        assert (receipt.was_online, receipt.models, receipt.note) == (False, [], None)


def test_the_route_gives_the_receipt(service):
    row = {"event_id": "gone-1", "customer_id": "N/gone", "happened_at": "2025-01-01T06:00:00",
           "amount": 10.0}  # fmt: skip
    assert service.post("/events", json={"transactions": [row]}).status_code == 200
    answer = service.delete("/customers/N/gone")
    assert answer.status_code == 200, answer.text
    assert answer.json()["rows"]["transactions"] == 1
    (found,) = service.post("/score", json={"customer_ids": ["N/gone"]}).json()["scores"]
    assert found["status"] == "unknown"
    # A till that sends the same call again does not bring him back.
    again = service.post("/events", json={"transactions": [row]}).json()["transactions"]
    assert (again["taken"], again["repeated"]) == (0, 1)
    (found,) = service.post("/score", json={"customer_ids": ["N/gone"]}).json()["scores"]
    assert found["status"] == "unknown"

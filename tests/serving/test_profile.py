"""A profile tells what is known of a customer, and what batches said of him before."""

from datetime import timedelta

import pytest

from serving import batch
from serving.policy import POLICY
from serving.profile import history
from tests.serving.conftest import AS_OF
from training import champion


@pytest.fixture(scope="module")
def scored(served_workspace):
    """The scores of the workspace's own moment, stored as the batch stores them."""
    scores = batch.score_everyone(served_workspace, champion.load(served_workspace), POLICY, AS_OF)
    batch.write(scores, batch.score_path(served_workspace, AS_OF))
    yield scores.set_index("customer_id")
    batch.score_path(served_workspace, AS_OF).unlink()


def profile(service, customer_id):
    answer = service.post("/profile", json={"customer_id": customer_id})
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_customer_has_features_score_events_and_earlier_scores(service, scored):
    found = profile(service, "C000005")
    (asked,) = service.post("/score", json={"customer_ids": ["C000005"], "explain": True}).json()[
        "scores"
    ]
    assert {**found["score"], "request_id": ""} == {**asked, "request_id": ""}
    features = {each["name"]: each for each in found["features"]}
    assert features["recency"]["family"] == "rhythm"
    assert features["recency"]["about"].startswith("Days since the last purchase")
    moments = [event["happened_at"] for event in found["events"]]
    assert moments == sorted(moments, reverse=True)
    assert {event["table"] for event in found["events"]} <= {"transactions", "interactions"}
    (before,) = found["history"]
    assert before["as_of"] == AS_OF.isoformat()
    assert before["tier"] == scored.tier["C000005"]
    assert before["expected_value"] == scored.expected_value["C000005"]


def test_of_nobody_there_is_nothing_to_tell(service):
    found = profile(service, "nobody")
    assert found["score"]["status"] == "unknown"
    assert (found["features"], found["events"], found["history"]) == ([], [], [])


def test_the_newest_batch_comes_first(served_workspace, scored):
    later = AS_OF + timedelta(days=1)
    path = batch.score_path(served_workspace, later)
    batch.write(scored.reset_index().assign(as_of=later), path)
    try:
        found = [row["as_of"] for row in history(served_workspace, "C000005")]
    finally:
        path.unlink()
    assert found == [later.isoformat(), AS_OF.isoformat()]

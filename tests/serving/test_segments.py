"""Who is on each list, and who came and went since the scores before."""

import pyarrow.parquet as pq
import pytest

from features.errors import UserError
from serving import batch, segments
from serving.policy import POLICY
from serving.score import score
from serving.segments import SEGMENTS
from tests.serving import made_scores, stub_models
from tests.serving.made_scores import APRIL, MARCH

TO_RETAIN = {segment.name for segment in SEGMENTS if segment.is_to_retain}


def lists(table):
    """Segment -> its customers, those of empty ones left out."""
    found = {}
    for row in table.to_pylist():
        found.setdefault(row["segment"], []).append(row["customer_id"])
    return found


def changed(table):
    return [tuple(row.values()) for row in table.to_pylist()]


def test_the_members_of_each_list(tmp_path):
    lapsed = {"status": "not_active", "churn_band": None, "max_spend": 0.0}
    scores = made_scores.write(
        tmp_path / "scores.parquet",
        back={**lapsed, "abc": "A", "purchase_probability": 0.1},
        calm={"churn_band": "low"},
        due={"churn_band": "low", "days_past_due": 0.0},
        far={**lapsed, "abc": "A", "purchase_probability": 0.09},
        free={"max_spend": 0.0},
        gone=lapsed,
        grown={"tier": "mgc"},
        high={},
        jack={"retain_advised": False},
        once={**lapsed, "tier": "mvc"},
        poor={"tier": "below_zero", "retain_advised": False},
        rich={"tier": "mvc"},
        told={"status": "already_churned", "churn_band": None, "tier": "mvc"},
    )
    assert lists(segments.members(scores)) == {
        "high_risk": ["free", "grown", "high", "jack", "poor", "rich"],
        "retain": ["grown", "high", "rich"],
        "valuable_at_risk": ["grown", "rich"],
        "lapsed": ["back", "far", "gone", "once"],
        "win_back": ["back", "once", "told"],
        "credit_watch": ["due"],
        "do_not_retain": ["jack", "poor"],
    }


@pytest.mark.parametrize("status", ["scored", "not_active"])
@pytest.mark.parametrize("changes", [{"retain_advised": False}, {"tier": "below_zero"}])
def test_who_is_not_to_be_kept_is_on_no_list_that_is_there_to_keep(changes, status, tmp_path):
    scores = made_scores.write(
        tmp_path / "scores.parquet",
        **{tier: {"tier": tier, "status": status, **changes} for tier in ("mvc", "mgc", "keep")},
    )
    assert not TO_RETAIN & set(lists(segments.members(scores)))
    assert len(lists(segments.members(scores))["do_not_retain"]) == 3


def test_the_likely_malicious_are_scored_onto_no_list_that_is_there_to_keep(tmp_path):
    rows = stub_models.rows({})
    for cause, kept in (("malicious", set()), ("fault", {"retain"})):
        models = stub_models.models(stays=0.1, shares={cause: 0.9, "natural": 0.1})
        scores = tmp_path / f"{cause}.parquet"
        batch.write(score(rows, models, POLICY), scores)
        assert TO_RETAIN & set(lists(segments.members(scores))) == kept


def test_every_list_says_what_it_is_for():
    assert {"retain", "valuable_at_risk", "win_back"} == TO_RETAIN
    assert len({segment.name for segment in SEGMENTS}) == len(SEGMENTS)
    assert all(segment.about.endswith(".") for segment in SEGMENTS)


def test_who_came_and_who_went(tmp_path):
    before = made_scores.write(
        tmp_path / "before.parquet", bob={}, erased={}, stays={}, rises={"tier": "mvc"}
    )
    now = made_scores.write(
        tmp_path / "now.parquet", APRIL, ann={}, bob={"churn_band": "low"}, rises={}, stays={}
    )
    assert changed(segments.changes(before, now)) == [
        ("high_risk", "ann", "added"),
        ("high_risk", "bob", "removed"),
        ("high_risk", "erased", "removed"),
        ("retain", "ann", "added"),
        ("retain", "bob", "removed"),
        ("retain", "erased", "removed"),
        ("valuable_at_risk", "rises", "removed"),
    ]
    assert changed(segments.changes(now, now)) == []


def test_without_scores_before_everybody_is_added(tmp_path):
    scores = made_scores.write(tmp_path / "scores.parquet", ann={})
    assert changed(segments.changes(None, scores)) == [
        ("high_risk", "ann", "added"),
        ("retain", "ann", "added"),
    ]


def test_lists_lie_beside_the_scores_and_tell_of_the_newest_moment_before(workspace):
    may = APRIL.replace(month=5)
    for as_of, who in ((MARCH, {"ann": {}}), (APRIL, {"bob": {}}), (may, {"carl": {}})):
        made_scores.write(batch.score_path(workspace, as_of), as_of, **who)

    listed, changes = segments.write(workspace, APRIL)

    assert listed == batch.score_path(workspace, APRIL).with_name("segments.parquet")
    assert lists(pq.ParquetFile(listed).read()) == {"high_risk": ["bob"], "retain": ["bob"]}
    assert changed(pq.ParquetFile(changes).read()) == [
        ("high_risk", "ann", "removed"),
        ("high_risk", "bob", "added"),
        ("retain", "ann", "removed"),
        ("retain", "bob", "added"),
    ]
    assert segments.previous(workspace, MARCH) is None


def test_a_moment_without_scores_is_refused(workspace):
    with pytest.raises(UserError) as refused:
        segments.write(workspace, MARCH)
    assert str(refused.value) == (
        "There are no scores as of 2025-03-31 23:59 to make lists of. "
        "Make them first: holdfast score --as-of 2025-03-31T23:59:59.999999."
    )

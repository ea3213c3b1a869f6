"""Stored scores made again: the same bits, whatever came later; and what is told otherwise."""

import json
import shutil
from dataclasses import replace
from datetime import datetime, timedelta

import ibis
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

import holdfast
from features import workspace as workspaces
from features.errors import UserError
from features.store import FeatureStore
from features.workspace import Workspace
from serving import batch, made_of, moved, parts, replay
from serving.erasure import erase
from serving.policy import POLICY
from tests.serving.conftest import AS_OF, promote
from training import champion, examples
from training.tasks import TASKS

HIM = "C000005"
SIZE = 100
BEFORE = AS_OF - timedelta(days=61)  # 2024-10-31


@pytest.fixture(scope="module")
def scored(trained_workspace, tmp_path_factory):
    """The small business with the scores of two moments, the later with another policy."""
    copied = shutil.copytree(
        trained_workspace.root, tmp_path_factory.mktemp("replay") / "workspace"
    )
    space = Workspace(copied)
    shutil.rmtree(space.scores, ignore_errors=True)
    batch.score_file(space, POLICY, BEFORE, processes=1, size=SIZE)
    policy = replace(POLICY, version=4, save_rate=0.2)
    batch.score_file(space, policy, AS_OF, processes=1, size=SIZE)
    return space


@pytest.fixture
def space(scored, tmp_path):
    """A copy to change: hard links become files of their own, as in a backup."""
    return Workspace(shutil.copytree(scored.root, tmp_path / "workspace"))


def folder(space):
    return made_of.folder_of(space, AS_OF)


def late_order(space, customer_id=HIM):
    """An order of last summer that is brought in only now, though it was known then."""
    row = {
        "customer_id": customer_id, "order_id": "late", "happened_at": datetime(2024, 7, 1),
        "amount": 999.0, "known_at": datetime(2024, 7, 2),
    }  # fmt: skip
    workspaces.ingest(space, {"transactions": ibis.memtable(pd.DataFrame([row]))})


def test_what_a_batch_was_made_of_stands_beside_it(scored):
    made = made_of.read(folder(scored))
    assert made.as_of == AS_OF.isoformat()
    assert made.customers == batch.customers_in(batch.score_path(scored, AS_OF))
    assert made.versions == dict.fromkeys(TASKS, "1")
    assert made.definitions["churn"] == "churn-60d@1"
    assert made.rules == replace(POLICY, version=4, save_rate=0.2)
    assert made.policy["label"] == "policy@4"
    assert made.former == BEFORE.isoformat()
    assert made.code == parts.code_digest()
    assert made.models == champion.digest(scored, made.versions)


def test_the_features_take_no_room_until_they_are_built_anew(scored):
    kept = sorted(folder(scored).glob("features/*/part.parquet"))
    assert len(kept) > 10
    for file in kept:
        snapshot = scored.features / file.parent.name / folder(scored).name / "part.parquet"
        assert file.samefile(snapshot)


def test_a_whole_batch_is_made_again_to_the_last_bit(scored):
    found = replay.everybody(scored, AS_OF, size=77)  # cut elsewhere than the batch was
    stored = pq.read_table(batch.score_path(scored, AS_OF))
    assert found.is_equal, found.in_words()
    assert found.remarks == ()
    assert found.customers == len(stored)
    assert found.compared == len(stored) * len(stored.column_names)
    assert stored["tier_previous"].null_count < len(stored)  # so that former tiers count here


def test_one_customer_is_made_again_to_the_last_bit(scored):
    found = replay.customer(scored, HIM, AS_OF)
    assert found.is_equal, found.in_words()
    assert "equal to the last bit" in found.in_words()
    assert (found.facts["equal"], found.facts["customers"]) == (True, 1)


def test_other_models_that_were_promoted_since_change_nothing(space):
    promote(space, "2")
    ranks = space.models / "churn" / "2" / "ranks.json"
    told = json.loads(ranks.read_text())
    ranks.write_text(json.dumps(told | {"churn_percentiles": [0.0] * 101}))
    assert champion.versions(space)["churn"] == "2"
    assert replay.everybody(space, AS_OF).is_equal


def test_events_that_came_late_change_nothing(scored, tmp_path):
    space = Workspace(tmp_path / "workspace")
    shutil.copytree(scored.root, space.root)
    before = FeatureStore(space).snapshot(AS_OF, [HIM]).spend_total.iloc[0]
    late_order(space)
    store = FeatureStore(space)
    list(store.build([AS_OF]))
    assert store.snapshot(AS_OF, [HIM]).spend_total.iloc[0] == pytest.approx(before + 999.0)
    found = replay.customer(space, HIM, AS_OF)
    assert found.is_equal, found.in_words()
    assert replay.everybody(space, AS_OF).is_equal


def test_a_stored_score_that_was_tampered_with_is_told(space):
    path = batch.score_path(space, AS_OF)
    table = pq.read_table(path)
    values = table["expected_value"].to_pylist()
    at = table["customer_id"].to_pylist().index(HIM)
    values[at] *= 1 + 2e-16
    place = table.column_names.index("expected_value")
    pq.write_table(table.set_column(place, "expected_value", pa.array(values)), path)
    found = replay.everybody(space, AS_OF)
    assert dict(found.counts) == {"expected_value": 1}
    assert list(found.differing["expected_value"]) == [HIM]
    assert "scores.parquet is not the file" in found.in_words()
    assert not replay.customer(space, HIM, AS_OF).is_equal


def test_a_kept_feature_that_was_tampered_with_is_told(space):
    path = folder(space) / "features" / "purchases" / "part.parquet"
    table = pq.read_table(path)
    place = table.column_names.index("spend_total")
    values = [value + 1.0 for value in table["spend_total"].to_pylist()]
    column = pa.array(values, table.schema.field("spend_total").type)
    pq.write_table(table.set_column(place, "spend_total", column), path)
    found = replay.customer(space, HIM, AS_OF)
    assert "clv_historical" in found.counts
    assert "features/purchases/part.parquet is not the file" in found.in_words()


def test_kept_features_that_cannot_be_are_refused_with_the_file_that_was_changed(space):
    path = folder(space) / "features" / "rhythm" / "part.parquet"
    table = pq.read_table(path)
    values = [None if value is None else value + 1.0 for value in table["recency"].to_pylist()]
    column = pa.array(values, table.schema.field("recency").type)
    place = table.column_names.index("recency")
    pq.write_table(table.set_column(place, "recency", column), path)
    with pytest.raises(UserError, match=r"rhythm/part\.parquet is not the file .* histories"):
        replay.everybody(space, AS_OF)


def test_models_of_another_content_are_told(space):
    cuts = space.models / "tier" / "1" / "cuts.json"
    told = json.loads(cuts.read_text())
    cuts.write_text(json.dumps(told, indent=3))  # the same cuts, other bytes
    found = replay.customer(space, HIM, AS_OF)
    assert found.is_equal
    assert found.remarks == (
        "The files of the models are not those of then: their content differs.",
    )


def test_another_program_is_told(space):
    made = made_of.read(folder(space))
    made_of.write(folder(space), replace(made, code="0", libraries={"numpy": "1.0"}))
    said = replay.customer(space, HIM, AS_OF).in_words()
    assert "another version" in said
    assert "numpy was 1.0 then" in said


@pytest.mark.parametrize(
    ("gone", "told"),
    [("models/clv/1", r"clv@1 is no longer"),
     ("scores/as_of=2024-12-31/features", r"features .* are gone"),
     ("scores/as_of=2024-12-31/features/purchases", r"purchases/part.parquet is missing"),
     ("scores/as_of=2024-12-31/made_of.json", r"was not kept")],
)  # fmt: skip
def test_what_is_gone_is_named(space, gone, told):
    path = space.root / gone
    shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(UserError, match=told):
        replay.customer(space, HIM, AS_OF)


def test_a_moment_without_scores_is_answered_by_those_there_are(scored):
    with pytest.raises(UserError, match="There are scores as of 2024-10-31, 2024-12-31"):
        replay.everybody(scored, datetime(2024, 1, 31))


def test_an_erased_customer_is_in_no_kept_feature_and_the_others_are_made_again(scored, tmp_path):
    space = Workspace(tmp_path / "workspace")
    shutil.copytree(scored.root, space.root)
    for file in folder(space).glob("features/*/part.parquet"):  # a copy has no links: link again
        snapshot = space.features / file.parent.name / folder(space).name / "part.parquet"
        file.unlink()
        file.hardlink_to(snapshot)
    receipt = erase(space, FeatureStore(space), HIM, datetime(2025, 1, 1))
    assert receipt.kept_features == 2
    files = sorted(space.scores.glob("as_of=*/features/*/part.parquet"))
    assert files
    for file in files:
        assert HIM not in pq.read_table(file, columns=["customer_id"])["customer_id"].to_pylist()
        if file.parents[2] == folder(space):
            snapshot = space.features / file.parent.name / folder(space).name / "part.parquet"
            assert file.samefile(snapshot)  # no second copy because of the erasure
    found = replay.everybody(space, AS_OF)
    assert found.is_equal, found.in_words()
    assert found.remarks == ()
    with pytest.raises(UserError, match="not in the scores"):
        replay.customer(space, HIM, AS_OF)


def test_between_two_batches_the_parts_sum_and_features_tell_the_data_part(scored):
    found = moved.between(scored, HIM, BEFORE, AS_OF)
    assert set(found.kinds) == {"data", "policy"}
    for told in found.numbers.values():
        if None not in (told["before"], told["after"]):
            change = told["after"] - told["before"]
            assert sum(told["parts"].values()) == pytest.approx(change, rel=1e-12, abs=1e-12)
    assert found.unexplained == pytest.approx(0.0, abs=1e-9)
    risk = -found.numbers["purchase_probability"]["parts"]["data"]
    features = sum(feature["part"] for feature in found.features) + found.others
    assert features == pytest.approx(risk, abs=1e-9)
    json.dumps(found.facts)
    assert "policy@4 (save_rate, version)" in found.in_words()


def test_another_model_beside_other_data_shares_the_change(space, monkeypatch):
    monkeypatch.setattr(examples, "differences", lambda told, said: [])
    promote(space, "2")
    file = space.models / "churn" / "2" / "model.json"
    told = json.loads(file.read_text())
    file.write_text(json.dumps(told | {"slope": 0.5 * told["slope"]}))
    batch.score_file(space, POLICY, AS_OF, processes=1)
    found = moved.between(space, HIM, BEFORE, AS_OF)
    assert set(found.kinds) == {"data", "model"}
    assert "churn 1" in found.kinds["model"][0]
    assert "churn 2" in found.kinds["model"][1]
    told = found.numbers["purchase_probability"]
    assert told["parts"]["model"] != 0.0
    assert sum(told["parts"].values()) == pytest.approx(told["after"] - told["before"], abs=1e-12)
    assert found.unexplained == pytest.approx(0.0, abs=1e-9)


def test_the_verbs_say_it_as_json_and_end_with_one_when_a_bit_differs(space, monkeypatch):
    monkeypatch.setenv("HOLDFAST_HOME", str(space.root))

    def run(*words):
        done = CliRunner().invoke(holdfast.app, [*words, "--json", "--quiet"])
        return done.exit_code, json.loads(done.stdout)

    code, told = run("replay", HIM, "--as-of", "2024-12-31")
    assert (code, told["equal"]) == (0, True)
    code, told = run("diff", HIM, "2024-10-31", "2024-12-31")
    assert code == 0
    assert set(told["differs"]) == {"data", "policy"}
    made_of.write(folder(space), replace(made_of.read(folder(space)), policy={"margin_rate": 0.5}))
    code, told = run("replay", "--everybody", "--as-of", "2024-12-31")
    assert (code, told["equal"]) == (1, False)
    assert "clv_future" in told["fields_that_differ"]


@pytest.mark.parametrize(
    "words",
    [("replay",), ("replay", HIM, "--everybody", "--as-of", "2024-12-31"),
     ("replay", "--everybody"), ("replay", HIM, "--as-of", "2024-12-31", "--request", "r1")],
)  # fmt: skip
def test_a_replay_of_nothing_or_of_two_things_is_refused(words):
    refused = CliRunner().invoke(holdfast.app, words).exception
    assert isinstance(refused, UserError)
    assert "Say what to make again" in str(refused)


@pytest.mark.parametrize(
    ("days", "said"),
    [("3", "keeps its answers for 3 days, except those about customers it does not know."),
     ("0", "keeps its answers nowhere: HOLDFAST_KEEP_SERVED_DAYS is 0.")],
)  # fmt: skip
def test_a_request_alone_is_about_rows_that_named_no_customer(workspace, monkeypatch, days, said):
    monkeypatch.setenv("HOLDFAST_HOME", str(workspace.root))
    monkeypatch.setenv("HOLDFAST_KEEP_SERVED_DAYS", days)
    refused = CliRunner().invoke(holdfast.app, ("replay", "--request", "r1")).exception
    assert isinstance(refused, UserError)
    assert "No answer about rows without a customer in the request r1 was kept" in str(refused)
    assert str(refused).endswith(said)

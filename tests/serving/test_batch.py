"""Everyone's scores in parts: the same table in every way, after every interruption."""

import fcntl
import os
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest

from features.errors import UserError
from features.store import FeatureStore
from features.workspace import Workspace, ingest
from serving import batch, parts, workers
from serving.parts import Job
from serving.policy import POLICY
from tests.serving.conftest import AS_OF
from tests.world import world
from training import champion

PROJECT = Path(__file__).resolve().parents[2]
SIZE = 30  # of some three hundred customers: eleven parts, and nobody has bought in the last


@pytest.fixture
def space(trained_workspace, tmp_path):
    """The small business in a workspace of its own."""
    copied = shutil.copytree(trained_workspace.root, tmp_path / "workspace")
    shutil.rmtree(copied / "scores", ignore_errors=True)
    return Workspace(copied)


@pytest.fixture
def counted(monkeypatch):
    """How many customers each part that is computed in this process has."""
    sizes, before = [], parts.scored

    def scored(rows, models, policy):
        sizes.append(len(rows))
        return before(rows, models, policy)

    monkeypatch.setattr(parts, "scored", scored)
    return sizes


def score(space, policy=POLICY, size=SIZE, **how):
    return batch.score_file(space, policy, AS_OF, size=size, **{"processes": 1, **how})


def interrupted(space, monkeypatch, after=4):
    """Score until some parts are done, then fail."""
    before, done = parts.scored, []

    def scored(*given):
        if len(done) == after:
            raise MemoryError
        done.append(1)
        return before(*given)

    with monkeypatch.context() as patch:
        patch.setattr(parts, "scored", scored)
        with pytest.raises(MemoryError):
            score(space)


def left_in(space):
    return sorted(path.name for path in batch.score_path(space, AS_OF).parent.iterdir())


def test_the_file_has_the_rows_the_columns_and_the_types_of_the_frame(space, tmp_path):
    frame = batch.score_everyone(space, champion.load(space), POLICY, AS_OF)
    expected = batch.write(frame, tmp_path / "frame.parquet")

    found = score(space)

    assert len(frame) > 250
    pd.testing.assert_frame_equal(
        pd.read_parquet(found), pd.read_parquet(expected), check_exact=True
    )
    assert pq.read_schema(found).equals(pq.read_schema(expected).remove_metadata())
    assert pq.ParquetFile(found).read()["customer_id"].to_pylist() == sorted(frame.customer_id)
    assert left_in(space) == ["features", "made_of.json", "scores.parquet"]


def test_the_bytes_are_the_same_in_this_process_and_in_two_others(space, counted):
    alone = score(space).read_bytes()
    computed_here = len(counted)
    assert computed_here > workers._FEW

    assert score(space, processes=2).read_bytes() == alone
    assert len(counted) == computed_here


def test_a_part_in_which_a_column_is_null_throughout_has_its_type_all_the_same(space):
    everyone = pd.read_parquet(score(space))
    lapsed = everyone[everyone.churn_band.isna()].customer_id.iloc[0]
    rows = parts.bought(FeatureStore(space).snapshot(AS_OF, [lapsed]))
    alone = parts._table(rows, champion.load(space), POLICY)
    assert alone["churn_band"].null_count == len(rows) == 1
    assert alone.schema.equals(pq.read_schema(batch.score_path(space, AS_OF)))


def test_a_run_that_failed_goes_on_after_its_parts(space, monkeypatch, counted):
    whole = score(space).read_bytes()
    before = list(counted)
    interrupted(space, monkeypatch)
    assert batch.score_path(space, AS_OF).read_bytes() == whole  # the former result is still there
    counted.clear()

    said = []
    again = score(space, progress=said.append)

    assert counted == before[4:]
    assert said[0] == "going on after 4 of 11 parts"
    assert said[-1] == "scored 11 of 11 parts"
    assert again.read_bytes() == whole
    assert left_in(space) == ["features", "made_of.json", "scores.parquet"]


def test_a_damaged_part_is_computed_again(space, monkeypatch, counted):
    whole = score(space).read_bytes()
    everyone = len(counted)
    interrupted(space, monkeypatch)
    (first, *_) = sorted(space.scores.glob("*/.parts-*/*"))
    first.write_bytes(first.read_bytes()[:-10])
    counted.clear()

    assert score(space).read_bytes() == whole
    assert len(counted) == everyone - 3


def test_parts_of_another_policy_are_not_gone_on_with(space, monkeypatch, counted):
    interrupted(space, monkeypatch)
    other = replace(POLICY, save_rate=0.5)
    assert other.label == POLICY.label
    counted.clear()

    found = pd.read_parquet(score(space, policy=other))

    assert sum(counted) == len(found)
    assert found.max_spend.tolist() == pytest.approx((0.5 * found.expected_loss).tolist())
    assert left_in(space) == ["features", "made_of.json", "scores.parquet"]


def test_one_may_ask_to_start_anew(space, monkeypatch, counted):
    interrupted(space, monkeypatch)
    counted.clear()
    assert batch.customers_in(score(space, resume=False)) == sum(counted) > 250


def promoted(space, patch):
    shutil.copytree(space.models / "clv" / "1", space.models / "clv" / "2")
    pointer = space.models / "champion.json"
    pointer.write_text(pointer.read_text().replace('"clv": "1"', '"clv": "2"'))


def retrained(space, patch):
    path = space.models / "tier" / "1" / "cuts.json"
    path.write_text(path.read_text() + " ")


def ordered(space, patch):
    ingest(space, {"transactions": world("C000001  2024-12-30  10").events.transactions})
    batch._built(space, AS_OF)


def rewritten(space, patch):
    patch.setattr(parts, "code_digest", lambda: "another")


@pytest.mark.parametrize("change", [promoted, retrained, ordered, rewritten])
def test_parts_belong_to_what_they_were_made_of(space, monkeypatch, change):
    def made_of():
        return Job.of(space, POLICY, AS_OF, space.scores, SIZE).folder

    batch._built(space, AS_OF)
    before = made_of()
    assert made_of() == before
    change(space, monkeypatch)
    assert made_of() != before


def test_a_second_run_at_the_same_time_is_refused(space):
    folder = batch.score_path(space, AS_OF).parent
    folder.mkdir(parents=True)
    other = os.open(folder, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    with pytest.raises(UserError) as refused:
        score(space)
    assert str(refused.value) == (
        "The scores as of 2024-12-31 are being written by another run. Wait until it ends, "
        "or end it and run again: what it has finished is kept."
    )
    assert left_in(space) == []
    os.close(other)
    assert score(space).exists()


def test_a_moment_before_the_first_purchase_is_refused(space):
    early = datetime(2023, 12, 31, 23, 59, 59, 999999)
    for way in (
        lambda: batch.score_everyone(space, champion.load(space), POLICY, early),
        lambda: batch.score_file(space, POLICY, early),
    ):
        with pytest.raises(UserError, match="as of 2023-12-31, but nobody had bought by then"):
            way()
    left = [path for path in space.root.rglob("as_of=*") if "2023-12-31" in path.name]
    assert left == []


RUN = """
import sys
from datetime import datetime
from pathlib import Path
from features.workspace import Workspace
from serving import batch
from serving.policy import POLICY

if __name__ == "__main__":
    as_of = datetime.fromisoformat(sys.argv[2])
    batch.score_file(Workspace(Path(sys.argv[1])), POLICY, as_of, processes=2, size=5)
"""


def test_a_run_that_was_killed_leaves_no_workers_and_is_gone_on_with(space, tmp_path, counted):
    script = tmp_path / "run.py"
    script.write_text(RUN)
    run = subprocess.Popen(
        [sys.executable, script, space.root, AS_OF.isoformat()],
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
    )
    wait_until(lambda: list(space.scores.glob("*/.parts-*/*.parquet")) or run.poll() is not None)
    children = children_of(run.pid)
    run.send_signal(signal.SIGKILL)
    run.wait()
    wait_until(lambda: not any(is_alive(child) for child in children))
    done = len(list(space.scores.glob("*/.parts-*/*.parquet")))
    assert len(children) >= 2
    assert done > 0

    found = pq.read_metadata(score(space, size=5))

    assert 0 < len(counted) <= found.num_row_groups - done + 1
    assert found.num_rows > 250


def wait_until(happened):
    deadline = time.monotonic() + 180  # patience with a busy machine, no claim
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def children_of(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def is_alive(pid):
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"


def test_runs_are_of_neighbors_and_not_longer_than_asked():
    assert workers.runs([0, 1, 2, 5, 6], 2) == [range(2), range(2, 3), range(5, 7)]
    assert workers.runs([], 2) == []

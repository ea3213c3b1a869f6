"""Given what lies in a workspace, which snapshots are computed, kept or computed again."""

import shutil
from datetime import UTC, datetime

import pyarrow.parquet as pq
import pytest

from features import catalog, ranges
from features.errors import UserError
from features.events import TABLES
from features.family import Family
from features.purchases import purchases
from features.snapshots import Snapshots, moment_name
from features.workspace import Workspace, ingest
from tests.world import world

JANUARY = datetime(2024, 1, 31, 23, 59, 59, 999999)
MARCH = datetime(2024, 3, 31, 23, 59, 59, 999999)

GIVEN = world(
    "ann  2024-01-03  10",
    "ann  2024-02-20  20",
    "bob  2024-02-25   5",
    customers=["ann  2024-01-01  kind=person city=Rome", "bob  2024-02-24  kind=organisation"],
)


def bring(workspace, given):
    tables = {name: getattr(given.events, name) for name in TABLES if getattr(given, name)}
    ingest(workspace, tables)


def build(workspace, *moments):
    """Build with fresh eyes, as another process would."""
    return list(Snapshots(workspace).build(moments))


def of_orders():
    """The families of a business without interactions."""
    return [family.name for family in catalog.FAMILIES if family.source != "interactions"]


def parts(workspace):
    """Each snapshot, as family/moment, with the time at which it was written."""
    found = {}
    for path in workspace.features.glob("*/as_of=*/part.parquet"):
        name = f"{path.parts[-3]}/{path.parts[-2].removeprefix('as_of=')}"
        found[name] = path.stat().st_mtime_ns
    return found


def rewritten(before, after):
    return {name for name in after if after[name] != before.get(name)}


@pytest.fixture(scope="module")
def original(tmp_path_factory):
    """A workspace with the snapshots of two moments; tests change copies of it."""
    workspace = Workspace(tmp_path_factory.mktemp("original"))
    bring(workspace, GIVEN)
    build(workspace, JANUARY, MARCH)
    return workspace


@pytest.fixture
def built(original, tmp_path):
    shutil.copytree(original.root, tmp_path / "workspace")
    return Workspace(tmp_path / "workspace")


def test_a_build_tells_each_family_and_moment_and_writes_one_folder_for_it(workspace):
    bring(workspace, GIVEN)
    assert build(workspace, JANUARY) == [(family, JANUARY) for family in of_orders()]
    assert set(parts(workspace)) == {f"{family}/2024-01-31" for family in of_orders()}


def test_a_snapshot_has_everyone_known_at_its_moment_in_the_order_of_ids(original):
    snapshots = Snapshots(original)
    rows = {
        moment: snapshots.read(purchases, moment)
        .select("customer_id", "event_timestamp", "spend_total")
        .to_pyarrow()
        .to_pylist()
        for moment in (JANUARY, MARCH)
    }
    january, march = JANUARY.replace(tzinfo=UTC), MARCH.replace(tzinfo=UTC)
    assert rows == {
        JANUARY: [{"customer_id": "ann", "event_timestamp": january, "spend_total": 10}],
        MARCH: [
            {"customer_id": "ann", "event_timestamp": march, "spend_total": 30},
            {"customer_id": "bob", "event_timestamp": march, "spend_total": 5},
        ],
    }


def test_the_time_of_a_snapshot_is_stored_as_feast_can_read_it(original):
    path = Snapshots(original).folder(purchases, MARCH) / "part.parquet"
    assert str(pq.read_schema(path).field("event_timestamp").type) == "timestamp[us, tz=UTC]"


def test_only_missing_snapshots_are_computed(built):
    before = parts(built)
    february = datetime(2024, 2, 29, 12, 30)
    build(built, JANUARY, february, MARCH)
    assert rewritten(before, parts(built)) == {
        f"{family}/2024-02-29T12-30-00" for family in of_orders()
    }


def cut_the_part(folder):
    content = (folder / "part.parquet").read_bytes()
    (folder / "part.parquet").write_bytes(content[: len(content) // 2])


def cut_the_fingerprint(folder):
    content = (folder / "fingerprint.json").read_text()
    (folder / "fingerprint.json").write_text(content[: len(content) // 2])


DAMAGES = {
    "the fingerprint is missing": lambda folder: (folder / "fingerprint.json").unlink(),
    "the fingerprint is cut in half": cut_the_fingerprint,
    "the part is missing": lambda folder: (folder / "part.parquet").unlink(),
    "the part is cut in half": cut_the_part,
    "the folder is empty": lambda folder: [path.unlink() for path in folder.iterdir()],
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_snapshot_is_computed_again_when(damage, built, original):
    folder = Snapshots(built).folder(purchases, MARCH)
    DAMAGES[damage](folder)
    assert not Snapshots(built).is_built(purchases, MARCH)
    before = parts(built)
    build(built, JANUARY, MARCH)
    assert rewritten(before, parts(built)) == {"purchases/2024-03-31"}
    whole = Snapshots(original).folder(purchases, MARCH) / "part.parquet"
    assert (folder / "part.parquet").read_bytes() == whole.read_bytes()


def test_another_definition_is_computed_again_and_the_older_one_is_removed(built, monkeypatch):
    more = Family(purchases.name, purchases.source, purchases.about, features=purchases.features)

    @more.feature
    def lines(past):
        """Order lines so far, a count."""
        return past.count()

    changed = tuple(more if f is purchases else f for f in catalog.FAMILIES)
    monkeypatch.setattr(catalog, "FAMILIES", changed)
    before = parts(built)
    build(built, MARCH)
    after = parts(built)
    assert rewritten(before, after) == {"purchases/2024-03-31"}
    assert set(before) - set(after) == {"purchases/2024-01-31"}
    rows = Snapshots(built).read(more, MARCH).to_pyarrow().to_pylist()
    assert [row["lines"] for row in rows] == [2, 1]


def test_events_that_were_known_later_leave_older_snapshots_alone(built):
    before = parts(built)
    bring(built, world("ann  2024-01-10  99  known_at=2024-02-01"))
    build(built, JANUARY, MARCH)
    # Who a customer is, too, may depend on any event: the first one makes the tenure.
    assert rewritten(before, parts(built)) == {f"{family}/2024-03-31" for family in of_orders()}


def test_events_that_were_known_in_time_are_computed_in(built):
    bring(built, world("ann  2024-01-10  99  known_at=2024-01-31T23:59:59.999999"))
    assert not Snapshots(built).is_built(purchases, JANUARY)
    build(built, JANUARY)
    (ann,) = Snapshots(built).read(purchases, JANUARY).to_pyarrow().to_pylist()
    assert ann["spend_total"] == 109


def test_computed_again_in_another_folder_the_bytes_are_the_same(original, workspace):
    bring(workspace, GIVEN)
    build(workspace, MARCH, JANUARY)
    for path in original.features.rglob("as_of=*/*"):
        again = workspace.features / path.relative_to(original.features)
        assert again.read_bytes() == path.read_bytes()


def test_a_build_that_fails_leaves_what_was_there_and_nothing_half_written(built, monkeypatch):
    (Snapshots(built).folder(purchases, MARCH) / "fingerprint.json").unlink()
    before = parts(built)

    def fail(sources, queries, cut, paths, finish):
        (path,) = paths.values()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("half of a")
        raise OSError("no space left on device")

    monkeypatch.setattr(ranges, "write", fail)
    with pytest.raises(OSError, match="no space left"):
        build(built, MARCH)
    assert parts(built) == before
    assert [
        path.name for path in (built.features / "purchases").iterdir() if path.name[0] == "."
    ] == []


def test_sums_that_no_number_can_hold_are_refused_in_a_sentence(workspace):
    lines = [f"ann  2024-01-03  9e9  order_id=o{n}" for n in range(120)]
    bring(workspace, world(*lines))
    with pytest.raises(UserError, match=r"The features at 2024-01-31 23:59 cannot be computed: "):
        build(workspace, JANUARY)
    assert parts(workspace) == {}


def test_interactions_and_profile_columns_are_there_when_the_data_has_them(workspace):
    bring(workspace, world("ann  2024-01-03  10"))
    assert [family.name for family in Snapshots(workspace).families] == of_orders()
    bring(
        workspace,
        world(interactions=["ann  2024-01-03  visit"], customers=["ann  2024-01-01  city=Rome"]),
    )
    families = Snapshots(workspace).families
    assert [family.name for family in families] == [family.name for family in catalog.FAMILIES]
    assert [f.name for f in families[0].features] == ["tenure", "profile_kind", "profile_city"]


def test_a_workspace_without_transactions_has_no_snapshots(workspace):
    with pytest.raises(UserError, match="has no transactions yet"):
        build(workspace, MARCH)


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        (MARCH, "2024-03-31"),
        (datetime(2024, 3, 31), "2024-03-31T00-00-00"),
        (datetime(2024, 3, 31, 23, 59, 59), "2024-03-31T23-59-59"),
        (datetime(2024, 3, 31, 10, 30, 0, 5), "2024-03-31T10-30-00.000005"),
    ],
)
def test_the_end_of_a_day_is_named_by_its_date_alone(moment, name):
    assert moment_name(moment) == name

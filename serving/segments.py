"""Lists of customers for webhooks and CRM systems: who is on each, who came and who went.

To add a list, name it in SEGMENTS. A rule is an Arrow expression over the columns of a score table;
a null in it is no.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq
from pyarrow.compute import field

from features import backend
from features.errors import UserError
from features.workspace import Workspace
from serving import batch, parts
from serving.former import stamps_before
from serving.score import COLUMNS

# Whom nobody should try to keep: the likeliest cause is malicious, or they cost more than they pay.
_MAY_BE_KEPT = field("retain_advised") & (field("tier") != "below_zero")
_IS_HIGH = field("churn_band") == "high"
_IS_LAPSED = field("status") == "not_active"
_IS_LOST = field("status").isin(["not_active", "already_churned"])
_IS_VALUABLE = field("tier").isin(["mvc", "mgc"])
# Who was of class A a short while ago may be worth asking back although the forecast, his chance to
# return times his value, no longer is: if at least one in ten returns, as of those whom a contact
# is taken to save. An assumption, until a control group tells.
_CHANCE = 0.10
_MAY_RETURN = (field("abc") == "A") & (field("purchase_probability") >= _CHANCE)


@dataclass(frozen=True)
class Segment:
    """A list by a rule.

    is_to_retain: whether it is there to keep or win back its members; nobody for whom that is not
    advised is then on it, whatever the rule says.
    """

    name: str
    about: str
    rule: pc.Expression
    is_to_retain: bool = True

    @property
    def members(self) -> pc.Expression:
        """Who is on the list."""
        return self.rule & _MAY_BE_KEPT if self.is_to_retain else self.rule


SEGMENTS = (
    Segment(
        "high_risk",
        "The risk of leaving is high. To watch: some of them are not worth keeping.",
        _IS_HIGH,
        is_to_retain=False,
    ),
    Segment(
        "retain",
        "The risk is high, and a contact that costs less than max_spend pays.",
        _IS_HIGH & (field("max_spend") > 0.0),
    ),
    Segment(
        "valuable_at_risk",
        "The risk is high, and they are among the most valuable or could be.",
        _IS_HIGH & _IS_VALUABLE,
    ),
    Segment(
        "lapsed",
        "Silent for longer than the active days of the churn definition. To watch.",
        _IS_LAPSED,
        is_to_retain=False,
    ),
    Segment(
        "win_back",
        "Lapsed, or gone as they told us, and worth it: by their chance to return times their "
        "value still among the most valuable, or could be; or of class A of the last year, and one "
        "in ten returns.",
        _IS_LOST & (_IS_VALUABLE | _MAY_RETURN),
    ),
    Segment(
        "credit_watch",
        "A payment has failed and nothing followed. To remind, before an account is closed.",
        field("days_past_due") >= 0.0,
        is_to_retain=False,
    ),
    Segment(
        "do_not_retain",
        "Not to be contacted to keep them. To take off other lists.",
        ~_MAY_BE_KEPT,
        is_to_retain=False,
    ),
)

_MEMBERS = pa.schema([("segment", pa.string()), ("customer_id", pa.string())])
_CHANGES = _MEMBERS.append(pa.field("change", pa.string()))


def members(scores: Path) -> pa.Table:
    """One row per segment and customer on it: segment, customer_id; by the order of both."""
    rows = ds.dataset(scores, schema=parts.schema(COLUMNS), format="parquet")
    found = [
        _listed(segment, rows.to_table(["customer_id"], filter=segment.members)["customer_id"])
        for segment in SEGMENTS
    ]
    return pa.concat_tables(found)


def changes(previous: Path | None, scores: Path) -> pa.Table:
    """One row per segment and customer who came or went: segment, customer_id, change.

    previous: the score file of an earlier run; without one everybody is added. change: `added` or
    `removed`; somebody who is no longer in the scores is removed. Both files are read by the rules
    of today, so that a changed rule alone sends nobody.
    """
    now = members(scores)
    before = members(previous) if previous else now.slice(0, 0)
    found = [_of(segment.name, before, now) for segment in SEGMENTS]
    return pa.concat_tables(found)


def write(space: Workspace, as_of: datetime) -> tuple[Path, Path]:
    """Write `segments.parquet` and `segment_changes.parquet` beside the scores of a moment.

    The changes are those since the newest earlier moment with scores in the workspace.
    Raises UserError when the moment has no scores.
    """
    scores = batch.score_path(space, as_of)
    if not scores.exists():
        raise UserError(
            f"There are no scores as of {as_of:%Y-%m-%d %H:%M} to make lists of. "
            f"Make them first: holdfast score --as-of {as_of.isoformat()}."
        )
    tables = {
        "segments.parquet": members(scores),
        "segment_changes.parquet": changes(previous(space, as_of), scores),
    }
    for name, table in tables.items():
        with backend.whole_or_nothing(scores.with_name(name)) as temporary:
            pq.write_table(table, temporary)
    listed, changed = (scores.with_name(name) for name in tables)
    return listed, changed


def previous(space: Workspace, as_of: datetime) -> Path | None:
    """The scores of the newest moment before `as_of`; None without any."""
    earlier = stamps_before(space, as_of)
    return earlier[0].path if earlier else None


def _of(name: str, before: pa.Table, now: pa.Table) -> pa.Table:
    was, is_now = (table.filter(field("segment") == name)["customer_id"] for table in (before, now))
    gone, come = _without(was, is_now), _without(is_now, was)
    ids = pa.concat_arrays([*come.chunks, *gone.chunks]) if len(come) + len(gone) else []
    words = ["added"] * len(come) + ["removed"] * len(gone)
    table = pa.table([[name] * len(words), ids, words], schema=_CHANGES)
    return table.sort_by("customer_id")


def _without(ids: pa.ChunkedArray, others: pa.ChunkedArray) -> pa.ChunkedArray:
    return ids.filter(pc.invert(pc.is_in(ids, others)))


def _listed(segment: Segment, ids: pa.ChunkedArray) -> pa.Table:
    names = pa.repeat(pa.scalar(segment.name), len(ids))
    return pa.table([names, ids], schema=_MEMBERS).sort_by("customer_id")

"""The verb of the age of the data: holdfast freshness."""

from __future__ import annotations

from serving.mouth import AsOf, Json, Mouth, Quiet


def freshness(as_of: AsOf = "", quiet: Quiet = False, as_json: Json = False) -> None:
    """How old the newest row of each table, source, lawful basis and kind of contact is."""
    mouth = Mouth(quiet, as_json)
    from features.moment import parse_moment
    from features.store import FeatureStore
    from features.workspace import Workspace
    from serving.freshness import freshness as way
    from training.frame import last_event

    space = Workspace.from_environment()
    moment = parse_moment(as_of) if as_of else last_event(FeatureStore(space))
    found = way(space, moment)
    lines = [
        f"  {row.table:13s} {row.by:18s} {row[3]:24s} {row.rows:12,} rows"
        f"  newest {row.newest:%Y-%m-%d}  {row.hours:10,.1f} hours"
        for row in found.itertuples()
    ]
    mouth.result({"as_of": moment, "rows": found.to_dict("records")}, "\n".join(lines))

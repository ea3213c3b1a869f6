"""Monitoring once a week: false alarms of a year without a change, and days until one is noticed.

Businesses of the simulator, models trained at TRAINED and left alone for a year, the hardest case:
what grows by nature grows away from them. The changes are made by hand in the tables, from the
middle of a week on. An alarm counts as the change's when the same subject is quiet in the same week
of the business without the change.

A retrain every month runs within 30 days of a change, and learns of it when outcomes after it have
matured: at the first retrain a churn horizon after the change.

Limits were chosen on DEVELOPMENT; CONFIRMATION had chosen nothing and was looked at once. The
alarms that look at sources need no models, and are counted on SOURCES as well.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from statistics import mean, median

import ibis
import pandas as pd

from features import workspace
from features.datasets.simulated import END, Simulation, simulate
from features.moment import parse_moment
from features.store import FeatureStore
from features.workspace import Workspace, open_events
from serving.monitoring import alarms, inputs
from serving.monitoring.alarms import ALARMS, Seen
from serving.monitoring.flows import WEEKS, Flows, flows
from training import frame, input_profile, train
from training.model_set import ModelSet
from training.request import Request

CUSTOMERS, NEWCOMERS = 1_500, 250
DEVELOPMENT, CONFIRMATION = (201,), (301, 302, 303)
SOURCES = (311, 312, 313)
TRAINED = parse_moment("2024-06-30")
YEAR, AFTER = 51, 13  # weekly looks of a year; looks after a change
INPUTS_EVERY = 4  # weeks
CHANGED = (11, 19, 27)  # weeks after training, by seed in turn: not always the same season
HORIZON_DAYS, RETRAIN_DAYS = 90, 30
SHOCK, CHEAP = 1.3, 0.4
OF_SOURCES = ("source_silent", "volume", "prices", "new_name", "mix")
OF_INPUTS = ("inputs_drift", "inputs_missing", "scores_drift")
Tables = Mapping[str, pd.DataFrame]
Rings = frozenset[tuple[str, str]]


def _prices(world: Tables, since: datetime, seed: int) -> Tables:
    """All amounts 1.3 times as high."""
    sold = world["transactions"].copy()
    sold.loc[sold.happened_at > since, ["amount", "margin", "discount"]] *= SHOCK
    return {**world, "transactions": sold}


def _without(kind: str) -> Callable[[Tables, datetime, int], Tables]:
    def stopped(world: Tables, since: datetime, seed: int) -> Tables:
        met = world["interactions"]
        return {**world, "interactions": met[(met.kind != kind) | (met.happened_at <= since)]}

    return stopped


def _segment(name: str | None) -> Callable[[Tables, datetime, int], Tables]:
    """Newcomers who buy cheaply, through one channel alone: of a name of its own, or of none."""

    def joined(world: Tables, since: datetime, seed: int) -> Tables:
        start = since.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        made = tables_of(simulate(NEWCOMERS, seed + 7_000, start))
        ids = {key: rows.assign(customer_id="N" + rows.customer_id) for key, rows in made.items()}
        sold = ids["transactions"].assign(channel=name or "app")
        sold[["amount", "margin", "discount"]] *= CHEAP
        people = ids["customers"].assign(acquisition_channel=name or "search")
        more = {"customers": people, "transactions": sold, "interactions": ids["interactions"]}
        return {key: pd.concat([rows, more[key]], ignore_index=True) for key, rows in
                world.items()}  # fmt: skip

    return joined


CHANGES: Mapping[str, Callable[[Tables, datetime, int], Tables]] = {
    "price shock: all amounts x 1.3": _prices,
    "broken source: visits stop": _without("visit"),
    "broken source: complaints stop": _without("complaint"),
    "new segment with a name of its own": _segment("marketplace"),
    "new segment without one": _segment(None),
}


@dataclass(frozen=True)
class Year:
    """One business: what rang in each week without a change, and days until each change rang.

    days: change -> alarm -> days of the first ring; an alarm that never rang in AFTER weeks is not
    there.
    """

    quiet: Sequence[Rings]
    days: Mapping[str, Mapping[str, float]]


def table() -> str:
    """False alarms of a year, and days until each change was noticed."""
    seeds = (*DEVELOPMENT, *CONFIRMATION)
    return of({seed: lived(seed) for seed in seeds}, {seed: by_sources(seed) for seed in SOURCES})


def of(made: Mapping[int, Year], alone: Mapping[int, Year]) -> str:
    """The same of years that were lived already."""
    parts = []
    for name, seeds in (("Confirmation", CONFIRMATION), ("Development", DEVELOPMENT)):
        parts += _part(f"{name}, all alarms", {s: made[s] for s in seeds if s in made})
    parts += _part("Confirmation, alarms of sources alone", alone, alone=True)
    return "\n\n".join(parts)


def _part(name: str, years: Mapping[int, Year], *, alone: bool = False) -> list[str]:
    """The tables of some years; nothing of none. alone: only the alarms of sources were asked."""
    if not years:
        return []
    lived_through = list(years.values())
    names = OF_SOURCES if alone else (*OF_SOURCES, *OF_INPUTS)
    false, delays = _false(lived_through, names), _delays(lived_through, inputs_seen=not alone)
    return [_title(name, list(years)), false, delays]


def lived(seed: int) -> Year:
    """A year under all alarms, those of inputs every INPUTS_EVERY weeks.

    Their snapshots are what takes the time, and features that look back for months change slowly.
    """
    return _lived(seed, _trained)


def by_sources(seed: int) -> Year:
    """A year under the alarms of sources alone, which need no models."""
    return _lived(seed, lambda space: None)


def _lived(seed: int, learn: Callable[[Workspace], ModelSet | None]) -> Year:
    with tempfile.TemporaryDirectory() as folder:
        world, since = world_of(seed)
        space = filled(Path(folder) / "as it was", world)
        models = learn(space)
        quiet = list(_rings(space, models, range(1, YEAR + 1)))
        weeks = range(_change_week(seed) + 1, _change_week(seed) + 1 + AFTER)
        days = {}
        for number, (name, change) in enumerate(CHANGES.items()):
            changed = filled(Path(folder) / str(number), change(world, since, seed))
            days[name] = _first(_rings(changed, models, weeks), quiet, weeks, since)
    return Year(quiet, days)


def tables_of(made: Simulation) -> Tables:
    """The three tables of a simulation."""
    return {name: getattr(made, name) for name in ("customers", "transactions", "interactions")}


def filled(folder: Path, world: Tables) -> Workspace:
    """A workspace with these tables."""
    space = Workspace(folder)
    workspace.ingest(space, {name: ibis.memtable(rows) for name, rows in world.items()})
    return space


def world_of(seed: int) -> tuple[Tables, datetime]:
    """A business, and the moment from which it changes: in the middle of a week."""
    return (tables_of(simulate(CUSTOMERS, seed)),
            TRAINED + timedelta(weeks=_change_week(seed), days=3))  # fmt: skip


def _change_week(seed: int) -> int:
    return CHANGED[seed % len(CHANGED)]


def _trained(space: Workspace) -> ModelSet:
    """Models with the profile of their inputs; value over the horizon of churn, to be quick."""
    store, request = FeatureStore(space), Request(TRAINED, HORIZON_DAYS, HORIZON_DAYS)
    models, _, _ = train.fit(store, request, train.build(store, request), None, None)
    return models


def _rings(space: Workspace, models: ModelSet | None, weeks: Sequence[int]) -> Iterator[Rings]:
    """What rings at the end of some weeks after training, in turn."""
    last = TRAINED + timedelta(weeks=weeks[-1])
    every = flows(open_events(space), last, WEEKS + len(weeks))
    for week in weeks:
        seen = _cut(every.earlier(7 * (weeks[-1] - week)))
        as_of = TRAINED + timedelta(weeks=week)
        table = _inputs(space, models, as_of) if models and week % INPUTS_EVERY == 0 else None
        heard = alarms.hear(Seen(as_of, seen, table))
        yield frozenset((one.alarm, r.subject) for one in heard for r in one.beyond)


def _cut(seen: Flows) -> Flows:
    """No more weeks than monitoring reads."""
    parts = {name: getattr(seen, name) for name in ("counts", "prices", "named")}
    kept = {name: rows[rows.ago < 7 * WEEKS] for name, rows in parts.items()}
    return replace(seen, **kept, days=min(seen.days, 7 * WEEKS))


def _inputs(space: Workspace, models: ModelSet, as_of: datetime) -> pd.DataFrame:
    store = FeatureStore(space)
    for _ in store.build([as_of]):
        pass
    store.apply()
    rows = input_profile.scored(models, frame.customers(store, as_of))
    families = {name: word.family for name, word in models.reference.words.items()}
    assert models.inputs is not None
    return inputs.compared(models.inputs, rows, families)


def _first(
    rings: Iterator[Rings], quiet: Sequence[Rings], weeks: Sequence[int], since: datetime
) -> dict[str, float]:
    """Alarm -> days from a change to its first ring that it would not have had without."""
    found: dict[str, float] = {}
    for week, ringing in zip(weeks, rings, strict=True):
        days = (TRAINED + timedelta(weeks=week) - since) / timedelta(days=1)
        for alarm, _ in ringing - quiet[week - 1]:
            found.setdefault(alarm, days)
    return found


def _title(name: str, seeds: Sequence[int]) -> str:
    return f"## {name}, seeds {', '.join(map(str, seeds))}"


def _false(years: Sequence[Year], names: Sequence[str]) -> str:
    """False alarms a year: one that rings in several weeks running, for one subject, is one."""
    rows = ["| alarm | false alarms a year | by business |", "|---|---|---|"]
    for name in names:
        counts = [_begun(year.quiet, name) for year in years]
        if counts:
            rows.append(f"| {name} | {mean(counts):.2f} | {', '.join(map(str, counts))} |")
    every = [sum(_begun(year.quiet, alarm.name) for alarm in ALARMS) for year in years]
    if every:
        rows.append(f"| all | {mean(every):.2f} | {', '.join(map(str, every))} |")
    return "\n".join(rows)


def _begun(weeks: Sequence[Rings], alarm: str) -> int:
    """How often a subject began to ring."""
    before: Rings = frozenset()
    count = 0
    for ringing in weeks:
        count += sum(name == alarm for name, _ in ringing - before)
        before = ringing
    return count


def _delays(years: Sequence[Year], *, inputs_seen: bool) -> str:
    """Days until the first alarm by change, beside a retrain every month."""
    rows = ["| change | days until the first alarm | by business | by which | alarms of inputs | "
            "next monthly retrain | learnt by it |", "|---|---|---|---|---|---|---|"]  # fmt: skip
    learnt = HORIZON_DAYS + RETRAIN_DAYS / 2
    for name in CHANGES:
        each = [year.days[name] for year in years]
        days = [min(found.values(), default=None) for found in each]
        which = sorted({alarm for found in each for alarm, at in found.items()
                        if at == min(found.values())})  # fmt: skip
        late = [min((found[a] for a in OF_INPUTS if a in found), default=None) for found in each]
        of_inputs = _list(late) if inputs_seen else "not asked"
        rows.append(
            f"| {name} | {_median(days)} | {_list(days)} | {', '.join(which) or '-'} | "
            f"{of_inputs} | {RETRAIN_DAYS / 2:.0f} ({RETRAIN_DAYS} at most) | "
            f"{learnt:.0f} ({HORIZON_DAYS + RETRAIN_DAYS} at most) |"
        )
    return "\n".join(rows)


def _median(days: Sequence[float | None]) -> str:
    known = [d if d is not None else float("inf") for d in days]
    middle = median(known) if known else float("inf")
    return f"{middle:.0f}" if middle != float("inf") else f"more than {7 * AFTER}"


def _list(days: Sequence[float | None]) -> str:
    return ", ".join("never" if d is None else f"{d:.0f}" for d in days)


assert TRAINED + timedelta(weeks=YEAR) <= END

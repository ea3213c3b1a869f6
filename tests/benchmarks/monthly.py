"""A retrain every month beside models that are left alone: what it tells, and what it repairs.

Businesses of monitoring.py, lived month by month with the product's own verbs: the news are taken,
monitored with all alarms, scored. One workspace keeps the models of the beginning; in the other
they are trained anew every month, and promoted if the gate lets them. A changed world branches off
at the last month before its change. What was served is held against what came once its horizon was
over, customer by customer.

Nothing is chosen here: limits, gate and models are those of the product.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import ibis
import pandas as pd

from features import workspace
from features.datasets.simulated import END
from features.store import FeatureStore
from features.workspace import Workspace
from serving import batch
from serving.monitoring import made, monitor, realised
from serving.policy import POLICY
from tests.benchmarks.monitoring import CHANGES, HORIZON_DAYS, TRAINED, Tables, world_of
from training import chance
from training.metrics import log_losses
from training.request import Request
from training.retrain import Order, retrain
from training.split import CutOff

SEEDS = (303,)
MONTHS, DAYS = 12, 30  # of a year; of a month
AFTER = 6  # months that are lived after a change
OF_OUTCOMES = {"realised_loss", "realised_calibration", "realised_value", "behind_rule"}
ALONE, MONTHLY = "left alone", "every month"
REPAIRED = (
    "price shock: all amounts x 1.3",
    "broken source: visits stop",
    "new segment without one",
)


@dataclass
class Life:
    """What happened in one world, by month.

    rings: workspace -> month -> alarms and subjects that rang. refused: month -> the checks of the
    gate that refused. served: workspace -> month -> rows as realised.joined gives them.
    """

    rings: dict[str, dict[int, frozenset[tuple[str, str]]]] = field(default_factory=dict)
    refused: dict[int, tuple[str, ...]] = field(default_factory=dict)
    served: dict[str, dict[int, pd.DataFrame]] = field(default_factory=dict)


def table(seeds: Sequence[int] = SEEDS) -> str:
    """A quiet year, then what came after each change, in Markdown."""
    return "\n\n".join(part for seed in seeds for part in _told(seed, *lived(seed)))


def lived(seed: int) -> tuple[Life, Mapping[str, Life]]:
    """The quiet year of one business, and the months after each change."""
    world, since = world_of(seed)
    before = int((since - TRAINED) / timedelta(days=DAYS))  # the last month without the change
    quiet, changed = Life(), {name: Life() for name in REPAIRED}
    with tempfile.TemporaryDirectory() as folder:
        spaces = {name: Workspace(Path(folder) / "quiet" / name) for name in (ALONE, MONTHLY)}
        _take(spaces[ALONE], world, None, TRAINED, everyone=True)
        retrain(spaces[ALONE], _order(TRAINED), {})
        shutil.copytree(spaces[ALONE].root, spaces[MONTHLY].root)
        for month in range(1, MONTHS + 1):
            _month(spaces, world, month, quiet)
            if month == before:
                for number in range(len(REPAIRED)):
                    shutil.copytree(Path(folder) / "quiet", Path(folder) / str(number))
        _take_rest(spaces, world, MONTHS)
        _grade(spaces, quiet)
        for number, (name, life) in enumerate(changed.items()):
            other = CHANGES[name](world, since, seed)
            there = {key: Workspace(Path(folder) / str(number) / key) for key in spaces}
            for month in range(before + 1, before + 1 + AFTER):
                _month(there, other, month, life, everyone=month == before + 1)
            _take_rest(there, other, before + AFTER)
            _grade(there, life)
    return quiet, changed


def _month(
    spaces: Mapping[str, Workspace],
    world: Tables,
    month: int,
    life: Life,
    *,
    everyone: bool = False,
) -> None:
    """One month of both workspaces. everyone: whether the customers' table comes again."""
    as_of = _end_of(month)
    for name, space in spaces.items():
        _take(space, world, _end_of(month - 1), as_of, everyone=everyone)
        seen = monitor.run(space, as_of, as_of)
        life.rings.setdefault(name, {})[month] = frozenset(
            (alarm, reading.subject) for alarm, reading in seen.ringing
        )
        if name == MONTHLY:
            verdict = retrain(space, _order(as_of), {}).verdict
            life.refused[month] = tuple(f.name for f in verdict.findings if f.refuses)
        batch.score_file(space, POLICY, as_of)


def _end_of(month: int) -> datetime:
    return TRAINED + timedelta(days=DAYS * month)


def _order(as_of: datetime) -> Order:
    """One tested moment: the gate looks at no other."""
    return Order(Request(as_of, HORIZON_DAYS, HORIZON_DAYS), origins=1)


def _take(
    space: Workspace, world: Tables, after: datetime | None, until: datetime, *, everyone: bool
) -> None:
    """Ingest what became known in (after, until], and all customers where they are asked for."""
    news = {}
    for name in ("transactions", "interactions"):
        rows = world[name]
        is_new = (rows.known_at <= until) & ((rows.known_at > after) if after else True)
        news[name] = rows[is_new]
    if everyone:
        news["customers"] = world["customers"]
    workspace.ingest(space, {name: ibis.memtable(rows) for name, rows in news.items()})


def _take_rest(spaces: Mapping[str, Workspace], world: Tables, month: int) -> None:
    """Ingest all that comes after a month, to know what became of its scores."""
    for space in spaces.values():
        _take(space, world, _end_of(month), END, everyone=False)


def _grade(spaces: Mapping[str, Workspace], life: Life) -> None:
    """What came of each month's scores, as far as the horizon is over by END."""
    for name, space in spaces.items():
        store, kept = FeatureStore(space), life.served.setdefault(name, {})
        for file in made.until(space, END):
            cutoff = CutOff(file.as_of, HORIZON_DAYS)
            month = round((file.as_of - TRAINED) / timedelta(days=DAYS))
            if month in life.rings[name] and cutoff.matured_at <= END:
                kept[month] = realised.joined(store, file.rows(), cutoff, END)


def _told(seed: int, quiet: Life, changed: Mapping[str, Life]) -> list[str]:
    """The quiet year of one business, and what came after each change."""
    parts = [f"## Seed {seed}, a year without a change", _quiet(quiet)]
    since = world_of(seed)[1]
    for name, life in changed.items():
        parts += [f"## Seed {seed}, {name}", _first(life, quiet, since), _months(life, since)]
    return parts


def _quiet(life: Life) -> str:
    """Alarms and refusals of a year, and what twelve retrainings gained."""
    lines = ["| models | alarms | refused by the gate |", "|---|---|---|"]
    for name, months in life.rings.items():
        begun = _begun(months)
        refused = {month: why for month, why in life.refused.items() if why}
        gate = _named([check for why in refused.values() for check in why])
        shown = f"{len(refused)} of {len(life.refused)} ({gate})" if name == MONTHLY else "-"
        lines.append(
            f"| {name} | {len(begun)} in {len(months)} looks ({_named(begun)}) | {shown} |"
        )
    return "\n".join([*lines, "", _months(life, TRAINED)])


def _begun(months: Mapping[int, frozenset[tuple[str, str]]]) -> list[str]:
    """The alarms that began to ring, one for each subject."""
    found, before = [], frozenset[tuple[str, str]]()
    for ringing in months.values():
        found += [alarm for alarm, _ in sorted(ringing - before)]
        before = ringing
    return found


def _first(life: Life, quiet: Life, since: datetime) -> str:
    """Days from a change to what is first said that is not said without it, in each workspace."""
    lines = ["| models | first alarm, days | by which | of outcomes, days |", "|---|---|---|---|"]
    for name, months in life.rings.items():
        more = {m: {a for a, _ in rings - quiet.rings[name][m]} for m, rings in months.items()}
        first = next((m for m, alarms in more.items() if alarms), None)
        late = next((m for m, alarms in more.items() if alarms & OF_OUTCOMES), None)
        which = ", ".join(sorted(more[first])) if first else "-"
        lines.append(f"| {name} | {_days(first, since)} | {which} | {_days(late, since)} |")
    news = {m: set(why) - set(quiet.refused[m]) for m, why in life.refused.items()}
    refused = next((m for m, why in news.items() if why), None)
    why = f", by {', '.join(sorted(news[refused]))}" if refused else ""
    return "\n".join([*lines, "", f"The gate first refuses: {_days(refused, since)} days{why}."])


def _months(life: Life, since: datetime) -> str:
    """By month what came, what either said, and the difference of their losses with its chance."""
    lines = [
        "| days after | left | told: left alone | every month | log-loss: left alone | "
        "every month less that | value told / came: left alone | every month | "
        "absolute error: left alone | every month less that |", "|" + "---|" * 10,
    ]  # fmt: skip
    for month, alone in sorted(life.served[ALONE].items()):
        other = life.served[MONTHLY][month].set_index("customer_id").loc[alone.customer_id]
        both = Both(alone.reset_index(drop=True), other.reset_index())
        lines.append(f"| {_days(month, since)} | {' | '.join([*both.churn(), *both.value()])} |")
    return "\n".join(lines)


@dataclass(frozen=True)
class Both:
    """The same customers under the models left alone and under those of every month."""

    alone: pd.DataFrame
    monthly: pd.DataFrame

    def churn(self) -> list[str]:
        """What left, what either told, the loss of the former and the difference."""
        some = self.alone.churn_probability.notna() & self.monthly.churn_probability.notna()
        a, b = self.alone[some], self.monthly[some]
        losses = [log_losses(a.left, rows.churn_probability.to_numpy(float)) for rows in (a, b)]
        told = [f"{rows.churn_probability.mean():.1%}" for rows in (a, b)]
        less = chance.paired_bootstrap(losses[1], losses[0], a.customer_id)
        return [f"{a.left.mean():.1%}", *told, f"{losses[0].mean():.4f}", _between(less, "+.4f")]

    def value(self) -> list[str]:
        """Told as a multiple of what came, the error of the former and the difference."""
        came = self.alone.value
        errors = [(rows.expected_value - came).abs() for rows in (self.alone, self.monthly)]
        of_all = [f"{rows.expected_value.sum() / came.sum():.2f}" for rows in
                  (self.alone, self.monthly)]  # fmt: skip
        less = chance.paired_bootstrap(errors[1], errors[0], self.alone.customer_id)
        return [*of_all, f"{errors[0].mean():.1f}", _between(less, "+.1f")]


def _between(found: tuple[float, float, float], form: str) -> str:
    mean, low, high = (format(end, form) for end in found)
    return f"{mean} ({low} to {high})"


def _named(names: Sequence[str]) -> str:
    """Names with how often each stands there."""
    return ", ".join(f"{names.count(name)} {name}" for name in sorted(set(names))) or "none"


def _days(month: int | None, since: datetime) -> str:
    return "never" if month is None else f"{(_end_of(month) - since) / timedelta(days=1):.0f}"

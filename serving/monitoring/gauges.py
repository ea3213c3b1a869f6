"""What Prometheus is told of the last look: its moment, and which alarms ring.

holdfast_monitoring_as_of_seconds     the moment that was looked at, seconds since 1970
holdfast_monitoring_made_at_seconds   when it was looked at
holdfast_alarm{name}                  readings beyond their limit; 0 is quiet, NaN not known
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from features.workspace import Workspace
from serving.monitoring import monitor

if TYPE_CHECKING:
    import prometheus_client

log = logging.getLogger(__name__)


class Gauges:
    """The gauges of a workspace, brought up to date whenever somebody reads them.

    registry: default: Prometheus' own.
    """

    def __init__(
        self, space: Workspace, registry: prometheus_client.CollectorRegistry | None = None
    ) -> None:
        self._space, self._registry = space, registry
        self._told: tuple[Path, float] | None = None

    def tell(self) -> None:
        """Tell what was kept last; nothing is told before the first look, or of a broken file."""
        kept = [(path.stat().st_mtime, path)
                for path in self._space.monitor.glob(f"as_of=*/{monitor.RESULT}")]  # fmt: skip
        if not kept:
            return
        time, path = max(kept)
        if self._told == (path, time):
            return
        try:
            seen = monitor.read(path)
        except (OSError, ValueError, KeyError, TypeError) as error:
            log.warning("the last monitoring cannot be read: %s", error)
            return
        as_of, made_at, alarm = self._made
        as_of.set(_seconds(seen.as_of))
        made_at.set(_seconds(seen.made_at))
        for one in seen.heard:
            alarm.labels(name=one.alarm).set(len(one.beyond) if one.is_known else float("nan"))
        self._told = path, time

    @cached_property
    def _made(
        self,
    ) -> tuple[prometheus_client.Gauge, prometheus_client.Gauge, prometheus_client.Gauge]:
        import prometheus_client as prometheus  # not before BentoML has named its folder

        def gauge(name: str, about: str, *labels: str) -> prometheus.Gauge:
            where = self._registry or prometheus.REGISTRY
            return prometheus.Gauge(
                name, about, labels, registry=where, multiprocess_mode="mostrecent"
            )

        return (
            gauge("holdfast_monitoring_as_of_seconds", "The moment monitoring looked at."),
            gauge("holdfast_monitoring_made_at_seconds", "When monitoring looked."),
            gauge("holdfast_alarm", "Readings beyond their limit, by alarm.", "name"),
        )


def _seconds(moment: datetime) -> float:
    return moment.replace(tzinfo=UTC).timestamp()

"""What the learners start from: the buy-till-you-die forecast of a customer at the level to expect.

In training every cut-off has its own fitted forecast and its own measured level, so the learners
see only how customers of one cut-off differ from their forecasts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import TypeAlias, overload

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from features.columns import Columns, Rows
from training import level
from training.level import Level
from training.models.repeat_buying import COLUMNS, RepeatBuying
from training.sampling import standing
from training.split import CutOff

# With fewer repeat buyers a cut-off cannot tell a rhythm of its own and takes today's.
LEAST_REPEATERS = 10
Outlook: TypeAlias = Mapping[str, NDArray[np.float64]]
OFFSET_COLUMNS = (*COLUMNS, "offset_odds", "offset_money")


@dataclass
class Offsets:
    """The forecast fitted at the moment of training and the level to expect after it."""

    repeat_buying: RepeatBuying
    level: Level

    @classmethod
    def learn(
        cls, panel: pd.DataFrame, today: pd.DataFrame, as_of: datetime
    ) -> tuple[Offsets, pd.DataFrame]:
        """The offsets for `today` and the panel with its own OFFSET_COLUMNS.

        panel: matured cut-offs with outcomes; today: the customers at `as_of`, whose future is
        unknown. Nothing of a cut-off's outcome is used for its own forecast, only for its level.
        """
        now = RepeatBuying.fit(today)
        levels: dict[CutOff, Level] = {}
        parts = []
        for _, rows in panel.groupby(["as_of", "horizon_days"], sort=False):
            has_repeats = (rows.purchase_days_total > 1).sum() >= LEAST_REPEATERS
            fitted = RepeatBuying.fit(rows, near=now) if has_repeats else now
            forecast = fitted.forecast(rows)
            measured = level.measure(
                forecast, rows.bought.to_numpy(float), rows.value.to_numpy(), standing(rows)
            )
            first = rows.iloc[0]
            levels[CutOff(first.as_of.to_pydatetime(), int(first.horizon_days))] = measured
            parts.append(forecast.assign(**_leveled(forecast, measured)))
        came_at = panel.as_of - pd.to_timedelta(panel.age, unit="D")
        begun = came_at.min().to_pydatetime()
        offsets = cls(now, level.expect(levels, begun, as_of))
        return offsets, panel.join(pd.concat(parts))

    @overload
    def columns(self, rows: pd.DataFrame) -> pd.DataFrame: ...

    @overload
    def columns(self, rows: Columns, outlook: Outlook | None = None) -> Columns: ...

    def columns(self, rows: Rows, outlook: Outlook | None = None) -> Rows:
        """The rows with OFFSET_COLUMNS beside their features; rows need `horizon_days`.

        outlook: what repeat_buying says of them, where that is known already.
        """
        outlook = outlook or self.repeat_buying.outlook(rows)
        found = {**outlook, **_leveled(outlook, self.level)}
        if isinstance(rows, Columns):
            return rows.with_columns(found)
        return rows.join(pd.DataFrame(found, rows.index))

    def to_dict(self) -> dict:
        """JSON-ready form."""
        return {
            "repeat_buying": self.repeat_buying.to_dict(),
            "level": asdict(self.level),
        }

    @classmethod
    def from_dict(cls, stored: Mapping) -> Offsets:
        """The offsets that `to_dict` stored."""
        return cls(RepeatBuying.from_dict(stored["repeat_buying"]), Level(**stored["level"]))


def _leveled(forecast: pd.DataFrame | Mapping[str, NDArray], shift: Level) -> dict[str, NDArray]:
    """The two columns of a forecast that know the level."""
    return {
        "offset_odds": shift.tilt * np.asarray(forecast["logit_purchase"]) + shift.odds,
        "offset_money": np.asarray(forecast["log_value"]) + shift.money,
    }

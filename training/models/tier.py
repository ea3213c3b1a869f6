"""Where a customer will be a horizon from now: the transition between value tiers.

Today's tier is policy on forecast value. Learnt here is the next one: features at a cut-off, and as
label the tier that the forecast gives the same customer one horizon later. Thresholds of the past
are never the label; they would be leaks dressed as accuracy.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

from features.columns import Rows
from training.models import boosters, strength
from training.models.design import Design
from training.sampling import kept_aside
from training.tasks import TIERS

LEAST_PROBABILITY = 1e-4


@dataclass
class TierTransition:
    """Probabilities of each tier a horizon from now.

    Claim: better in log-loss than the transition matrix alone, from which it starts. Tiers no
    customer was in are not forecast. `strength` is the calibration (strength.py), measured by an
    equal model on a cut-off it had not seen.
    """

    matrix: dict[str, dict[str, float]]
    design: Design
    booster: xgb.Booster
    strength: float = 1.0

    @classmethod
    def fit(cls, rows: pd.DataFrame, features: Sequence[str]) -> TierTransition:
        """Fit on rows with features, `weight`, `tier` now and `tier_next` one horizon later."""
        seen = [tier for tier in TIERS if (rows.tier_next == tier).any()]
        counts = pd.crosstab(rows.tier, rows.tier_next).reindex(
            index=list(TIERS), columns=seen, fill_value=0
        ) + 1.0 / len(seen)
        shares = counts.div(counts.sum(axis=1), axis=0)
        matrix = {tier: {str(t): float(s) for t, s in shares.loc[tier].items()} for tier in TIERS}
        design = Design.of(rows, features)
        model = cls(matrix, design, xgb.Booster())
        model.booster = boosters.fit(
            design.matrix(rows), rows.tier_next.map(seen.index).to_numpy(dtype=float),
            offset=model._logs(rows.tier), weight=rows.weight.to_numpy(),
            aside=kept_aside(rows.customer_id), columns=design.columns,
            objective="multi:softprob", eta=boosters.MANY_TREES_ETA, num_class=max(len(seen), 2),
            min_child_weight=boosters.LEAST_LEAF_ROWS / 4.0,
        )  # fmt: skip
        return model

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """One column per tier, in the order of TIERS: probabilities that sum to 1.

        rows: features and the `tier` of today.
        """
        return pd.DataFrame(self.chances(rows), rows.index)

    def chances(self, rows: Rows) -> dict[str, NDArray[np.float64]]:
        """The same as arrays, each (n,)."""
        shares = strength.strengthened(*self._both_logs(rows), self.strength)
        seen = dict(zip(self._seen(), shares.T, strict=True))
        return {tier: seen.get(tier, np.zeros(len(shares))) for tier in TIERS}

    def strength_on(self, rows: pd.DataFrame) -> float:
        """The strength that suits rows this model had not seen, with `tier` and `tier_next`.

        Customers who moved into a tier this model never saw anybody in are left out.
        """
        known = rows[rows.tier_next.isin(self._seen())]
        position = known.tier_next.map(self._seen().index).to_numpy(dtype=int)
        return strength.measure(*self._both_logs(known), position) if len(known) else 1.0

    def _both_logs(self, rows: Rows) -> tuple[np.ndarray, np.ndarray]:
        """Logs of the transition matrix and of the forecast, each (n, tiers seen)."""
        prior, seen = self._logs(rows["tier"]), len(self._seen())
        logs = boosters.predict(self.booster, self.design.inputs(rows), prior)
        return prior[:, :seen], logs[:, :seen]

    def baseline(self, tiers: pd.Series) -> pd.DataFrame:
        """The transition matrix alone, which the model must beat."""
        logs = self._logs(tiers)[:, : len(self._seen())]
        found = pd.DataFrame(np.exp(logs), tiers.index, self._seen())
        return found.reindex(columns=list(TIERS), fill_value=0.0)

    def _seen(self) -> list[str]:
        return list(next(iter(self.matrix.values())))

    def _logs(self, tiers: pd.Series | NDArray) -> np.ndarray:
        seen = self._seen()
        by_tier = {tier: [row[other] for other in seen] for tier, row in self.matrix.items()}
        shares = np.array([by_tier[tier] for tier in tiers]).reshape(-1, len(seen))
        if len(seen) == 1:  # XGBoost needs a second class; nobody is ever in it
            shares = np.hstack([shares, np.full((len(shares), 1), LEAST_PROBABILITY)])
        return np.log(np.maximum(shares, LEAST_PROBABILITY))

    def save(self, folder: Path) -> None:
        """Write the model into a folder: JSON and one .ubj."""
        folder.mkdir(parents=True, exist_ok=True)
        boosters.save(self.booster, folder / "transition.ubj")
        stored = {
            "matrix": self.matrix,
            "strength": self.strength,
            "design": self.design.to_dict(),
        }
        (folder / "model.json").write_text(json.dumps(stored))

    @classmethod
    def load(cls, folder: Path) -> TierTransition:
        """The model that `save` wrote."""
        stored: Mapping = json.loads((folder / "model.json").read_text())
        booster = boosters.load(folder / "transition.ubj")
        design = Design.from_dict(stored["design"])
        return cls(stored["matrix"], design, booster, stored["strength"])

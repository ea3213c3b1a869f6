"""Which of the six causes, given that a customer leaves: rules with evidence, and a model.

Labels: the reason given at closure, before the cut-off or after it, beats the rules; the rules read
the signs before the cut-off in the order of precedence (PRODUCT 27): passive before voluntary when
payment stopped, malicious before retaliatory before non-malicious, natural before competitive
before fault, the residual. A credit score is not read: below which one somebody is a risk, only the
business that bought the score could say.
Without payment events the passive types cannot be known and are null, never 0.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
import xgboost as xgb
from numpy.typing import NDArray

from features.columns import Rows, numbers_of
from features.events import PAYMENT_KINDS
from training.business_facts import numbers_if_any
from training.models import boosters, strength
from training.models.boosting import LEAST_PROBABILITY
from training.models.design import Design
from training.sampling import counted, crowding, kept_aside, standing
from training.tasks import CHURN_TYPES, PASSIVE_TYPES

# Below this many labelled leavers a tree learns accidents; then the rules alone answer.
LEAST_LABELS = 100
# A rule's answer is worth this many leavers against the shares of the whole business.
RULE_STRENGTH = 0.5
# Who has told the reason has answered the question; what is left to the other causes together is
# the least chance that is said of anything about a person.
TOLD_SHARE = 1.0 - LEAST_PROBABILITY
# A closure tells who has left, not why. Read by the trees, those who told would teach only about
# others who told; without it they stand for those who left in silence.
CLOSURE = "closure"
# The lowest answers, as a share of the scale's best: 2 of 5 stars (PRODUCT 27).
DISSATISFIED = 0.4

Shows: TypeAlias = Callable[[Rows], NDArray[np.bool_]]


@dataclass(frozen=True)
class Sign:
    """Evidence for a cause: what it is, and which rows show it.

    days: the columns with the days since what completes it, of which the newest counts; none where
    no column tells its day.
    """

    cause: str
    about: str
    shows: Shows
    days: tuple[str, ...] = ()


def _any(*columns: str) -> Shows:
    # A null is no sign, and no comparison with one is true.
    return lambda rows: np.any([numbers_if_any(rows, column) > 0 for column in columns], axis=0)


def _never_paid(rows: Rows) -> NDArray[np.bool_]:
    return (numbers_if_any(rows, "ever_paid") == 0) & _any("payments_fell_due")(rows)


def _refuses(rows: Rows) -> NDArray[np.bool_]:
    return _any("payments_failed_unrecovered", "count_chargeback_90d")(rows)


def _complained_and_refuses(rows: Rows) -> NDArray[np.bool_]:
    return _refuses(rows) & _any("complaints_at_refusal")(rows)


def _rated_low_and_refuses(rows: Rows) -> NDArray[np.bool_]:
    return _refuses(rows) & (numbers_if_any(rows, "survey_lowest_at_refusal") <= DISSATISFIED)


def _forgot(rows: Rows) -> NDArray[np.bool_]:
    others = [sign.shows(rows) for sign in SIGNS if sign.cause in ("malicious", "retaliatory")]
    return _any("payments_failed_unrecovered")(rows) & ~np.any(others, axis=0)


# In the order of precedence: the first sign a customer shows names his cause. A payment fails or is
# taken back on some day; what was open then, and not what came after it, makes it retaliatory.
SIGNS: tuple[Sign, ...] = (
    Sign("malicious", "a fraud sign", _any("count_fraud_flag_365d"), ("days_since_fraud_flag",)),
    Sign("malicious", "a payment charged back for fraud", _any("fraud_chargebacks_365d")),
    Sign("malicious", "payments fell due, and none was ever paid", _never_paid),
    Sign("retaliatory", "an unresolved complaint, then a payment refused", _complained_and_refuses,
         ("days_since_payment_failed", "days_since_chargeback")),
    Sign("retaliatory", "a bad answer to a survey, then a payment refused", _rated_low_and_refuses,
         ("days_since_payment_failed", "days_since_chargeback")),
    # A newer failure may have been recovered: the day is that of the oldest one past due.
    Sign("non_malicious", "a failed payment without a complaint", _forgot, ("days_past_due",)),
    Sign("natural", "a life event", _any("count_life_event_90d"), ("days_since_life_event",)),
    Sign("competitive", "a look at prices or a competitor's name",
         _any("count_competitor_mention_90d", "count_price_check_90d"),
         ("days_since_competitor_mention", "days_since_price_check")),
    Sign("fault", "a complaint", _any("count_complaint_90d"), ("days_since_complaint",)),
)  # fmt: skip


def evidence(rows: pd.DataFrame) -> pd.DataFrame:
    """One column per cause: whether a row shows its sign, boolean; without interactions none."""
    return pd.DataFrame(signs(rows), rows.index)


def signs(rows: Rows) -> dict[str, NDArray[np.bool_]]:
    """The same as arrays, each (n,)."""
    has_signs = "open_complaints" in rows
    nothing = np.zeros(len(rows), dtype=bool)
    shown = dict.fromkeys(CHURN_TYPES, nothing)
    for sign in SIGNS if has_signs else ():
        shown[sign.cause] = shown[sign.cause] | sign.shows(rows)
    return shown


def causes(rows: pd.DataFrame, reasons: pd.Series) -> pd.Series:
    """The label of each leaver: the closure's reason if it is one of the six, else the rules'."""
    shown = evidence(rows)
    by_rule = pd.Series("fault", rows.index, dtype=object)  # the residual of voluntary churn
    for sign in reversed(SIGNS):
        by_rule[shown[sign.cause].to_numpy()] = sign.cause
    return reasons.where(reasons.isin(CHURN_TYPES), by_rule)


def told(rows: pd.DataFrame) -> pd.Series:
    """The reason each customer gave by the cut-off for leaving, the newest; None where none is.

    A closure before the last purchase tells of a customer who came back. Of reasons given on one
    day the first in the order of CHURN_TYPES counts.
    """
    return pd.Series(reasons_told(rows), rows.index)


def reasons_told(rows: Rows) -> NDArray[np.object_]:
    """The same as an array, (n,)."""
    columns = [f"days_since_closure_{cause}" for cause in CHURN_TYPES]
    if not all(column in rows for column in columns):
        return np.full(len(rows), None, dtype=object)
    days = np.column_stack([numbers_of(rows, column) for column in columns])
    days = np.where(np.isnan(days), np.inf, days)
    holds = days.min(axis=1) <= numbers_of(rows, "recency")
    reasons = np.array(CHURN_TYPES, dtype=object)[days.argmin(axis=1)]
    reasons[~holds] = None
    return reasons


def _with_answers(
    shares: NDArray[np.float64], reason: NDArray[np.object_], known: list[str]
) -> NDArray[np.float64]:
    """The shares, (n, causes), with those who told a known reason at TOLD_SHARE for it."""
    answered = reason[:, None] == np.array(known, dtype=object)
    others = (1.0 - TOLD_SHARE) / max(len(known) - 1, 1)
    sure = np.where(answered, TOLD_SHARE, others)
    return np.where(answered.any(axis=1, keepdims=True), sure, shares)


def knows_payments(rows: pd.DataFrame) -> bool:
    """Whether the features show any payment event, without which passive types are unknowable."""
    columns = [f"count_{kind}_365d" for kind in PAYMENT_KINDS]
    return all(c in rows for c in columns) and bool((rows[columns].sum() > 0).any())


@dataclass
class ChurnType:
    """Shares of the six causes among those who leave, per customer: P(cause | churn).

    With the churn risk it is a model of competing risks in discrete time: one row per customer and
    cut-off, and the incidence of a cause within the horizon is P(churn) x P(cause | churn). The
    incidences sum to the churn risk whatever the shares, and each part is learnt from those who
    can teach it: the risk from everybody, the shares from leavers whose reason is known (vertical
    modeling: Nicolaie, van Houwelingen, Putter, 2010, Statistics in Medicine 29(11)).

    Claim: its log-loss is never worse than that of the shares of the whole business by more than
    chance, because it is those shares unless the signs say otherwise. booster is None while there
    are fewer than LEAST_LABELS leavers with a given reason; then `source` is "rules". `strength`
    is the calibration (strength.py), measured by an equal model on a cut-off it had not seen.
    """

    shares: dict[str, float]
    design: Design | None
    booster: xgb.Booster | None
    source: str
    strength: float = 1.0

    @classmethod
    def fit(cls, panel: pd.DataFrame, features: Sequence[str]) -> ChurnType:
        """Fit on the leavers of a panel: rows with bought == 0 that were active at the cut-off."""
        leavers = counted(panel[panel.bought == 0]).reset_index(drop=True)
        given = leavers.closure_reason
        leavers["reason"] = given.where(given.isin(CHURN_TYPES), told(leavers))
        with_reason = leavers[leavers.reason.notna()].reset_index(drop=True)
        is_told = len(with_reason) >= LEAST_LABELS
        # Trees that learnt the rules' own labels would only repeat the rules, and seem perfect.
        leavers = with_reason if is_told else leavers
        label = causes(leavers, leavers.reason)
        known = [t for t in CHURN_TYPES if knows_payments(leavers) or t not in PASSIVE_TYPES]
        label = label.where(label.isin(known), "fault")
        stands = pd.Series(standing(leavers)).groupby(label.to_numpy()).sum()
        counts = stands.reindex(known, fill_value=0.0) + 1.0  # nobody is impossible
        shares = {str(cause): float(n) for cause, n in (counts / counts.sum()).items()}
        if not is_told:
            return cls(shares, None, None, "rules")
        return cls._with_trees(leavers, label, shares, features)

    @classmethod
    def _with_trees(
        cls, leavers: pd.DataFrame, label: pd.Series, shares: dict, features: Sequence[str]
    ) -> ChurnType:
        design = Design.of(leavers, [name for name in features if CLOSURE not in name])
        booster = boosters.fit(
            design.matrix(leavers), label.map(list(shares).index).to_numpy(dtype=float),
            offset=np.tile(np.log(list(shares.values())), (len(leavers), 1)),
            weight=leavers.weight.to_numpy(), aside=kept_aside(leavers.customer_id),
            columns=design.columns, objective="multi:softprob", num_class=len(shares),
            eta=boosters.MANY_TREES_ETA,
            min_child_weight=crowding(leavers) * boosters.LEAST_LEAF_ROWS / len(shares),
        )  # fmt: skip
        return cls(shares, design, booster, "model")

    def predict(self, rows: pd.DataFrame) -> pd.DataFrame:
        """One column per cause, the six in order: shares that sum to 1; null where unavailable.

        Who has told the reason by the cut-off has TOLD_SHARE for it.
        """
        return pd.DataFrame(self.shares_of(rows), rows.index)

    def shares_of(self, rows: Rows) -> dict[str, NDArray[np.float64]]:
        """The same as arrays, each (n,)."""
        shares = strength.strengthened(*self._logs(rows), self.strength)
        shares = _with_answers(shares, reasons_told(rows), list(self.shares))
        known = dict(zip(self.shares, shares.T, strict=True))
        return {cause: known.get(cause, np.full(len(shares), np.nan)) for cause in CHURN_TYPES}

    def strength_on(self, leavers: pd.DataFrame, label: pd.Series) -> float:
        """The strength that suits leavers this model had not seen; label: their causes."""
        position = label.map(list(self.shares).index).to_numpy(dtype=int)
        return strength.measure(*self._logs(leavers), position)

    def _logs(self, rows: Rows) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Logs of the business's shares and of the forecast, each (n, causes)."""
        prior = np.tile(np.log(list(self.shares.values())), (len(rows), 1))
        if self.booster is not None and self.design is not None:
            return prior, boosters.predict(self.booster, self.design.inputs(rows), prior)
        return prior, prior + self._rule_logs(rows)

    def _rule_logs(self, rows: Rows) -> NDArray[np.float64]:
        """The rules' push: a cause with its sign gains as if RULE_STRENGTH leavers had it."""
        shown = np.column_stack([signs(rows)[cause] for cause in self.shares]).astype(float)
        own = np.array(list(self.shares.values()))
        return np.log1p(RULE_STRENGTH * shown / own)

    def save(self, folder: Path) -> None:
        """Write the model into a folder: JSON, and one .ubj when it has trees."""
        folder.mkdir(parents=True, exist_ok=True)
        if self.booster is not None:
            boosters.save(self.booster, folder / "causes.ubj")
        stored = {"shares": self.shares, "source": self.source, "strength": self.strength,
                  "design": self.design.to_dict() if self.design else None}  # fmt: skip
        (folder / "model.json").write_text(json.dumps(stored))

    @classmethod
    def load(cls, folder: Path) -> ChurnType:
        """The model that `save` wrote."""
        stored: Mapping = json.loads((folder / "model.json").read_text())
        has_trees = stored["design"] is not None
        return cls(
            shares=stored["shares"],
            design=Design.from_dict(stored["design"]) if has_trees else None,
            booster=boosters.load(folder / "causes.ubj") if has_trees else None,
            source=stored["source"],
            strength=stored["strength"],
        )

"""What the data given cannot tell, and which data would: no blank is left unexplained."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypedDict

import numpy as np
from numpy.typing import NDArray

from features.columns import Rows
from serving.loyalty import TYPES
from serving.policy import Policy
from training.business_facts import BusinessFacts, numbers_if_any
from training.ladder import is_regular
from training.model_set import ModelSet
from training.tasks import PASSIVE_TYPES

# The data that would make something known, by code; the report has its words by the same codes.
NEEDS: Mapping[str, str] = {
    "margin": "a margin per order line, or a margin rate",
    "cost_to_serve": "the cost to serve a customer, or a cost per contact",
    "retention_cost": "the cost of an attempt to keep a customer",
    "house_rate": "a discount rate of 10 % a year, at which past money is compounded, or of none",
    "payments": "payments due, failed, recovered and charged back, as interactions",
    "reasons": "reasons of closures, competitor mentions and life events, as interactions",
    "surveys": "answers to surveys (satisfaction or recommendation), as interactions",
    "discounts": "the discount of each order line",
    "channels": "the channel of each order line",
    "categories": "the category of each order line",
    "referrals": "referrals and joint activities, as interactions",
    "campaigns": "campaigns with a treated and a control group, as interactions",
    "cases": "complaints and contacts with a case, and their resolution, as interactions",
    "contacts": "contacts with their direction and channel, as interactions",
    "alternatives": "what else the customer could buy, or the term of a contract",
    "deliveries": "order and delivery dates",
    "identities": "identifying marks of a customer, such as hashed telephone and email",
    "products": "the launch dates of products",
    "history": "a longer history",
    "currency": "the currency of the amounts",
    "unnamed_rows": "order lines and contacts whose customer is not known, as they came",
    "known_times": "when each row became known (known_at)",
    "returns": "returns, as order lines below zero",
    "product_ids": "the product of each order line",
    "staff": "who of the staff served a contact",
    "waits": "waiting times and abandoned contacts",
    "earlier_scores": "scores of earlier moments",
    "earlier_sheets": "reports of three earlier moments",
    "score_times": "when the scores were written",
    "sources": "the source and the lawful basis of each row (source, lawful_basis)",
}


@dataclass(frozen=True)
class Known:
    """What a business gives: the facts of its data, and the codes of NEEDS it gives beside them.

    stated: what no feature can show, such as cost_to_serve and margin of the policy, currency, and
    history where there was enough of it for a test.
    """

    facts: BusinessFacts
    stated: frozenset[str] = frozenset()

    def has(self, code: str) -> bool:
        """Whether the business gives these data at all."""
        return code in self.stated or code in self.facts.given


def known(models: ModelSet, policy: Policy) -> Known:
    """What the data of some models, a policy and the tests of the models give."""
    tested = {"history"} if models.reference.reliability else set()
    return Known(models.reference.facts, policy.stated | tested)


Told: TypeAlias = Callable[[Rows, Known], NDArray[np.bool_]]


@dataclass(frozen=True)
class Unknown:
    """A field that may be blank: the data that would fill it, by code, and whose is not, (n,).

    told: where it is not known of everybody or of nobody, by whether the business has such data.
    """

    field: str
    needs: str
    told: Told | None = None

    def is_known(self, rows: Rows, known: Known) -> NDArray[np.bool_]:
        """Of whom it is not blank, (n,)."""
        if self.told is None:
            return np.full(len(rows), known.has(self.needs))
        return self.told(rows, known)


def _has_attitude(rows: Rows, known: Known) -> NDArray[np.bool_]:
    return ~np.isnan(known.facts.attitude(rows))


def _has_rung(rows: Rows, known: Known) -> NDArray[np.bool_]:
    """Who buys too seldom for a client needs no survey to be told so."""
    return _has_attitude(rows, known) | ~is_regular(rows)


def _has_heart(rows: Rows, known: Known) -> NDArray[np.bool_]:
    return _has_attitude(rows, known) | (numbers_if_any(rows, "referrals") > 0)


def _has_mix(rows: Rows, known: Known) -> NDArray[np.bool_]:
    is_cut = known.facts.individual_need is not None
    return ~np.isnan(numbers_if_any(rows, "need_distance")) & is_cut


def _of_type(code: str) -> Told | None:
    return _has_attitude if code == "surveys" else None


UNKNOWN: tuple[Unknown, ...] = (
    *(Unknown(f"churn.types.{cause}", "payments") for cause in PASSIVE_TYPES),
    # Without them nearly every cause is the residual, fault.
    Unknown("churn.cause", "reasons"),
    Unknown("churn.low", "history"),
    Unknown("clv.margin", "margin"),
    Unknown("clv.currency", "currency"),
    Unknown("clv.historical_present", "house_rate"),
    Unknown("clv.retention_cost", "retention_cost"),
    Unknown("tier.below_zero", "cost_to_serve"),
    Unknown("ladder.advocate", "surveys", _has_rung),
    Unknown("ladder.advocate", "referrals"),
    Unknown("ladder.partner", "referrals"),
    Unknown("loyalty", "surveys", _has_heart),
    *(Unknown(f"loyalty_type.{kind.name}", code, _of_type(code))
      for kind in TYPES for code in kind.needs),
    Unknown("marketing_mode", "categories", _has_mix),
    Unknown("uplift", "campaigns"),
)  # fmt: skip


def unavailable(
    rows: Rows, known: Known, fields: Iterable[Unknown] = UNKNOWN
) -> list[list[dict[str, str]]]:
    """Of each row the fields that cannot be known, with the code of NEEDS that would fill each.

    For answers, a few rows at a time: [{"field": "loyalty", "needs": "surveys"}, ...].
    """
    found: list[list[dict[str, str]]] = [[] for _ in range(len(rows))]
    for unknown in fields:
        if unknown.told is None and known.has(unknown.needs):
            continue
        blank = {"field": unknown.field, "needs": unknown.needs}
        whose = (
            range(len(rows)) if unknown.told is None else np.flatnonzero(~unknown.told(rows, known))
        )
        for row in whose:
            found[row].append(blank)
    return found


class Blank(TypedDict):
    """A field that is blank of some customers, the code of what would fill it, and their share."""

    field: str
    needs: str
    share: float


def summary(rows: Rows, known: Known) -> list[Blank]:
    """The fields that are blank of anybody, the most often blank first; for the report.

    Of equals in the order of UNKNOWN.
    """
    shares = [(u, 1.0 - float(np.mean(u.is_known(rows, known)))) for u in UNKNOWN if len(rows)]
    found: list[Blank] = [{"field": u.field, "needs": u.needs, "share": share}
                          for u, share in shares if share > 0]  # fmt: skip
    return sorted(found, key=lambda blank: -blank["share"])

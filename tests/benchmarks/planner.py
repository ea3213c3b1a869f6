"""The retention planner beside simpler rules, in money that is true: the simulator's response.

Businesses are cut at serving.demo.AS_OF. Models and uplift learn from what was known by then; every
rule chooses among the same customers with the same budget. What a contact is truly worth is the
expected money of the next 365 days with a treatment at AS_OF less that without one, by customer
(Simulation.response), less its cost. Nothing is chosen by it but the oracle's customers. The
simulator has one kind of treatment, so the planner has one action: what it gains by choosing among
several is not measured here. No control group is kept aside, since no other rule has one.

What can still be saved was worked out on DEVELOPMENT, from theory and with an eye on what came out;
CONFIRMATION had chosen nothing and was looked at once.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd

from features.datasets.simulated import simulate
from serving import batch, planner
from serving.actions import ACTIONS, CAMPAIGN, KEEPABLE, Action
from serving.demo import AS_OF, HORIZON_DAYS, VALUE_HORIZON_DAYS
from serving.planner import Terms
from serving.policy import POLICY
from serving.responses import ASSUMED, Responses, of_campaigns
from tests.benchmarks.models import business
from training import chance, train, uplift
from training.retention import CONTACT_SHARE, SAVE_RATE
from training.uplift import Proof

CUSTOMERS = 6_000
DEVELOPMENT, CONFIRMATION = (3,), (4, 5)
# Said before any result: the campaign of serving.actions, and one at the usual cost and save rate.
OFFERS = (
    next(action for action in ACTIONS if action.name == CAMPAIGN),
    Action(CAMPAIGN, "An offer to anybody.", KEEPABLE, "email", SAVE_RATE, CONTACT_SHARE),
)
BUDGETS = (0.05, 0.20)  # enough to contact this share of the customers with a churn probability
MANY, ROUNDS = 100_000, 5  # customers planned for, and how often
PLANNER = "planner, assumed save rate"
FORMER = "planner on the expected loss"  # as it was, and is with scores that know no better


@dataclass(frozen=True)
class Business:
    """One business at AS_OF: its score table, what campaigns told, and the true gain by id."""

    scores: pd.DataFrame
    proof: Proof
    told: Responses
    individual: Responses
    gain: pd.Series


def table() -> str:
    """True net value by rule, offer and budget, what campaigns told, and the time of a plan."""
    return of({seed: learnt(seed) for seed in (*DEVELOPMENT, *CONFIRMATION)})


def of(made: Mapping[int, Business]) -> str:
    """The same of businesses that are known already, by seed: the confirmation first."""
    seen, fresh = ([made[seed] for seed in seeds] for seeds in (DEVELOPMENT, CONFIRMATION))
    parts = []
    for name, some in (("Confirmation", fresh), ("Development", seen)):
        seeds = CONFIRMATION if some is fresh else DEVELOPMENT
        parts.append(f"## {name}, seeds {', '.join(map(str, seeds))}")
        parts += [markdown(some, offer, share) for offer in OFFERS for share in BUDGETS]
        parts += [_kept(some), _evidence(dict(zip(seeds, some, strict=True)))]
    return "\n\n".join([*parts, "## Time", _seconds(fresh[0].scores)])


def learnt(seed: int) -> Business:
    """A business, scored and with its campaigns learnt from; the truth is looked up at the end."""
    world = simulate(CUSTOMERS, seed)
    with tempfile.TemporaryDirectory() as folder:
        past = business.past(world, Path(folder) / "workspace")
        models = train.learn(past.store, train.Request(AS_OF, HORIZON_DAYS, VALUE_HORIZON_DAYS))
        scores = batch.score_everyone(past.space, models.models, POLICY, AS_OF)
        learned = uplift.learn(past.store, AS_OF, HORIZON_DAYS)
        rows = past.store.snapshot(AS_OF, scores.customer_id.tolist())
    effect = pd.Series(learned.effect(rows), rows.customer_id.to_numpy())
    worth = scores.set_index("customer_id").clv_if_retained
    individual = Responses(effect.reindex(worth.index) * worth, "individual", "")
    truth = world.response(AS_OF, VALUE_HORIZON_DAYS).set_index("customer_id")
    return Business(
        scores, learned.proof, of_campaigns(learned, rows, scores), individual,
        (truth.value_treated - truth.value_untreated).reindex(worth.index),
    )  # fmt: skip


def chosen(made: Business, offer: Action, share: float) -> dict[str, np.ndarray]:
    """Whom each rule contacts, the chance of it for each row of the scores, (n,)."""
    scores = made.scores
    asked = scores.churn_probability.notna().to_numpy()
    most = int(share * asked.sum())
    cost = cost_of(made, offer)
    terms = Terms(budget=cost * most, control_share=0.0)

    def planned(responses: Responses, by: pd.DataFrame = scores) -> np.ndarray:
        plan = planner.plan(by, terms, [offer], responses)
        return scores.customer_id.isin(plan.table.customer_id).to_numpy(dtype=float)

    def first(by: pd.Series) -> np.ndarray:
        rank = by.where(asked).rank(ascending=False, method="first")
        return (rank <= most).to_numpy(dtype=float)

    pays = made.gain.to_numpy() > cost
    return {
        "nobody": np.zeros(len(scores)),
        "random": np.where(asked, most / asked.sum(), 0.0),
        "by risk": first(scores.churn_probability),
        "by value": first(scores.clv_future),
        "by expected loss": first(scores.expected_loss),
        "by churn x future value": first(scores.churn_probability * scores.clv_future),
        "by saveable loss": first(scores.saveable_loss),
        FORMER: planned(ASSUMED, scores.drop(columns=planner.SAVEABLE)),
        PLANNER: planned(ASSUMED),
        "planner, as past campaigns allow": planned(made.told),
        "planner, individual uplift though not proven": planned(made.individual),
        "oracle": first(pd.Series(made.gain.to_numpy(), scores.index)) * pays,
    }


def cost_of(made: Business, offer: Action) -> float:
    """What a contact costs in a business."""
    scored = made.scores[made.scores.status == "scored"]
    return offer.cost_for(float(scored.clv_if_retained.median()))


def net_values(businesses: Sequence[Business], offer: Action, share: float) -> pd.DataFrame:
    """One row per rule: contacted, true gain, net value with its 95 % interval, and behind.

    Sums over all businesses, currency units; behind: net value of PLANNER less that of the rule,
    with its interval over customers drawn anew.
    """
    net: dict[str, list[np.ndarray]] = {}
    contacted: dict[str, float] = {}
    ids = []
    for number, made in enumerate(businesses):
        ids.append(f"{number}/" + made.scores.customer_id.astype(str))
        cost = cost_of(made, offer)
        for rule, who in chosen(made, offer, share).items():
            net.setdefault(rule, []).append(who * (made.gain.to_numpy() - cost))
            contacted[rule] = contacted.get(rule, 0.0) + float(who.sum())
    joined = {rule: np.concatenate(parts) for rule, parts in net.items()}
    drawn = chance.resampled_sums(list(joined.values()), pd.concat(ids))
    of_rule = dict(zip(joined, drawn.T, strict=True))
    rows = []
    for rule, each in joined.items():
        low, high = chance.interval(of_rule[rule])
        behind = chance.interval(of_rule[PLANNER] - of_rule[rule])
        rows.append((rule, contacted[rule], each.sum(), low, high,
                     joined[PLANNER].sum() - each.sum(), *behind))  # fmt: skip
    names = ["rule", "contacted", "net", "low", "high", "behind", "behind_low", "behind_high"]
    return pd.DataFrame(rows, columns=names)


def markdown(businesses: Sequence[Business], offer: Action, share: float) -> str:
    """net_values as a table."""
    found = net_values(businesses, offer, share)
    costs = ", ".join(f"{cost_of(made, offer):.2f}" for made in businesses)
    what = f"save share {offer.save_share:.0%}, cost {costs}, budget for {share:.0%}"
    lines = [f"| {what} | contacted | true net value | 95 % interval | planner's lead | 95 % |",
             "|---|---|---|---|---|---|"]  # fmt: skip
    lines += [
        f"| {row.rule} | {row.contacted:,.0f} | {row.net:,.0f} "
        f"| {row.low:,.0f} to {row.high:,.0f} "
        f"| {row.behind:+,.0f} | {row.behind_low:+,.0f} to {row.behind_high:+,.0f} |"
        for row in found.itertuples()
    ]
    return "\n".join(lines)


def _kept(businesses: Sequence[Business]) -> str:
    """What the planner said of its lists, and what came of them; currency units."""
    lines = ["| planner's list | saved, as planned | saved in truth | part | break-even part "
             "| net at a half | net at a quarter | net in truth |",
             "|---|---|---|---|---|---|---|---|"]  # fmt: skip
    for offer in OFFERS:
        for share in BUDGETS:
            planned = cost = half = quarter = truly = 0.0
            for made in businesses:
                facts, chosen_ids = _facts(made, offer, share)
                planned, cost = planned + facts["saved_value"], cost + facts["spent"]
                half, quarter = half + facts["net_at_half"], quarter + facts["net_at_quarter"]
                truly += float(made.gain.reindex(chosen_ids).sum())
            lines.append(
                f"| save share {offer.save_share:.0%}, budget for {share:.0%} | {planned:,.0f} "
                f"| {truly:,.0f} | {truly / planned:.0%} | {cost / planned:.0%} | {half:,.0f} "
                f"| {quarter:,.0f} | {truly - cost:,.0f} |"
            )
    return "\n".join(lines)


def _facts(made: Business, offer: Action, share: float) -> tuple[Mapping[str, float], pd.Series]:
    """The facts of the planner's plan and whom it contacts."""
    budget = cost_of(made, offer) * int(share * made.scores.churn_probability.notna().sum())
    plan = planner.plan(made.scores, Terms(budget=budget, control_share=0.0), [offer])
    return plan.facts, plan.table.customer_id


def _evidence(businesses: Mapping[int, Business]) -> str:
    lines = [
        "| what campaigns told | treated, control | effect on buying | save rate | Qini, DR "
        "| Qini, T | used | true share saved of expected loss | of saveable loss |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for number, made in businesses.items():
        proof, asked = made.proof, made.scores.churn_probability.notna().to_numpy()
        saved = made.gain.to_numpy()[asked].sum()
        of_loss, of_saveable = (
            saved / made.scores[name].to_numpy()[asked].sum()
            for name in ("expected_loss", planner.SAVEABLE)
        )
        lines.append(
            f"| seed {number} | {proof.treated:,}, {proof.control:,} | {proof.effect} "
            f"| {proof.save_rate} | {proof.qini} | {proof.qini_of_groups} | {proof.basis} "
            f"| {of_loss:.4f} | {of_saveable:.4f} |"
        )
    return "\n".join(lines)


def _seconds(scores: pd.DataFrame) -> str:
    """Median seconds to plan for MANY customers, all actions, with a budget and a capacity."""
    rng = np.random.default_rng(0)
    many = scores.iloc[rng.integers(len(scores), size=MANY)].reset_index(drop=True)
    many["customer_id"] = [f"C{number:07d}" for number in range(MANY)]
    many[planner.SAVEABLE] *= rng.lognormal(0.0, 0.2, MANY)  # no two alike
    free = planner.plan(many, Terms())
    bound = Terms(budget=free.facts["spent"] / 3.0, capacities={"phone": MANY / 100.0})
    lines = [f"| {MANY:,} customers, {len(ACTIONS)} actions | seconds | chosen | gap |",
             "|---|---|---|---|"]  # fmt: skip
    asked = {"no limit": Terms(), "budget and capacity": bound,
             "the same, other control": replace(bound, name="other")}  # fmt: skip
    for what, terms in asked.items():
        taken = []
        for _ in range(ROUNDS):
            start = time.perf_counter()
            plan = planner.plan(many, terms)
            taken.append(time.perf_counter() - start)
        lines.append(f"| {what} | {median(taken):.1f} | {plan.facts['chosen_customers']:,.0f} "
                     f"| {plan.facts['gap_share']:.1e} |")  # fmt: skip
    return "\n".join(lines)

"""Plans for a few customers, counted by hand."""

import numpy as np
import pandas as pd
import pytest

from features.errors import UserError
from serving import plan_files, planner
from serving.actions import ACTIONS, CAMPAIGN, KEEPABLE, Action, adjusted
from serving.planner import Terms
from serving.report_parts.retold import retold
from serving.report_parts.words import CHINESE
from serving.responses import Responses
from training.tasks import CHURN_TYPES

ALL = {"control_share": 0.0}
# Calls keep a fifth of those whom a fault drives away, letters a tenth of those whom a rival wins.
CALL = Action("call", "", ("fault",), "phone", 0.2, 0.0, cost=5.0)
LETTER = Action("letter", "", ("competitive",), "post", 0.1, 0.0, cost=1.0)


def scores(*rows):
    """A score table; a row is a name, P(leaves) by fault and by competition, and the value."""
    table = pd.DataFrame(
        {
            "customer_id": [name for name, *_ in rows],
            "status": "scored",
            "churn_probability": [fault + rival for _, fault, rival, _ in rows],
            "clv_if_retained": [float(value) for *_, value in rows],
            "expected_loss": [(fault + rival) * value for _, fault, rival, value in rows],
            "tier": "maintain",
            "retain_advised": True,
            **{f"type_{cause}": 0.0 for cause in CHURN_TYPES},
        }
    )
    return table.assign(
        type_fault=[fault for _, fault, *_ in rows],
        type_competitive=[rival for _, _, rival, _ in rows],
    )


# By call: 0.2 x 40 - 5 = 3, 0.2 x 100 - 5 = 15, 0. By letter: 0, 0.1 x 50 - 1 = 4, 8 - 1 = 7.
THREE = scores(("ann", 0.4, 0.0, 100), ("bob", 0.5, 0.25, 200), ("cid", 0.0, 0.8, 100))


def made(table=THREE, actions=(CALL, LETTER), responses=planner.ASSUMED, **terms):
    return planner.plan(table, Terms(**{**ALL, **terms}), actions, responses)


def chosen(plan):
    return dict(zip(plan.table.customer_id, plan.table.action, strict=True))


def test_without_limits_everybody_gets_what_is_worth_most():
    plan = made()
    assert chosen(plan) == {"bob": "call", "cid": "letter", "ann": "call"}
    assert plan.table.expected_saved.tolist() == pytest.approx([20.0, 8.0, 8.0])
    assert plan.table.expected_net.tolist() == pytest.approx([15.0, 7.0, 3.0])
    assert plan.facts["spent"] == 11.0
    assert plan.facts["net"] == pytest.approx(25.0)
    assert plan.prices == {"budget": 0.0}
    assert plan.table.reason[0] == "fault: would save 20.00 for 5.00"


def test_a_budget_buys_the_most_net_value():
    plan = made(budget=6.0)
    assert chosen(plan) == {"bob": "call", "cid": "letter"}
    assert plan.facts["gap"] >= 0.0
    assert plan.prices["budget"] > 0.0


def test_a_budget_that_is_not_spent_up_says_that_more_of_it_would_bring_nothing():
    (said,) = (text for text in made(budget=5000.0).assumptions if "budget" in text)
    assert said.startswith("Of the budget of 5,000.00 only 11.00 is spent, because no further")
    assert retold(said, CHINESE) == CHINESE["said.plan_unspent"].format(
        budget="5,000.00", spent="11.00"
    )


@pytest.mark.parametrize("budget", [None, 4.0, 6.0, 11.0])
def test_where_more_could_be_spent_or_nothing_is_left_no_such_thing_is_said(budget):
    assert not any("budget" in text for text in made(budget=budget).assumptions)


def test_a_full_channel_leaves_the_second_best():
    assert chosen(made(capacities={"phone": 0.0})) == {"cid": "letter", "bob": "letter"}


def test_what_costs_more_than_it_saves_is_not_done():
    assert made(scores(("dan", 0.1, 0.0, 100))).table.empty


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"retain_advised": False}, "not_advised"),
        ({"tier": "below_zero"}, "not_advised"),
        ({"cause": "malicious"}, "not_advised"),
        ({"type_malicious": 0.9}, "not_advised"),
        ({"expected_loss": 0.0}, "without_risk"),
        ({"expected_loss": np.nan}, "without_risk"),
        ({"days_since_contacted": 13.0}, "contacted"),
    ],
)
def test_who_should_not_be_contacted_is_in_no_plan(change, why):
    plan = made(THREE.assign(**change))
    assert plan.table.empty
    assert plan.facts[f"left_out_{why}"] == 3


def test_the_contact_cap_ends_and_who_was_never_contacted_has_none():
    table = THREE.assign(days_since_contacted=[14.0, np.nan, 3.0])
    assert sorted(chosen(made(table))) == ["ann", "bob"]
    assert "not known who was contacted last" in made().assumptions[1]


def test_who_can_be_saved_counts_and_not_who_is_gone_or_buys_seldom():
    # Bob's fault has 2/3 of what can be saved of him: 0.2 x 2/3 x 60 - 5 = 3. Ann is gone.
    table = THREE.assign(saveable_loss=[0.0, 60.0, 30.0])
    plan = made(table)
    assert chosen(plan) == {"bob": "call", "cid": "letter"}
    assert plan.table.expected_saved.tolist() == pytest.approx([8.0, 3.0])
    assert plan.facts["left_out_without_risk"] == 1
    assert "still there and are about to leave" in plan.assumptions[3]
    assert "At stake is all money at risk" in made().assumptions[3]


def test_a_plan_says_from_which_share_saved_on_it_pays():
    # 36 saved for 11: at half 18 - 11, at a quarter 9 - 11.
    plan = made()
    assert plan.facts["net_at_half"] == pytest.approx(7.0)
    assert plan.facts["net_at_quarter"] == pytest.approx(-2.0)
    assert plan.facts["break_even_share"] == pytest.approx(11 / 36)
    assert plan.assumptions[-1] == (
        "If actions save half of what is planned, the same list nets 7.00, if a quarter -2.00; "
        "below 31% it loses money."
    )


def test_a_plan_of_nothing_has_no_break_even():
    plan = made(THREE.assign(saveable_loss=0.0))
    assert plan.table.empty
    assert "break_even_share" not in plan.facts
    assert (plan.facts["net_at_half"], plan.facts["net_at_quarter"]) == (0.0, 0.0)


def test_of_a_customer_without_a_known_cause_only_the_widest_action_is_tried():
    table = THREE.assign(**{f"type_{cause}": np.nan for cause in CHURN_TYPES})
    wide = Action(CAMPAIGN, "", KEEPABLE, "email", 0.1, 0.0, cost=1.0)
    plan = made(table, (CALL, wide))
    assert set(plan.table.action) == {CAMPAIGN}
    assert plan.table.expected_saved.tolist() == pytest.approx([15.0, 8.0, 4.0])
    assert plan.table.reason[0].startswith("cause not known")


def test_what_campaigns_measured_stands_in_place_of_what_is_assumed():
    wide = Action(CAMPAIGN, "", KEEPABLE, "email", 0.1, 0.0, cost=1.0)
    told = Responses(pd.Series({"ann": 30.0, "bob": -3.0, "cid": 0.5}), "individual", "Measured.")
    plan = made(actions=(wide,), responses=told)
    assert chosen(plan) == {"ann": CAMPAIGN}
    assert plan.assumptions[0] == "Measured."


def many(n=4000):
    rng = np.random.default_rng(0)
    rows = zip(rng.uniform(0.0, 0.5, n), rng.uniform(0.0, 0.5, n), rng.lognormal(5, 1, n),
               strict=True)  # fmt: skip
    return scores(*((f"C{k}", *row) for k, row in enumerate(rows)))


def test_a_control_group_is_drawn_by_lot_among_those_who_would_be_chosen():
    table = many()
    plan = made(table, control_share=0.2, budget=2_000.0)
    control = plan.table[plan.table.is_control]
    share = len(control) / len(plan.table)
    assert pytest.approx(share, abs=4 * np.sqrt(0.2 * 0.8 / len(plan.table))) == 0.2
    assert control.cost.sum() == control.expected_saved.sum() == control.expected_net.sum() == 0.0
    assert plan.facts["spent"] <= 2_000.0
    aside = planner.kept_aside(table.customer_id, Terms(control_share=0.2))
    assert set(control.customer_id) <= set(table.customer_id[aside])
    assert not set(plan.table[~plan.table.is_control].customer_id) & set(table.customer_id[aside])


def test_the_control_group_hangs_on_id_and_name_alone():
    ids = many().customer_id
    first = planner.kept_aside(ids, Terms(name="spring", control_share=0.2))
    assert (planner.kept_aside(ids[::-1], Terms(name="spring", control_share=0.2))[::-1]
            == first).all()  # fmt: skip
    assert (planner.kept_aside(ids, Terms(name="summer", control_share=0.2)) != first).any()
    wider = planner.kept_aside(ids, Terms(name="spring", control_share=0.4))
    assert (wider >= first).all()


def test_the_summary_counts_what_is_done():
    found = made().summary()
    assert list(found.columns) == list(planner.SUMMARY)
    calls = found.set_index("action").loc["call"]
    assert (calls.customers, calls.cost) == (2, 10.0)
    assert (calls.saved_value, calls.net) == pytest.approx((28.0, 18.0))


def test_a_written_plan_can_be_read_with_all_it_rests_on(tmp_path):
    plan = made(budget=6.0)
    again = plan_files.read(plan_files.write(plan, tmp_path / "plan.parquet"))
    pd.testing.assert_frame_equal(again.table, plan.table)
    assert (again.facts, again.prices, again.assumptions) == (
        plan.facts, plan.prices, plan.assumptions)  # fmt: skip
    text = plan_files.write(plan, tmp_path / "plan.csv").read_text()
    assert text.splitlines()[0] == ",".join(planner.COLUMNS)
    with pytest.raises(UserError, match=r"Name a \.parquet or a \.csv file"):
        plan_files.write(plan, tmp_path / "plan.xlsx")


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        (lambda: made(THREE.drop(columns="tier")), "but tier are not there"),
        (lambda: made(pd.concat([THREE, THREE])), "ann stands twice"),
        (lambda: made(actions=()), "without any action"),
        (lambda: made(capacities={"fax": 3.0}), "A capacity was given for fax"),
        (lambda: Terms(budget=-1.0), "A plan with -1.0 for budget"),
        (lambda: Terms(control_share=1.0), "a share of 1.0"),
        (lambda: Action("x", "", ("malicious",), "email", 0.1, 0.0), "answer malicious"),
        (lambda: Action("x", "", ("fault",), "email", 1.1, 0.0), "keep a share of 1.1"),
        (lambda: Action("x", "", ("fault",), "email", 0.1, 0.0, cost=-1.0), "to cost -1.0"),
        (lambda: adjusted(costs={"dance": 1.0}), "A cost was given for dance"),
        (lambda: adjusted(save_rate=0.9), "keep a share of 1.8"),
    ],
)
def test_what_makes_no_plan_is_refused_in_a_sentence(wrong, sentence):
    with pytest.raises(UserError) as refused:
        wrong()
    assert sentence in str(refused.value)


@pytest.mark.parametrize("action", ACTIONS, ids=lambda action: action.name)
def test_every_action_says_what_it_is_and_answers_what_can_be_kept(action):
    assert action.about.endswith(".")
    assert set(action.causes) <= set(KEEPABLE)
    assert action.cost_for(200.0) > 0.0


def test_another_save_rate_moves_all_in_proportion_and_own_costs_count():
    found = {action.name: action for action in adjusted(0.2, {"repair": 7.0})}
    assert found["remind"].save_share == pytest.approx(0.4)
    assert found["repair"].cost_for(1e6) == 7.0

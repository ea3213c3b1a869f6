"""Every word of the report, by key. A further language is a further mapping with the same keys."""

from __future__ import annotations

from collections.abc import Mapping

Words = Mapping[str, str]

ENGLISH: Words = {
    # The page
    "page.language": "en",
    "page.contents": "In this report",
    "page.search": "Search",
    "page.all": "All",
    "page.shown": "{shown} of {total} shown",
    "page.show_all": "Show all",
    "page.numbers": "The numbers behind the plot",
    "page.footer": "Made by Holdfast. Probabilities and values are estimates, not promises.",
    # Codes
    "band.low": "Low",
    "band.medium": "Medium",
    "band.high": "High",
    "band.none": "Active customers",
    "tier.mvc": "Most valuable",
    "tier.mgc": "Most growable",
    "tier.maintain": "Maintain",
    "tier.below_zero": "Below zero",
    "tier.none": "No tier",
    "stage.acquisition": "Acquisition",
    "stage.growth": "Growth",
    "stage.maturity": "Maturity",
    "stage.decline": "Decline",
    "stage.termination": "Termination",
    "stage.none": "No stage",
    "cause.natural": "Natural",
    "cause.competitive": "Competitive",
    "cause.fault": "Fault",
    "cause.non_malicious": "Missed payment",
    "cause.retaliatory": "Retaliatory",
    "cause.malicious": "Malicious",
    "cause.unattributed": "Not attributed",
    "status.scored": "Scored",
    "status.not_active": "Not active",
    "status.already_churned": "Already churned",
    "status.insufficient_history": "Too little history",
    "status.stale_features": "Data too old",
    "status.out_of_range": "Unlike any customer seen",
    "status.none": "No status",
    "status.scored_is": "Active, and given a risk of leaving",
    "status.not_active_is": "Silent for too long to be called at risk",
    "status.already_churned_is": "Left before this date",
    "status.insufficient_history_is": "Known for too short a time",
    "status.stale_features_is": "What is known of them is too old to judge by",
    "status.out_of_range_is": "The model has seen nobody like them and does not guess",
    # Headline
    "headline.title": "At a glance",
    "headline.lead": "Of {customers} customers, {active} are active and could still be lost. "
    "{high} of these are at high risk of leaving. If nothing is done, {money} of future value is "
    "expected to go with those who leave.",
    "headline.lead_quiet": "None of the {customers} customers is active, so none is given a risk "
    "of leaving. What they may still be worth is below.",
    "headline.customers": "Customers",
    "headline.customers_note": "with at least one purchase so far",
    "headline.active": "Active customers",
    "headline.active_note": "{share} of all; the others have been silent too long to be called "
    "at risk",
    "headline.high_risk": "At high risk",
    "headline.high_risk_note": "{share} of the active; risk {cut} and above",
    "headline.high_risk_none": "none of the active customers",
    "headline.money_at_risk": "Money at risk",
    "headline.money_at_risk_note": "future value expected to be lost; {high} of it with the "
    "customers at high risk",
    "headline.expected_value": "Expected value",
    "headline.expected_value_note": "of all customers together, over the value horizon",
    "headline.expected_value_range": "of all customers together; nine times in ten between {low} "
    "and {high}, if customers vary independently and the market as a whole does not move",
    "headline.concentration": "Held by the top 20%",
    "headline.concentration_note": "of the expected value; {share} of the customers hold 80% of it",
    "headline.concentration_none": "no customer has a positive expected value",
    "headline.status": "Status",
    "headline.status_is": "What it means",
    # Quality
    "quality.title": "How far can you trust this?",
    "quality.lead": "The models were tried on customers whose future they had not seen, beside the "
    "simple rule they have to beat (the baseline).",
    "quality.lead_untested": "The models behind these figures have not been tested.",
    "quality.risk": "Who will leave",
    "quality.value": "What customers are worth",
    "quality.A": "Clearly better than the simple rule",
    "quality.B": "Somewhat better than the simple rule",
    "quality.C": "No better than the simple rule",
    "quality.untested": "Not tested",
    "quality.none": "There were no customers with a known future to compare with, so nobody can "
    "say yet how good these figures are.",
    "quality.few": "Too few to tell",
    "quality.risk_few": "Of the {n} active customers in the test, fewer than {floor} left, or "
    "fewer than {floor} stayed. A grade on so few would be chance.",
    "quality.value_few": "Fewer than {floor} of the {n} customers in the test brought any money. A "
    "grade on so few would be chance.",
    "quality.risk_A": "On {n} active customers, the stated risks were {gain} closer to what "
    "happened than those of the simple rule, well beyond chance.",
    "quality.risk_B": "On {n} active customers, the stated risks were {gain} closer to what "
    "happened than those of the simple rule: an advantage, but a small or an uncertain one.",
    "quality.risk_C": "On {n} active customers, the stated risks were no closer to what happened "
    "than those of the simple rule. Do not spend money on this ranking alone.",
    "quality.value_A": "On {n} customers, the fifth rated most valuable brought {model} of the "
    "money that came; the simple rule's fifth brought {baseline}.",
    "quality.value_B": "On {n} customers, the fifth rated most valuable brought {model} of the "
    "money that came; the simple rule's fifth brought {baseline}. The advantage is small or "
    "uncertain.",
    "quality.value_C": "On {n} customers, the fifth rated most valuable brought {model} of the "
    "money that came; the simple rule's fifth brought {baseline}. The rule does as well.",
    "quality.expected_leavers": "Expected to leave",
    "quality.expected_leavers_note": "of the active customers in the test; {happened} did",
    "quality.found": "Leavers found",
    "quality.found_note": "among the fifth rated most at risk; the simple rule found {baseline}",
    "quality.total": "Value that came",
    "quality.total_note": "of the total that was forecast ({actual} of {forecast})",
    "quality.coverage": "Within the range",
    "quality.coverage_note": "of customers ended within their stated range; it promises 90%",
    # At risk
    "at_risk.title": "Who is at risk, and why",
    "at_risk.lead": "The {n} customers with the most money at risk. Together they carry {money}, "
    "{share} of all money at risk.",
    "at_risk.none": "No active customer has money at risk.",
    "at_risk.customer": "Customer",
    "at_risk.risk": "Risk of leaving",
    "at_risk.loss": "Money at risk",
    "at_risk.value": "Expected value",
    "at_risk.tier": "Tier",
    "at_risk.stage": "Stage",
    "at_risk.cause": "Likely cause",
    "at_risk.cause_share": "{share} of the risk",
    "at_risk.factors": "What the model noticed",
    "at_risk.max_spend": "Spend at most",
    "at_risk.not_advised": "do not retain",
    "at_risk.caution": "What the model noticed is a sign, not a proven cause. Spend at most: the "
    "largest cost of a contact that still pays on average.",
    # Causes
    "causes.title": "Why customers leave",
    "causes.lead": "The customers expected to leave, by the most likely reasons. Each cause calls "
    "for a different answer.",
    "causes.none": "No causes were scored for these customers.",
    "causes.finding": "{cause} accounts for {share} of the expected leavers.",
    "causes.reading": "Each bar is a share of all customers expected to leave; together they make "
    "the whole.",
    "causes.unavailable": "Unavailable: {causes}. The data that would show them (payments, "
    "complaints, fraud signs) were not given, so they are not known to be zero.",
    "causes.cause": "Cause",
    "causes.leavers": "Expected leavers",
    "causes.share": "Share",
    "causes.meaning": "What it means",
    "causes.answer": "What helps",
    "causes.natural": "The need ended: moved away, closed, grew out of it",
    "causes.natural_answer": "Part well; ask for a referral",
    "causes.competitive": "Going to a competitor",
    "causes.competitive_answer": "A better offer or service",
    "causes.fault": "Leaves by choice for neither of these: mostly our service, quality or silence",
    "causes.fault_answer": "Find the fault and mend it",
    "causes.non_malicious": "Payment forgotten or lapsed, with no complaint",
    "causes.non_malicious_answer": "A friendly reminder",
    "causes.retaliatory": "Stops paying after a complaint was not settled",
    "causes.retaliatory_answer": "Settle the complaint first",
    "causes.malicious": "Fraud, or never meant to pay",
    "causes.malicious_answer": "Do not retain",
    "causes.unattributed": "Risk the causes do not explain",
    "causes.unattributed_answer": "Ask",
    # Risk
    "risk.title": "How the risk is spread",
    "risk.lead": "Every active customer by the probability of leaving within the horizon.",
    "risk.none": "No customer is active, so there is no risk of leaving to show.",
    "risk.finding": "On average, {risk} of the active customers are expected to leave.",
    "risk.reading": "Each bar counts the customers within five percentage points of risk. Colors "
    "are the bands of the policy.",
    "risk.reading_plain": "Each bar counts the customers within five percentage points of risk.",
    "risk.band": "Band",
    "risk.customers": "Customers",
    "risk.mean": "Mean risk",
    "risk.loss": "Money at risk",
    # Tiers and stages
    "tiers.title": "Value tiers",
    "tiers.lead": "Customers grouped by what they are expected to bring, so that effort goes where "
    "it pays.",
    "tiers.finding": "{tier} customers are {customers} of all and carry {value} of the expected "
    "value.",
    "tiers.finding_plain": "{tier} customers are {customers} of all.",
    "tiers.none": "No customer has been given a tier.",
    "tiers.reading": "Where the value bar is longer than the customer bar, each customer counts "
    "for more than the average.",
    "stages.title": "Stages of the relationship",
    "stages.lead": "Where customers stand in their life with the business.",
    "stages.finding": "{stage} holds {share} of the money at risk.",
    "stages.reading": "Where the risk bar is longer than the customer bar, the stage deserves "
    "attention first.",
    "group.tier": "Tier",
    "group.stage": "Stage",
    "group.customers": "Customers",
    "group.customer_share": "Share of customers",
    "group.value": "Expected value",
    "group.value_share": "Share of value",
    "group.risk": "Mean risk",
    "group.loss": "Money at risk",
    "group.loss_share": "Share of money at risk",
    # Value
    "value.title": "Where the value is",
    "value.lead": "What each customer is expected to bring over the value horizon.",
    "value.none": "No customer has an expected value.",
    "value.classes_finding": "A typical customer is expected to bring {median}, the average "
    "customer {mean}: a few large ones lift the average.",
    "value.classes_finding_plain": "A typical customer is expected to bring {median}, the average "
    "customer {mean}.",
    "value.classes_reading": "Each pair is a class of expected value: how many customers are in "
    "it, and how much of the total they bring.",
    "value.pareto_finding": "The most valuable 20% of customers hold {top} of the expected value.",
    "value.pareto_none": "No customer has a positive expected value, so there is no concentration "
    "to show.",
    "value.pareto_reading": "Customers from most to least valuable. The higher the curve, the "
    "fewer customers the business depends on. Negative values count as zero.",
    "value.class": "Expected value",
    "value.up_to_zero": "zero or less",
    "value.up_to": "up to {high}",
    "value.between": "{low} to {high}",
    "value.over": "over {low}",
    # Tests
    "test.none": "Not tested: no customers with a known future were set aside.",
    "test.none_active": "Not tested: no customer in the test was active.",
    "test.none_left": "No customer in the test left, so there is nothing to find.",
    "calibration.title": "Are the probabilities honest?",
    "calibration.lead": "Of 100 customers said to have a 30% risk, about 30 should leave.",
    "calibration.finding": "On average {predicted} were expected to leave, and {realised} left.",
    "calibration.reading": "Each dot is a tenth of the tested active customers, about {each} of "
    "them. On the dashed line the promise is kept; above it, more left than expected. Bars show "
    "what chance alone explains.",
    "calibration.predicted": "Expected to leave",
    "calibration.realised": "Left",
    "calibration.low": "95% from",
    "calibration.high": "to",
    "calibration.customers": "Customers",
    "gain.title": "Does the ranking find the leavers?",
    "gain.lead": "If only some customers can be contacted, the ranking should put the leavers "
    "first.",
    "gain.finding": "The 20% rated most at risk held {model} of those who left. The simple rule "
    "found {baseline}, a blind draw would find 20%.",
    "gain.reading": "Go right to the share of customers you can contact, then up to the share of "
    "leavers reached. The pale line is the best possible.",
    "gain.contacted": "Customers contacted",
    "gain.model": "Leavers found",
    "gain.baseline": "By the simple rule",
    "gain.lift": "Times better than chance",
    "forecast.title": "Did the forecast value come?",
    "forecast.lead": "Tested customers in tenths, from lowest to highest forecast.",
    "forecast.none": "Not tested: the value of no customer in the test is known.",
    "forecast.finding": "In total {forecast} was forecast and {actual} came.",
    "forecast.reading": "Bars are what customers brought on average, dots what was forecast for "
    "them. A dot above its bar promised too much.",
    "forecast.tenth": "Tenth",
    "forecast.customers": "Customers",
    "forecast.expected": "Forecast each",
    "forecast.actual": "Came each",
    "forecast.baseline": "Simple rule each",
    # Plots
    "plot.risk": "risk of leaving",
    "plot.customers": "customers",
    "plot.model": "Model",
    "plot.baseline": "Simple rule",
    "plot.best": "Best possible",
    "plot.actual": "What came",
    "plot.forecast": "Forecast",
    "plot.predicted_risk": "expected to leave",
    "plot.realised_risk": "left",
    "plot.customers_by_risk": "customers contacted, highest risk first",
    "plot.customers_by_value": "customers, most valuable first",
    "plot.leavers_share": "leavers found",
    "plot.value_share": "share of expected value",
    "plot.value_each": "per customer",
    "plot.tenths": "tenths of customers, by forecast",
    "plot.all_equal": "if all were equal",
    "plot.by_chance": "blind draw",
    "plot.unavailable": "unavailable",
    "plot.customer_share": "Share of customers",
    "plot.value_share_of": "Share of value",
    "plot.loss_share": "Share of money at risk",
    # Terms
    "terms.title": "How to read this",
    "terms.lead": "The words of this report, in the order in which you meet them.",
    "terms.active": "Active",
    "terms.active_is": "Has bought recently enough that a missing purchase would be a loss. Who is "
    "silent for longer counts as gone already and gets no risk of leaving.",
    "terms.risk": "Risk of leaving",
    "terms.risk_is": "The probability that an active customer does not buy again within the "
    "horizon. Of 100 customers with a risk of 40%, about 40 are expected to leave.",
    "terms.band": "Band",
    "terms.band_is": "Low, medium or high: the risk cut at the levels of the policy named above. A "
    "band is a convenience; decide by the money.",
    "terms.value": "Expected value",
    "terms.value_is": "What a customer brings on average over the value horizon, the chance of "
    "leaving included. Single customers end far from it: the range in small print holds nine times "
    "in ten.",
    "terms.loss": "Money at risk",
    "terms.loss_is": "Risk of leaving times what the customer would be worth if kept. It is what "
    "doing nothing is expected to cost. Customers who cost more than they bring count as zero.",
    "terms.spend": "Spend at most",
    "terms.spend_is": "The part of the money at risk that a contact is assumed to save. Spending "
    "more on this customer loses money on average.",
    "terms.tier": "Tier",
    "terms.tier_is": "Most valuable: the few who bring most of the value. Most growable: could "
    "bring clearly more, as similar customers do. Maintain: worth having. Below zero: cost more "
    "to serve than they bring.",
    "terms.stage": "Stage",
    "terms.stage_is": "Acquisition: in touch, nothing bought yet. Growth: new, or buying more than "
    "before. Maturity: steady. Decline: buying less, or overdue by the customer's own rhythm. "
    "Termination: gone, with nothing left to settle.",
    "terms.cause": "Likely cause",
    "terms.cause_is": "The risk divided among six causes. It tells which answer fits, not what "
    "is certain. Unavailable means that the data cannot show it.",
    "terms.noticed": "What the model noticed",
    "terms.noticed_is": "The facts that moved this customer's risk most. They go along with "
    "leaving; they need not be the reason for it.",
    "terms.rule": "Simple rule",
    "terms.rule_is": "The baseline: what could be said without a model, such as from the last "
    "purchase alone. A model that cannot beat it is not worth its upkeep.",
    "terms.grade": "Grade",
    "terms.grade_is": "A: at least 5% better than the simple rule, and beyond chance. B: better, "
    "but by less or not surely. C: not better. No grade with fewer than 100 customers on "
    "either side of the answer.",
    # Metrics
    "metrics.title": "All measures",
    "metrics.lead": "For specialists: what was measured in the test, by question and model.",
    "metrics.none": "No measures were recorded.",
    "metrics.task": "Question",
    "task.churn": "Who will leave (churn)",
    "task.churn_type": "Why (churn_type)",
    "task.clv": "What customers are worth (clv)",
    "task.tier": "Where customers will stand (tier)",
    "model.model": "Model",
    "model.baseline": "Simple rule",
    "metrics.metric": "Measure",
}

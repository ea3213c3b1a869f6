"""One file a model family; every family in one visible list, the baseline among them."""

from training.models.baseline import Baseline
from training.models.boosting import Boosting
from training.models.churn_type import ChurnType
from training.models.tier import TierTransition
from training.models.two_part import TwoPart

# The task a model answers -> its class; `baseline` answers churn and value, and must be beaten.
MODELS = {
    "baseline": Baseline,
    "churn": Boosting,
    "clv": TwoPart,
    "churn_type": ChurnType,
    "tier": TierTransition,
}

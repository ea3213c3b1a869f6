"""One contender at one size: python -m tests.benchmarks.models.scale_way WAY FOLDER."""

import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pandas as pd

from features.moment import END_OF_DAY
from features.store import FeatureStore
from features.workspace import Workspace
from serving import batch
from serving.policy import POLICY
from tests.benchmarks import apart
from tests.benchmarks.models.scale import DAYS, HORIZON
from tests.benchmarks.models.stationary import BEGIN
from training import frame, split, train
from training.request import Request

AS_OF = datetime.fromisoformat(BEGIN) + pd.Timedelta(days=DAYS) + END_OF_DAY


def features(folder: Path) -> None:
    """Every snapshot that training, its test and scoring will read."""
    store = FeatureStore(Workspace(folder / "workspace"))
    train.build(store, Request(AS_OF, HORIZON, HORIZON))
    first = frame.first_event(store)
    origin = split.test_origin(first, AS_OF, HORIZON)
    for _ in store.build([c.as_of for c in split.training_cutoffs(first, origin.as_of, HORIZON)]):
        pass


def holdfast(folder: Path) -> None:
    """Learn, test, calibrate, and score everybody with reasons."""
    space = Workspace(folder / "workspace")
    learned = train.learn(FeatureStore(space), Request(AS_OF, HORIZON, HORIZON))
    batch.score_everyone(space, learned.models, POLICY, AS_OF)


def lifetimes(folder: Path) -> None:
    """Pareto/NBD and gamma-gamma by maximum likelihood."""
    from lifetimes import GammaGammaFitter, ParetoNBDFitter

    rows = pd.read_parquet(folder / "summary.parquet")
    asked = (rows.frequency, rows.recency, rows["T"])
    model = ParetoNBDFitter(penalizer_coef=0.0).fit(*asked)
    model.conditional_expected_number_of_purchases_up_to_time(HORIZON, *asked)
    model.conditional_probability_alive(*asked)
    repeaters = rows[(rows.frequency > 0) & (rows.monetary_value > 0)]
    money = GammaGammaFitter(penalizer_coef=0.0)
    money.fit(repeaters.frequency, repeaters.monetary_value)
    money.conditional_expected_average_profit(rows.frequency, rows.monetary_value)


def pymc_marketing(folder: Path) -> None:
    """Pareto/NBD and gamma-gamma at their maximum a posteriori."""
    from pymc_marketing import clv

    rows = pd.read_parquet(folder / "summary.parquet")
    model = clv.ParetoNBDModel(data=rows)
    model.fit(method="map", progressbar=False)
    model.expected_purchases(rows, future_t=HORIZON)
    model.expected_probability_alive(rows)
    money = clv.GammaGammaModel(data=rows[(rows.frequency > 0) & (rows.monetary_value > 0)])
    money.fit(method="map", progressbar=False)
    money.expected_customer_spend(rows)


WAYS: dict[str, Callable[[Path], None]] = {
    "features": features,
    "Holdfast": holdfast,
    "lifetimes": lifetimes,
    "pymc-marketing": pymc_marketing,
}

if __name__ == "__main__":
    apart.measure(lambda: WAYS[sys.argv[1]](Path(sys.argv[2])))

"""The handler of serving_plain as a BentoML endpoint, the usual way, to show what that costs."""

import os

import bentoml

from serving.schemas import ScoreRequest, ScoreResponse
from serving.standing import now


@bentoml.service(
    workers=int(os.environ["HOLDFAST_WORKERS"]), logging={"access": {"enabled": False}}
)
class Bare:
    def __init__(self) -> None:
        from tests.benchmarks import serving_plain  # loads the models; only workers need them

        self._plain = serving_plain

    @bentoml.api(route="/score")
    async def score(self, request: ScoreRequest, /) -> ScoreResponse:
        body = self._plain.Body(customer_ids=request.customer_ids, explain=request.explain)
        return ScoreResponse.model_construct(scores=self._plain.scores(body, now()))

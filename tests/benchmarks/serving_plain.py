"""What the service is compared with: the same look-up and prediction on FastAPI, and nothing else.

No keys, no limits, no metrics, no following of the champion. Inline in the event loop, which is the
quickest that a single worker can do it, though a slow store would block everything.
"""

from datetime import datetime

from fastapi import FastAPI
from fastapi.responses import JSONResponse
from pydantic import BaseModel

from features.workspace import Workspace
from serving.answer import Call, answer
from serving.loaded import Asked, Loaded
from serving.policy import POLICY
from serving.standing import now

app = FastAPI()
loaded = Loaded.from_workspace(Workspace.from_environment())
loaded.lacks()  # opens the store


class Body(BaseModel):
    customer_ids: list[str]
    explain: bool = False


def scores(body: Body, moment: datetime) -> list:
    asked = [Asked(customer_id, "", body.explain) for customer_id in body.customer_ids]
    return answer(loaded.known(asked), loaded.models, Call(POLICY, moment))


@app.post("/score")
async def score(body: Body) -> JSONResponse:
    return JSONResponse({"scores": scores(body, now())})

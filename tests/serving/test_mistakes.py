"""The sentence about a malformed request."""

import pytest
from pydantic import ValidationError

from serving import lane
from serving.schemas import FeaturesRequest, ScoreRequest

ROW = '{"purchase_days_total": 1, "recency": 3, "age": 9, "spend_total": 5}'


@pytest.mark.parametrize(
    ("model", "body", "sentence"),
    [
        (ScoreRequest, "{}", "customer_ids is missing: send it."),
        (
            ScoreRequest,
            '{"customer_ids": [], "ids": []}',
            "ids is not known here: leave it out.",
        ),
        (
            ScoreRequest,
            '{"customer_ids": ["C1", 7]}',
            "customer_ids.1 cannot be used: Input should be a valid string.",
        ),
        (
            ScoreRequest,
            "{",
            "The body is no JSON: EOF while parsing an object at line 1 column 1. "
            "Send an object as /docs.json describes it.",
        ),
        (ScoreRequest, "[]", "The body cannot be used: Input should be an object."),
        (
            FeaturesRequest,
            '{"rows": [{"recency": 10}]}',
            "rows.0.purchase_days_total is missing: send it. The others, 2 more, are in detail.",
        ),
        (
            FeaturesRequest,
            f'{{"rows": [{ROW}]}}',
            "rows.0 cannot be used: purchase_days_total, recency and age do not fit together: "
            "after the first there are age - recency days for the other purchase days, a whole "
            "number of them.",
        ),
    ],
)
def test_it_says_which_field_and_what_to_do(model, body, sentence):
    with pytest.raises(ValidationError) as refused:
        model.model_validate_json(body)
    code, told = lane.told(refused.value)
    assert (code, told["error"]) == (400, sentence)
    assert told["detail"][0]["msg"]

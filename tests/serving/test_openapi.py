"""The page about the service is true: everything it allows is answered, and in the form it says."""

import warnings

import pytest
from hypothesis import HealthCheck, given, settings

from serving import openapi
from serving.routes import ROLE_OF

with warnings.catch_warnings():  # of its own age, at import
    warnings.simplefilter("ignore")
    import schemathesis
    from schemathesis.checks import positive_data_acceptance

EXAMPLES, ERASURES = 25, 4  # requests a route; an erasure writes many files again


@pytest.fixture(scope="module")
def page(service):
    answer = service.get("/docs.json")
    assert answer.status_code == 200
    return answer.json()


def test_every_route_with_a_role_is_on_the_page(page):
    assert set(page["paths"]) == set(ROLE_OF)
    assert page["openapi"] == "3.1.0"


def test_each_route_has_an_example_that_is_answered(service, page):
    for route, operations in page["paths"].items():
        if "post" not in operations:
            continue
        example = operations["post"]["requestBody"]["content"]["application/json"]["example"]
        answer = service.post(route, json=example)
        assert answer.status_code == 200, (route, answer.text)


def test_a_refusal_has_the_form_the_page_says(service):
    refused = service.post("/score", json={"customer_ids": "C1"})
    told = openapi.Refusal.model_validate(refused.json())
    assert told.detail[0].loc == ["customer_ids"]
    assert told.error == "customer_ids cannot be used: Input should be a valid array."


@pytest.fixture(scope="module")
def schema(page):
    return schemathesis.openapi.from_dict(page)


@pytest.mark.parametrize("route", openapi.OPERATIONS)
def test_whatever_the_page_allows_is_answered_and_never_with_500(route, service, schema):
    operation = schema[route][openapi.OPERATIONS[route].method.upper()]
    most = ERASURES if openapi.OPERATIONS[route].method == "delete" else EXAMPLES

    @given(case=operation.as_strategy())
    @settings(max_examples=most, deadline=None, derandomize=True, database=None,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    def ask(case):
        asked = case.as_transport_kwargs(base_url="http://testserver")
        asked.pop("cookies", None)
        answer = service.request(**asked)
        # Which features there are, and which histories can be, no schema can say.
        case.validate_response(answer, excluded_checks=[positive_data_acceptance])
        if answer.status_code == 400:
            told = openapi.Refusal.model_validate(answer.json())
            assert told.detail, "a refusal names the field"

    ask()

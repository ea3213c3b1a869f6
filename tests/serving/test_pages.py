"""The page at /, and what is said to whoever asks for a path that is not there."""

import pytest


def test_the_front_page_says_where_to_go_on_and_names_no_outside_address(service):
    answer = service.get("/")
    assert "http" not in answer.text
    told = answer.json()
    assert told.pop("service") == "Holdfast"
    for path in told.values():
        assert service.get(path).status_code == 200, path


@pytest.mark.parametrize("path", ["/static_content/index.css", "/docs.html", "/index.html"])
def test_no_page_of_bentoml_is_shown(service, path):
    answer = service.get(path)
    assert answer.status_code == 404
    assert answer.json() == {
        "error": "The service has no such path. GET /docs.json tells which it has."
    }


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/score", "POST"), ("PUT", "/events", "POST"), ("POST", "/version", "GET or HEAD")],
)
def test_another_method_is_told_which_to_use(service, method, path, allowed):
    answer = service.request(method, path)
    assert answer.status_code == 405
    assert answer.json() == {
        "error": f"This path does not answer {method}. Ask it by {allowed}; see /docs.json."
    }
    assert set(answer.headers["allow"].split(", ")) == set(allowed.split(" or "))

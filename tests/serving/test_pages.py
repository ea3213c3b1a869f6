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
    assert service.get(path).status_code == 404

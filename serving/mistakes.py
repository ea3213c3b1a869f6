"""What is wrong with a request, in a sentence: which field, why it cannot be used, what to do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def sentence(mistakes: Sequence[Mapping[str, Any]]) -> str:
    """The first of pydantic's mistakes in words, and how many more there are."""
    said, more = _said(mistakes[0]), len(mistakes) - 1
    return f"{said} The others, {more} more, are in detail." if more else said


def _said(mistake: Mapping[str, Any]) -> str:
    where = ".".join(str(step) for step in mistake["loc"]) or "The body"
    what = mistake["msg"].rstrip(".")
    match mistake["type"]:
        case "missing":
            return f"{where} is missing: send it."
        case "extra_forbidden":
            return f"{where} is not known here: leave it out."
        case "json_invalid":
            why = what.removeprefix("Invalid JSON: ")
            return f"{where} is no JSON: {why}. Send an object as /docs.json describes it."
    return f"{where} cannot be used: {what.removeprefix('Value error, ')}."

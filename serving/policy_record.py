"""A policy as JSON and back: the same rules, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from typing import Any

from features.errors import UserError
from serving.policy import POLICY, Policy

LABEL = "label"


def to_dict(policy: Policy) -> dict[str, Any]:
    """The label and every field, nested rules as nested objects, JSON-ready."""
    return {LABEL: policy.label, **asdict(policy)}


def from_dict(stored: Mapping[str, Any]) -> Policy:
    """The policy that `to_dict` told, equal to the one it was told of.

    A field of which nothing was stored did not exist then, and has its default. Raises UserError
    for a field that no longer exists: without it the rules are not those of then.
    """
    found = _made({name: value for name, value in stored.items() if name != LABEL}, POLICY, "")
    assert isinstance(found, Policy)
    return found


def _made(stored: Mapping[str, Any], like: Any, place: str) -> Any:
    """A value of the class of `like` with the stored fields."""
    known = {field.name: getattr(like, field.name) for field in fields(like)}
    if strange := sorted(set(stored) - set(known)):
        raise UserError(
            f"The stored policy has {place}{strange[0]}, which this version of the rules does not "
            "know. Use the version of the program that stored it."
        )
    return type(like)(**{name: _value(value, known[name], f"{place}{name}.")
                         for name, value in stored.items()})  # fmt: skip


def _value(value: Any, like: Any, place: str) -> Any:
    if is_dataclass(like) and isinstance(value, Mapping):
        return _made(value, like, place)
    return _frozen(value)


def _frozen(value: Any) -> Any:
    """JSON knows lists alone; a policy has tuples."""
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value

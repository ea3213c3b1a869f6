"""Why the stored score of a customer moved between two batches, told in figures and in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pandas as pd

from features.columns import Columns
from features.snapshots import moment_name
from features.workspace import Workspace
from serving import made_of, replay
from serving.difference import NUMBERS, TEXTS, Difference, Made
from serving.made_of import MadeOf
from training.models.explanation import ABOUT_REPEAT_BUYING, Word

MOST_FEATURES = 10  # of the hundreds, those that a person reads


@dataclass(frozen=True)
class Moved:
    """What moved a customer's score.

    moments: of the two batches. kinds: of each part that differs what it was and what it is.
    numbers, texts: figure -> before, after and parts. features: the strongest of the data's part
    of the chance to buy nothing. unexplained: what their sum and that of all others lacks.
    """

    customer_id: str
    moments: tuple[str, str]
    kinds: Mapping[str, tuple[str, str]]
    numbers: Mapping[str, Mapping[str, Any]]
    texts: Mapping[str, Mapping[str, Any]]
    features: list[dict[str, Any]]
    others: float
    unexplained: float | None

    @property
    def facts(self) -> dict[str, Any]:
        """All of it, JSON-ready."""
        return {
            "customer_id": self.customer_id,
            "from": self.moments[0],
            "to": self.moments[1],
            "differs": {part: {"before": old, "after": new}
                        for part, (old, new) in self.kinds.items()},
            "numbers": dict(self.numbers),
            "texts": dict(self.texts),
            "features": self.features,
            "other_features": self.others,
            "unexplained": self.unexplained,
        }  # fmt: skip

    def in_words(self) -> str:
        """The same for a person."""
        first = f"{self.customer_id} from {self.moments[0]} to {self.moments[1]}"
        if not self.kinds:
            return f"{first}: data, model, definition and policy are the same, and so is the score."
        lines = [f"{first}. What differs:"]
        lines += [f"  {part}: {old} -> {new}" for part, (old, new) in self.kinds.items()]
        lines += [_turn_in_words(name, told) for name, told in self.texts.items()
                  if told["before"] != told["after"]]  # fmt: skip
        lines += [_split_in_words(name, told) for name, told in self.numbers.items()]
        if self.features:
            lines.append("The data moved the chance to buy nothing by these features, in points:")
            lines += [_feature_in_words(feature) for feature in self.features]
            lines.append(f"  {100 * self.others:+8.2f}  all other features together")
        return "\n".join(lines)


def between(space: Workspace, customer_id: str, first: datetime, second: datetime) -> Moved:
    """What moved the score of a customer from one batch to another.

    Raises UserError when a moment has no scores, or not of him, and when what they were made of is
    gone.
    """
    (before, made_before), (after, made_after) = (
        _made(space, customer_id, moment) for moment in (first, second)
    )
    is_same = (made_before.models == made_after.models
               and dict(made_before.versions) == dict(made_after.versions))  # fmt: skip
    found = Difference.of(before, after, is_same_model=is_same)
    kinds = {part: kind for part, kind in _kinds(made_before, made_after).items()
             if part in found.differs}  # fmt: skip
    moved = found.features()
    few, rest = moved.head(MOST_FEATURES), moved.iloc[MOST_FEATURES:]
    words = {**before.models.reference.words, **after.models.reference.words}
    numbers = {name: _split(found, name) for name in NUMBERS}
    return Moved(
        customer_id,
        (moment_name(first), moment_name(second)),
        kinds,
        numbers,
        {name: _turn(found, name) for name in TEXTS},
        [_feature(row, words) for row in few.to_dict("records")],
        float(rest.part.sum()),
        _unexplained(numbers["purchase_probability"], moved),
    )


def _made(space: Workspace, customer_id: str, as_of: datetime) -> tuple[Made, MadeOf]:
    folder = replay.scored_folder(space, as_of)
    stored = replay.row_of(folder, customer_id)
    made = made_of.read(folder)
    rows = replay.inputs(folder, customer_id, as_of, stored)
    models = replay.models_of(space, made.versions)
    return Made(Columns.of(rows), models, made.rules), made


def _kinds(before: MadeOf, after: MadeOf) -> dict[str, tuple[str, str]]:
    def each(told: Mapping[str, str]) -> str:
        return ", ".join(f"{name} {value}" for name, value in told.items())

    return {
        "data": (f"features as of {before.as_of}", f"as of {after.as_of}"),
        "model": (each(before.versions), each(after.versions)),
        "definition": (
            ", ".join(before.definitions.values()),
            ", ".join(after.definitions.values()),
        ),
        "policy": (str(before.policy["label"]), _policy_after(before, after)),
    }


def _policy_after(before: MadeOf, after: MadeOf) -> str:
    """The label of the later policy, with the rules that are others than before."""
    changed = sorted(name for name, value in after.policy.items()
                     if name != "label" and before.policy.get(name) != value)  # fmt: skip
    return f"{after.policy['label']} ({', '.join(changed)})"


def _split(found: Difference, name: str) -> dict[str, Any]:
    split = found.number(name)
    return {
        "before": _plain(split.before[0]),
        "after": _plain(split.after[0]),
        "parts": {part: _plain(value[0]) for part, value in split.parts.items()},
    }


def _turn(found: Difference, name: str) -> dict[str, Any]:
    turn = found.text(name)
    return {
        "before": turn.before[0],
        "after": turn.after[0],
        "parts": {part: float(share[0]) for part, share in turn.parts.items()},
    }


def _feature(row: Mapping[Any, Any], words: Mapping[str, Word]) -> dict[str, Any]:
    name = row["feature"]
    word = words.get(name, Word(name, ABOUT_REPEAT_BUYING))
    return {"feature": name, "family": word.family, "about": word.about, "before": row["before"],
            "after": row["after"], "part": float(row["part"])}  # fmt: skip


def _unexplained(purchase: Mapping[str, Any], moved: pd.DataFrame) -> float | None:
    """The data's part of 1 - purchase_probability less the sum over the features."""
    part = purchase["parts"].get("data")
    return None if part is None else -part - float(moved.part.sum())


def _split_in_words(name: str, told: Mapping[str, Any]) -> str:
    before, after, parts = told["before"], told["after"], told["parts"]
    if before is None or after is None:
        return f"  {name}: {_figure(before)} -> {_figure(after)}; not both are known: no split."
    if any(part is None for part in parts.values()):
        between = "on every way between it is not known: no split."
        return f"  {name}: {_figure(before)} -> {_figure(after)}; {between}"
    shares = ", ".join(f"{part} {value:+.4g}" for part, value in parts.items())
    return f"  {name}: {_figure(before)} -> {_figure(after)} ({after - before:+.4g}): {shares}"


def _turn_in_words(name: str, told: Mapping[str, Any]) -> str:
    by = ", ".join(f"{part} ({share:.0%} of the orders)" if share < 1.0 else part
                   for part, share in told["parts"].items() if share > 0.0)  # fmt: skip
    return f"  {name}: {told['before']} -> {told['after']}, changed by {by}"


def _feature_in_words(told: Mapping[str, Any]) -> str:
    about = told["about"].split(";")[0].split(",")[0].rstrip(".")
    values = f"{_figure(told['before'])} -> {_figure(told['after'])}"
    return f"  {100 * told['part']:+8.2f}  {told['feature']} ({about}): {values}"


def _figure(value: float | str | None) -> str:
    return "not known" if value is None else value if isinstance(value, str) else f"{value:,.4g}"


def _plain(value: Any) -> float | None:
    return None if value != value else float(value)

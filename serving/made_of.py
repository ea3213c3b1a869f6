"""What the scores of a moment were made of, kept beside them so that they can be made again.

    scores/as_of=<moment>/made_of.json                    models, definitions, policy, code
    scores/as_of=<moment>/features/<family>/part.parquet  the features as they were

The features are other names of the snapshot's own files (hard links) and take no room until the
snapshot is built anew; on a file system without such names they are copies.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from features import backend, moment
from features.chunks import Built
from features.computation import KEPT, PART, STAMP
from features.errors import UserError
from features.snapshots import moment_name
from features.workspace import Workspace
from serving import policy_record
from serving.policy import Policy
from training import champion

FILE, SCORES = "made_of.json", "scores.parquet"
# Whose other version may compute another last digit.
_LIBRARIES = ("numpy", "scipy", "pandas", "pyarrow", "xgboost")


@dataclass(frozen=True)
class MadeOf:
    """What a batch was made of, as made_of.json has it.

    as_of, written_at, trained_as_of: ISO 8601, UTC. customers: rows of the scores. versions,
    definitions: task -> version of the model, and -> the question's label. policy: its label and
    every field. code, models: digests of our source and of the model files. features: fingerprint
    of the snapshot. former: moment of the scores before, null without any. engine: that computed
    the features. libraries: name -> version. files: path below the folder -> SHA-256.
    """

    as_of: str
    written_at: str
    customers: int
    versions: Mapping[str, str]
    definitions: Mapping[str, str]
    trained_as_of: str
    catalog: str
    policy: Mapping[str, Any]
    code: str
    models: str
    features: str
    former: str | None
    engine: str
    libraries: Mapping[str, str]
    files: Mapping[str, str]

    @property
    def rules(self) -> Policy:
        """The policy of then."""
        return policy_record.from_dict(self.policy)


def folder_of(space: Workspace, as_of: datetime) -> Path:
    """Where the scores of a moment and what they were made of lie."""
    return space.scores / f"as_of={moment_name(as_of)}"


def read(folder: Path) -> MadeOf:
    """What the scores in a folder were made of. Raises UserError when nobody has kept it."""
    try:
        return MadeOf(**json.loads((folder / FILE).read_text(encoding="utf-8")))
    except FileNotFoundError:
        name = folder.name.removeprefix("as_of=")
        raise UserError(
            f"What the scores as of {name} were made of was not kept: they are older than the "
            f"keeping of it. Score that moment again: holdfast score --as-of {name}."
        ) from None
    except (json.JSONDecodeError, TypeError) as error:
        raise UserError(
            f"The file {folder.name}/{FILE} is damaged ({error}), so nobody can tell what the "
            "scores beside it were made of. Score that moment again."
        ) from None


def write(folder: Path, made: MadeOf) -> None:
    """Put made_of.json into a folder of scores, whole or not at all."""
    with backend.whole_or_nothing(folder / FILE) as temporary:
        temporary.write_text(json.dumps(asdict(made), indent=1), encoding="utf-8")


def models_of(space: Workspace, versions: Mapping[str, str]) -> dict[str, Any]:
    """What the files of some models say of themselves, by the names of MadeOf."""
    metas = {name: json.loads((space.models / name / chosen / "task.json").read_text())
             for name, chosen in versions.items()}  # fmt: skip
    return {
        "versions": dict(versions),
        "definitions": {name: meta["definition"] for name, meta in metas.items()},
        "trained_as_of": metas["churn"]["trained_as_of"],
        "catalog": metas["churn"]["catalog"],
        "models": champion.digest(space, versions),
    }


def libraries() -> dict[str, str]:
    """The versions of what computes the numbers."""
    return {"python": platform.python_version(), **{name: version(name) for name in _LIBRARIES}}


def linked(built: Built, folder: Path) -> Built:
    """The files of a built moment under names of their own below a folder, for good.

    What has its name there already stays.
    """
    families = []
    for path, features in built.families:
        own = folder / KEPT / path.parents[1].name / PART
        if not own.exists():
            own.parent.mkdir(parents=True, exist_ok=True)
            _link(path, own)
        families.append((own, features))
    return replace(built, families=tuple(families))


def publish(staging: Path, folder: Path, made: MadeOf) -> None:
    """Put the staged features and what else the scores of a folder were made of beside them."""
    shutil.rmtree(folder / KEPT, ignore_errors=True)
    (staging / KEPT).rename(folder / KEPT)
    write(folder, replace(made, files=digests(folder), written_at=moment.now().isoformat()))


def digests(folder: Path) -> dict[str, str]:
    """The SHA-256 of the scores in a folder and of the features they were made of."""
    files = [folder / SCORES, *sorted((folder / KEPT).glob(f"*/{PART}"))]
    found = {}
    for file in files:
        with file.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        found[file.relative_to(folder).as_posix()] = digest
    return found


def renew(folder: Path) -> None:
    """After an erasure: what is told of the files as they are now; nothing where nothing is."""
    if (folder / FILE).exists():
        made = read(folder)
        count = pq.read_metadata(folder / SCORES).num_rows
        write(folder, replace(made, customers=count, files=digests(folder)))


def kept(folder: Path, as_of: datetime) -> Built:
    """The features that scores in a folder were made of. Raises UserError when they are gone."""
    files = sorted((folder / KEPT).glob(f"*/{PART}"))
    told = {name for name in read(folder).files if name != SCORES}
    gone = sorted(told - {file.relative_to(folder).as_posix() for file in files})
    if gone or not files:
        raise UserError(
            f"The features that the scores {folder.name} were made of are gone "
            f"({gone[0] if gone else KEPT} is missing), so they cannot be made again. "
            f"Score that moment anew: holdfast score {folder.name.replace('as_of=', '--as-of ')}."
        )
    return Built(as_of, tuple((file, _features(file)) for file in files))


def _features(file: Path) -> tuple[str, ...]:
    try:
        names = pq.read_schema(file).names
    except (pa.ArrowException, OSError) as error:
        raise UserError(
            f"The kept features {file.parent.name} are damaged: {error}. Score that moment anew."
        ) from None
    return tuple(name for name in names if name not in ("customer_id", STAMP))


def _link(path: Path, own: Path) -> None:
    try:
        os.link(path, own)
    except OSError:  # another file system, or one without a second name for a file
        with backend.whole_or_nothing(own) as temporary:
            shutil.copyfile(path, temporary)

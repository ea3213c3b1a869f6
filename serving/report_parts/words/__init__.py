"""Every word of the report, by key: `group.name`, from the YAML files of a language's folder.

A further language is a further folder with the same files and keys, named in LANGUAGES; the key
`page.language` is its code.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import yaml

Words = Mapping[str, str]


def _read(folder: str) -> Words:
    words: dict[str, str] = {}
    for path in sorted((Path(__file__).parent / folder).glob("*.yaml")):
        groups = yaml.safe_load(path.read_text(encoding="utf-8"))
        words |= {f"{group}.{name}": text for group, few in groups.items()
                  for name, text in few.items()}  # fmt: skip
    return words


ENGLISH = _read("english")

CHINESE = _read("chinese")
LANGUAGES: Mapping[str, Words] = {"en": ENGLISH, "zh": CHINESE}

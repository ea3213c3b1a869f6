"""Sentences that trainings wrote in English, said in the language of the report.

A sentence is known by its form: the English words of group `said`, whose {parts} may be anything.
What has none of these forms stays as it was written.
"""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from features.catalog import every_feature
from serving.report_parts.words import ENGLISH, Words
from training.models.explanation import ABOUT_REPEAT_BUYING, REPEAT_BUYING

GROUP = "said."
PROFILE = "factor.profile"  # a column of the customers table, which no catalogue can know
PART = r"(?:[^.,;]|[.,](?=\d))+?"  # stops and commas only inside a number
WRITTEN_IN = ENGLISH["page.language"]
FACTOR = re.compile(r"(?P<about>.+): (?P<value>.+?) \((?P<effect>[+-]\d+) points\)")


def retold(text: str, words: Words) -> str:
    """The sentences of a text as the words say them."""
    if words["page.language"] == WRITTEN_IN:
        return text
    told = text
    for key, form in _forms().items():
        for found in form.finditer(text):
            said = words[key].format(**found.groupdict())
            told = told.replace(f"{found[0]} ", said + words["page.space"]).replace(found[0], said)
    return told


@cache
def _forms() -> dict[str, re.Pattern[str]]:
    """What each English form looks like, as a whole sentence or, without a stop, a whole text."""
    forms = {}
    for key, text in ENGLISH.items():
        if key.startswith(GROUP):
            form = _with_parts(text, PART)
            end = r"(?=$| )" if text.endswith(".") else "$"
            forms[key] = re.compile(rf"(?:^|(?<=\. )){form}{end}")
    return forms


def _with_parts(text: str, part: str) -> str:
    """What a text looks like, its {parts} being of this form."""
    return re.sub(r"\\{(\w+)\\}", lambda name: f"(?P<{name[1]}>{part})", re.escape(text))


@cache
def _profile() -> re.Pattern[str]:
    return re.compile(_with_parts(ENGLISH[PROFILE], ".+"))


class Factors(NamedTuple):
    """The strongest factors of a customer: all in a line, and of the first what it was."""

    short: str
    strongest: str = ""


def factors(text: str, words: Words) -> Factors:
    """The strongest factors by their family and effect, in points of risk, the strongest first.

    The strongest is added as it was written, feature and value, where the report is in that
    language. A column of the customers table is named in words, another one of no known family
    keeps its own name, one of another form stays as it was.
    """
    texts = text.split("; ")
    first = FACTOR.fullmatch(texts[0]) if words["page.language"] == WRITTEN_IN else None
    return Factors(
        words["factor.between"].join(_factor(each, words) for each in texts),
        f"{first['about']}: {first['value']}" if first else "",
    )


def _factor(text: str, words: Words) -> str:
    found = FACTOR.fullmatch(text)
    if found is None:
        return text
    family = words.get(f"family.{_families().get(found['about'])}")
    if family is None:
        profile = _profile().fullmatch(found["about"])
        family = words[PROFILE].format(**profile.groupdict()) if profile else found["about"]
    effect = int(found["effect"])
    form = "factor.raises" if effect > 0 else "factor.lowers" if effect < 0 else "factor.same"
    return words[form].format(family=family, points=abs(effect))


@cache
def _families() -> dict[str, str]:
    """The family by the beginning of a feature's description, as a factor's sentence has it."""
    pairs = [(REPEAT_BUYING, ABOUT_REPEAT_BUYING)]
    pairs += [(family.name, feature.about) for family, feature in every_feature()]
    return {about.split(";")[0].split(",")[0].rstrip("."): family for family, about in pairs}

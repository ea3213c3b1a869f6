"""Whether the values of every listed feature keep to the unit that its description names."""

import math
import re
from collections import defaultdict
from inspect import signature
from itertools import pairwise

from hypothesis import given

from features.catalog import every_feature
from tests.features.asked import catalogue, few_worlds
from tests.features.worlds import pasts

COUNT = re.compile(r"\ba count\b")
SHARE = re.compile(r"\b0 to 1\b")
AGE = re.compile(r"^Days (since|from)\b")

ABOUT = {feature.name: feature.about for _, feature in every_feature()}


def nested_counts():
    """Names of counts over a shorter window, each with the next longer one of the same thing."""
    windows = defaultdict(list)
    for _, feature in every_feature():
        wanted = set(signature(feature.function).parameters)
        if feature.window and COUNT.search(feature.about) and not wanted & {"before", "season"}:
            thing = (feature.function, *feature.arguments.values())
            windows[thing].append((feature.window, feature.name))
    names = [[name for _, name in sorted(found)] for found in windows.values()]
    return [pair for found in names for pair in pairwise(found)]


NESTED = nested_counts()


@few_worlds
@given(past=pasts())
def test_values_are_what_their_descriptions_say(past):
    for customers in catalogue().values(past).values():
        for customer, row in customers.items():
            values = {name: number(text) for name, text in row.items()}
            broken = {n: v for n, v in values.items() if v is not None and not is_kept(n, v)}
            assert broken == {}, customer
            shrinking = {
                (shorter, longer): (values[shorter], values[longer])
                for shorter, longer in NESTED
                if shorter in values and values[shorter] > values[longer]
            }
            assert shrinking == {}, customer


def number(text):
    """The number that was spelled out; None for nothing and for text."""
    return None if text == "None" or text[0] in "'\"" else float(text)


def is_kept(name, value):
    about = ABOUT[name]
    if COUNT.search(about):
        whole = value.is_integer() or about.startswith(("Mean", "Effective number"))
        return whole and value >= 0
    if SHARE.search(about):
        return 0 <= value <= 1
    return value >= 0 if AGE.search(about) else math.isfinite(value)

"""What was seen, as it is kept, told in words, shown in the report and given to Prometheus."""

import json
import os
import re
from datetime import datetime
from pathlib import Path

import pandas as pd
import prometheus_client
import pytest

from features.workspace import Workspace
from serving.monitoring import monitor
from serving.monitoring.alarms import ALARMS, Heard, hear
from serving.monitoring.gauges import Gauges
from serving.monitoring.monitor import Monitoring
from serving.monitoring.reading import ADVICE, Reading
from serving.monitoring.words import cause, sentence
from serving.report_parts.extras import Extras
from serving.report_parts.monitoring import monitoring
from serving.report_parts.words import CHINESE, ENGLISH, LANGUAGES
from tests.serving.report_sections import notes, people, seen, tables

SILENT = Reading(
    "interactions:visit", 5.0, 2.0, "silent",
    {"source": "interactions:visit", "since": "2025-03-04", "days": 5.0, "longest": 1.0},
)  # fmt: skip
CALM = Reading("amounts:1w", 0.01, 0.05, "prices_everywhere", {}, "retrain")
GRADE = {
    "group": "all", "customers": 100, "told": 0.4, "came": 0.5, "low": 0.5, "high": 0.7,
    "calibration": 0.1, "by_chance": 0.05,
}  # fmt: skip
GRADED = {
    "task": "churn", "as_of": "2025-01-31T23:59:59", "horizon_days": 90, "treated": 0, "control": 0,
    "grades": [{**GRADE, "forecaster": "model", "loss": 0.6},
               {**GRADE, "forecaster": "baseline", "loss": 0.65}],
    "bands": [], "behind": [-0.05, -0.08, -0.02],
}  # fmt: skip


def look(as_of=datetime(2025, 3, 9), heard=None):
    silent, quiet = Heard("source_silent", True, SILENT, (SILENT,)), Heard("prices", True, CALM)
    every = [silent, quiet, Heard("tier_flow", False)] if heard is None else heard
    return Monitoring(
        as_of, datetime(2025, 3, 10), datetime(2025, 1, 31), {"churn": "churn@1"}, every, [],
        [GRADED],
    )  # fmt: skip


def kept(space, found):
    path = monitor.result_path(space, found.as_of)
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(found.to_dict()))
    return path


def test_a_cause_and_an_advice_make_a_sentence():
    assert sentence(ENGLISH, SILENT) == (
        "Nothing has come from interactions:visit since 2025-03-04, 5 days; the longest silence of "
        "the year before was 1. The source may be broken. Look at the source before anything is "
        "retrained."
    )
    changed = Reading("x", 1.0, 0.5, "prices_everywhere",
                      {"change": 0.14, "weeks": 2, "categories": 8, "of": 8})  # fmt: skip
    assert cause(ENGLISH, changed) == (
        "The mean price of a piece changed by +14 % within 8 of 8 categories (weeks looked at, 2). "
        "Prices changed."
    )


def test_whatever_the_alarms_can_say_has_its_words():
    rooms = Path(monitor.__file__).parent.glob("*.py")
    source = "\n".join(path.read_text(encoding="utf-8") for path in rooms)
    told = set(re.findall(r"monitoring\.cause_(\w+)", "\n".join(ENGLISH)))
    assert all(f'"{code}"' in source for code in told)
    for words in LANGUAGES.values():
        assert {f"monitoring.alarm_{alarm.name}" for alarm in ALARMS} <= set(words)
        assert {f"monitoring.advice_{code}" for code in ADVICE} <= set(words)


@pytest.mark.parametrize("alarm", ALARMS, ids=lambda alarm: alarm.name)
def test_each_alarm_says_what_it_looks_at_and_why_its_limit_is_what_it_is(alarm):
    assert all(text.endswith(".") for text in (alarm.looks_at, alarm.limit))
    assert alarm.figure
    assert sum(one.name == alarm.name for one in ALARMS) == 1


def test_an_alarm_tells_the_nearest_and_all_that_is_beyond():
    far = Reading("b", 9.0, 2.0, "silent")
    alarm = ALARMS[0]
    (found,) = hear(None, [type(alarm)("a", "", "", "", lambda seen: [CALM, SILENT, far])])
    assert found.nearest is far
    assert found.beyond == (far, SILENT)
    (nothing,) = hear(None, [type(alarm)("a", "", "", "", lambda seen: [])])
    assert (nothing.is_known, nothing.nearest, nothing.beyond) == (False, None, ())


def test_a_look_is_the_same_after_it_was_kept_and_the_newest_is_found(tmp_path):
    space = Workspace(tmp_path)
    assert monitor.newest(space) is None
    early, late = look(datetime(2025, 3, 2)), look(datetime(2025, 3, 9))
    for one in (late, early):
        kept(space, one)
    assert monitor.newest(space).to_dict() == late.to_dict()
    assert monitor.newest(space, datetime(2025, 3, 5)).as_of == early.as_of
    assert [name for name, _ in monitor.newest(space).ringing] == ["source_silent"]


def test_what_is_not_known_is_null_and_not_nan(tmp_path):
    found = monitor._plain({"a": float("nan"), "b": [float("inf"), 1.5], "c": pd.Series([2])[0]})
    assert found == {"a": None, "b": [None, 1.5], "c": 2}


@pytest.mark.parametrize("words", [ENGLISH, CHINESE], ids=["en", "zh"])
def test_the_section_tells_what_rings_and_what_came(words):
    section = monitoring(seen(people({}), Extras(monitoring=look()), words=words))
    shown = tables(section)
    assert "2025-03-04" in shown["monitoring_ringing"][0][1]
    status = [words[f"monitoring.{code}"] for code in ("rings", "calm", "not_known")]
    assert [row[1] for row in shown["monitoring_alarms"]] == status
    assert shown["monitoring_realised"] == [[
        words["monitoring.question_churn"], "2025-01-31", words["monitoring.group_all"],
        100, 0.4, 0.5, 0.6, 0.65, 0.1,
    ]]  # fmt: skip


def test_the_section_without_a_look_says_how_to_have_one():
    assert notes(monitoring(seen(people({})))) == [ENGLISH["monitoring.none"]]
    calm = look(heard=[Heard("prices", True, CALM)])
    assert ENGLISH["monitoring.quiet"] in notes(
        monitoring(seen(people({}), Extras(monitoring=calm)))
    )


def test_prometheus_is_told_what_was_kept_last(tmp_path):
    space, registry = Workspace(tmp_path), prometheus_client.CollectorRegistry()
    gauges = Gauges(space, registry)

    def alarm(name):
        return registry.get_sample_value("holdfast_alarm", {"name": name})

    gauges.tell()
    assert alarm("source_silent") is None  # nobody has looked yet
    path = kept(space, look())
    gauges.tell()
    assert (alarm("source_silent"), alarm("prices")) == (1.0, 0.0)
    assert alarm("tier_flow") != alarm("tier_flow")  # not known
    assert registry.get_sample_value("holdfast_monitoring_as_of_seconds") == 1741478400.0
    path.write_text("{half of")
    os.utime(path, (2e9, 2e9))
    gauges.tell()
    assert alarm("source_silent") == 1.0  # what cannot be read changes nothing

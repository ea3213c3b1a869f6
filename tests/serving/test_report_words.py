"""Every language says the same things, and what trainings wrote in English is said in it."""

import string

import pytest

from features.relationship import _profile_feature
from serving.report_parts.retold import factors, retold
from serving.report_parts.words import CHINESE, ENGLISH, LANGUAGES
from tests.serving.report_world import customers, held_out, proven, written
from training.models.explanation import Factor, sentence
from training.tasks import CHURN

NOTE = (
    "Tested (risk) on customers as of 2024-12-31, whose following 90 days are known by now and "
    "were not used. Tested (value) on customers as of 2024-03-31, whose following 365 days are "
    "known by now and were not used."
)


def parts(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_the_keys_and_the_parts_of_english(code):
    words = LANGUAGES[code]
    assert words["page.language"] == code
    assert set(words) == set(ENGLISH)
    assert {key: parts(words[key]) for key in words} == {k: parts(ENGLISH[k]) for k in ENGLISH}


def test_no_chinese_text_was_left_in_english():
    same = {key for key in CHINESE if CHINESE[key] == ENGLISH[key]}
    assert same == set()


def test_a_note_of_a_training_is_told_sentence_by_sentence():
    assert retold(NOTE, ENGLISH) == NOTE
    assert retold(NOTE, CHINESE) == (
        "检验（风险）用的是截至 2024-12-31 的客户，其后 90 天的情况现已知道，训练时未使用。"
        "检验（价值）用的是截至 2024-03-31 的客户，其后 365 天的情况现已知道，训练时未使用。"
    )


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("365 days", "365 天"),
        ("353 (catalogue 1f3a)", "353 个（目录 1f3a）"),
        (CHURN.sentence(), "截止时间之前 180 天内有过购买，之后 90 天内不再购买。"),
        ("365 days of a sentence nobody foresaw.", "365 days of a sentence nobody foresaw."),
    ],
)
def test_facts_are_told_and_unknown_ones_left_as_they_are(english, chinese):
    assert retold(english, CHINESE) == chinese


def test_factors_are_told_by_their_family_and_direction():
    of_rhythm = Factor("rhythm", "recency", "Days since the last purchase.", 58.0, 0.19, False)
    text = "; ".join([sentence(of_rhythm), sentence(of_rhythm._replace(effect=-0.04)), "由他人写"])

    assert factors(text, ENGLISH) == (
        "Buying rhythm +19, Buying rhythm −4, 由他人写",
        "Days since the last purchase: 58",
    )
    assert factors(text, CHINESE) == ("购买规律：+19；购买规律：−4；由他人写", "")


def test_a_factor_of_no_known_family_keeps_its_own_name():
    assert factors("The customer's country: France (-14 points)", ENGLISH) == (
        "The customer's country −14",
        "The customer's country: France",
    )
    assert factors("Moons in the sky: 3 (+2 points)", CHINESE).short == "Moons in the sky：+2"


def test_a_column_of_the_customers_table_is_told_in_words():
    of_channel = Factor("relationship", "profile_channel", _profile_feature("channel").about,
                        "web", 0.03, False)  # fmt: skip

    assert factors(sentence(of_channel), CHINESE).short == "客户资料（channel）：+3"
    assert factors(sentence(of_channel), ENGLISH).short == "The customer's channel +3"


def test_amounts_in_a_sentence_keep_their_stops_and_commas():
    less = (
        "If actions save half of what is planned, the same list nets 1,234.50, if a quarter "
        "-12.75; below 31% it loses money."
    )
    assert retold(less, CHINESE) == CHINESE["said.plan_less"].format(
        half="1,234.50", quarter="-12.75", share="31%"
    )


def test_the_chinese_page_shows_no_key_and_no_english_word_of_the_report(tmp_path):
    unavailable = dict.fromkeys(("type_retaliatory", "type_malicious"))
    scores = customers().assign(top_factors=None, **unavailable)
    facts = {"as_of": "2025-06-30", "value_horizon": "365 days", "policy": "3"}

    page = written(
        tmp_path / "report.html", scores, proven(held_out()), "标题", facts, words=CHINESE
    )

    shown = [text.strip() for text in page.shown if text.strip()]
    assert '<html lang="zh">' in page.html
    assert [text for text in shown if text in ENGLISH or text in ENGLISH.values()] == []
    assert "截止时间" in shown
    assert "策略：3" in shown
    assert "无法得知：报复性被动流失、恶意被动流失。" in page.texts["causes"]

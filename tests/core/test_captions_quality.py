"""Lint, and words set as cues."""

import random

import pytest

from appliance.captions import lint, markup, rebreaking
from appliance.captions.cues import Captions, Cue
from appliance.captions.rebreaking import Word

GOOD = Cue(1000, 3000, "A good cue")


def _codes(*cues: Cue, duration: float | None = 60, language: str = "en") -> list[str]:
    found = lint.lint(Captions(cues), duration, language)
    return [finding.code for finding in found]


@pytest.mark.parametrize(
    ("cues", "codes"),
    [
        ((GOOD,), []),
        ((GOOD, Cue(2900, 4000, "Too early")), ["overlap"]),
        ((GOOD, Cue(2900, 4000, "At the top", "line:0")), []),
        ((GOOD, Cue(3040, 4000, "Hardly a gap")), ["gap"]),
        ((GOOD, Cue(3000, 4000, "No gap at all")), []),
        ((GOOD, Cue(3080, 4000, "Enough of a gap")), []),
        ((Cue(1000, 2000, "<i> </i>"),), ["empty"]),
        ((Cue(2000, 1000, "Back"),), ["order"]),
        ((Cue(1000, 5000, "one\ntwo\nthree"),), ["lines"]),
        ((Cue(1000, 6000, "x" * 43),), ["long-line"]),
        ((Cue(1000, 6000, f"<i>{'x' * 42}</i>"),), []),
        ((Cue(1000, 6000, "&amp;" * 42),), []),
        ((Cue(1000, 2000, "x" * 21),), ["fast"]),
        ((Cue(1000, 1600, "short"),), ["short"]),
        ((Cue(1000, 8100, "long"),), ["long"]),
        ((Cue(58_000, 60_900, "hangs over"),), ["past-end"]),
        ((Cue(60_000, 61_000, "too late"),), ["past-end"]),
    ],
)
def test_lint_names_what_is_hard_to_read(
    cues: tuple[Cue, ...], codes: list[str]
) -> None:
    assert _codes(*cues) == codes


def test_lint_counts_fewer_characters_where_each_is_a_word() -> None:
    cue = Cue(1000, 4000, "字" * 20)

    assert _codes(cue, language="zh-Hans") == ["long-line"]
    assert _codes(cue, language="en") == []


def _spoken(text: str, start: int = 0, each: int = 350, gap: int = 30) -> list[Word]:
    words = []
    for word in text.split():
        words.append(Word(start, start + each, f" {word}"))
        start += each + gap
    return words


def test_sentences_become_cues_of_two_lines() -> None:
    words = _spoken(
        "It was the best of times, it was the worst of times, it was the age of wisdom,"
        " it was the age of foolishness. It was the epoch of belief."
    )

    found = rebreaking.cues(words, "en")

    assert [cue.text for cue in found.cues] == [
        "It was the best of times,\nit was the worst of times,",
        "it was the age of wisdom,\nit was the age of foolishness.",
        "It was the epoch of belief.",
    ]
    assert lint.lint(found, 60, "en") == []


def test_a_pause_ends_a_cue() -> None:
    words = _spoken("wait a moment") + _spoken("here it is", start=3000)

    found = rebreaking.cues(words)

    assert [cue.text for cue in found.cues] == ["wait a moment", "here it is"]
    assert found.cues[1].start == 3000


def test_what_was_not_heard_well_is_marked() -> None:
    words = [Word(0, 500, " Clear.", 0.95), Word(2000, 2500, " Mumbled.", 0.3)]

    found = rebreaking.cues(words)

    assert [cue.unsure for cue in found.cues] == [False, True]


def test_languages_without_spaces_are_set_without() -> None:
    words = [
        Word(n * 200, n * 200 + 180, each) for n, each in enumerate("这是一个字幕" * 5)
    ]

    found = rebreaking.cues(words, "zh")

    said = "".join(cue.text.replace("\n", "") for cue in found.cues)
    assert said == "这是一个字幕" * 5
    assert max(len(line) for cue in found.cues for line in cue.text.split("\n")) <= 16


def test_text_that_looks_like_markup_is_only_text() -> None:
    found = rebreaking.cues([Word(0, 900, " <script>&")])

    assert found.cues[0].text == "&lt;script&gt;&amp;"


@pytest.mark.parametrize("seed", range(30))
def test_whatever_is_said_keeps_the_rules_and_every_word(seed: int) -> None:
    dice = random.Random(seed)
    words, at = [], 0
    for _ in range(dice.randint(1, 300)):
        text = "x" * dice.choice([1, 2, 3, 4, 5, 6, 7, 9, 12])
        text += dice.choice(["", "", "", "", ",", ".", "?"])
        length = 60 * len(text) + dice.randint(20, 200)
        words.append(Word(at, at + length, f" {text}"))
        at += length + dice.choice([0, 10, 40, 200, 1500])

    found = rebreaking.cues(words, "en")

    said = " ".join(markup.plain(cue.text) for cue in found.cues).split()
    assert said == [word.text.strip() for word in words]
    codes = {finding.code for finding in lint.lint(found, at / 1000 + 1, "en")}
    assert codes <= {"fast", "short"}
    ends = [cue.end for cue in found.cues]
    starts = [cue.start for cue in found.cues]
    assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))

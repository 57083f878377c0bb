"""What follows from encoding samples, and what a library makes of the ladder."""

from fractions import Fraction
from typing import Any

import pytest

from appliance.settings import Encode
from jobs.planning import choosing, policy
from jobs.planning.choosing import Tried
from jobs.planning.content import FILM, SCREEN
from jobs.planning.ladder import LadderPolicy, Rendition, chosen, ladder

FULL_HD = ladder(1920, 1080, Fraction(24))


def _choose(
    seen: float,
    *scaled: float,
    renditions: list[Rendition] = FULL_HD,
    kind: str = FILM,
    measure: str = "vmaf",
    crf: int = 21,
) -> dict[str, dict[str, Any]]:
    """Return what is said of each rendition.

    ``seen`` is the score of the largest, ``scaled`` those of the film at the sizes
    below it, the smallest first.
    """
    plain = [each for each in renditions if each.codec == "h264"]
    below: list[float | None] = [None] * (len(plain) - 1 - len(scaled))
    tried = [
        Tried(each, each.kbps / 2, scaled=score)
        for each, score in zip(plain, [*below, *scaled, None], strict=True)
    ]
    tried[-1] = Tried(plain[-1], plain[-1].kbps / 2, seen=seen)
    found = choosing.choose(
        renditions,
        tried,
        LadderPolicy(crf=crf),
        kind=kind,
        measure=measure,
        seconds=100,
    )
    return {each["name"]: each for each in found["renditions"]}


def test_an_average_film_keeps_the_quality_of_the_settings() -> None:
    found = _choose(93.0, 88.0, 95.0)

    assert found["1080p"]["quality"] == 21
    assert found["1080p"]["score"] == 93.0


def test_an_easy_film_gets_a_coarser_quality_and_a_hard_one_a_finer() -> None:
    assert _choose(96.0)["1080p"]["quality"] == 26
    assert _choose(89.0)["1080p"]["quality"] == 17


@pytest.mark.parametrize(("score", "quality"), [(100.0, 27), (30.0, 17)])
def test_however_a_film_scores_its_quality_stays_within_bounds(
    score: float, quality: int
) -> None:
    assert _choose(score)["1080p"]["quality"] == quality


def test_smaller_renditions_are_coarser_so_that_the_next_is_reached_sooner() -> None:
    found = _choose(93.0, 88.0, 95.0)

    assert [found[name]["quality"] for name in ("234p", "720p")] == [23, 23]


def test_a_better_quality_in_the_settings_is_a_better_one_in_the_end() -> None:
    # As an average film scores that was tried at this quality.
    scores = {18: 95.0, 24: 90.2}
    for crf, score in scores.items():
        wished = ladder(1920, 1080, Fraction(24), LadderPolicy(crf=crf))
        found = _choose(score, renditions=wished, crf=crf)
        assert found["1080p"]["quality"] == crf


def test_what_shows_nothing_more_than_a_smaller_one_is_left_out() -> None:
    # A film that was enlarged from 480 lines.
    found = _choose(93.0, 98.4, 99.1)

    assert [name for name, each in found.items() if each["kept"]] == [
        "234p",
        "360p",
        "480p",
    ]
    assert found["1080p"]["why"] == "The film shows nothing that 480p does not show."
    # It is the largest now, and so as fine as the largest is to be.
    assert (found["480p"]["quality"], found["360p"]["quality"]) == (21, 23)


def test_details_that_some_see_keep_the_largest() -> None:
    found = _choose(93.0, 93.0, 97.5)

    assert found["1080p"]["kept"]


def test_other_codecs_follow_h264_on_their_own_scale() -> None:
    renditions = ladder(
        1920, 1080, Fraction(24), LadderPolicy(codecs=("h264", "hevc", "av1"))
    )
    found = _choose(93.0, 98.4, 99.1, renditions=renditions)

    assert found["480p-av1"]["quality"] == found["480p"]["quality"] + 12
    assert found["480p-hevc"]["quality"] == found["480p"]["quality"] + 3
    assert not found["1080p-av1"]["kept"]
    assert found["480p-av1"]["score"] is None


def test_a_recording_of_a_screen_is_finer_than_a_film() -> None:
    film, screen = _choose(95.0), _choose(95.0, kind=SCREEN)

    assert film["1080p"]["quality"] - screen["1080p"]["quality"] == 3
    assert "letters" in screen["1080p"]["why"]


def test_by_ssim_renditions_are_left_out_but_no_quality_is_guessed() -> None:
    found = _choose(0.970, 0.990, 0.998, measure="ssim")

    assert found["1080p"]["quality"] == found["720p"]["quality"] == 21
    assert not found["1080p"]["kept"]
    assert found["720p"]["kept"]


def test_renditions_too_large_to_compare_follow_the_largest_that_was() -> None:
    renditions = ladder(3840, 2160, Fraction(24))
    tried = [Tried(each, 100.0) for each in renditions[:4]]
    tried.append(Tried(renditions[4], 2000.0, seen=96.0))

    found = choosing.choose(
        renditions,
        tried,
        LadderPolicy(),
        kind=FILM,
        measure="vmaf",
        seconds=100,
    )

    last = found["renditions"][-1]
    assert (last["name"], last["quality"], last["kept"]) == ("2160p", 26, True)
    assert last["why"].startswith("Larger than what samples are compared at")


def test_the_forecast_is_against_a_ladder_that_fills_its_rates() -> None:
    tried = [Tried(each, each.kbps / 2) for each in FULL_HD[:-1]]
    tried.append(Tried(FULL_HD[-1], 2500.0, seen=93.0))

    found = choosing.choose(
        FULL_HD,
        tried,
        LadderPolicy(),
        kind=FILM,
        measure="vmaf",
        seconds=100,
    )

    left = sum(each["kbps"] for each in found["renditions"])
    nominal = sum(each.kbps for each in FULL_HD)
    assert found["saved"]["bytes"] == (nominal - left) * 12_500
    assert found["saved"]["percent"] == round(100 * (nominal - left) / nominal)


def test_the_ladder_takes_from_an_analysis_what_it_says() -> None:
    found = _choose(93.0, 98.4, 99.1)
    analysis = {"renditions": list(found.values())}

    kept = chosen(FULL_HD, analysis)

    assert [(each.name, each.quality) for each in kept] == [
        (name, found[name]["quality"]) for name in ("234p", "360p", "480p")
    ]


@pytest.mark.parametrize("analysis", [None, {}, {"renditions": [], "note": "Why."}])
def test_without_an_analysis_the_ladder_stays(analysis: dict[str, Any] | None) -> None:
    assert chosen(FULL_HD, analysis) == FULL_HD


def test_a_library_says_how_high_the_ladder_goes_and_in_which_codecs() -> None:
    wishes = policy.of(Encode(), {"codecs": "h264,av1", "max_height": 480, "crf": 19})

    found = ladder(1920, 1080, Fraction(24), wishes)

    assert [(each.name, each.quality) for each in found] == [
        ("234p", 19),
        ("360p", 19),
        ("480p", 19),
        ("234p-av1", 31),
        ("360p-av1", 31),
        ("480p-av1", 31),
    ]
    assert found[3].kbps < found[0].kbps


def test_a_picture_between_two_rungs_is_not_kept_above_the_highest_wished_for() -> None:
    found = ladder(1600, 1000, Fraction(24), LadderPolicy(max_height=720))

    assert found[-1].name == "720p"


def test_a_tiny_picture_is_kept_whatever_the_highest_is() -> None:
    assert ladder(160, 120, Fraction(24), LadderPolicy(max_height=234))


def test_quality_stays_on_the_scale_of_its_codec() -> None:
    wishes = LadderPolicy(codecs=("h264", "hevc", "av1"), crf=51)

    found = {
        each.codec: each.quality for each in ladder(640, 360, Fraction(24), wishes)
    }

    assert found == {"h264": 51, "hevc": 51, "av1": 63}

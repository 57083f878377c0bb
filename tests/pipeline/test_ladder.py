"""Which renditions a picture gets."""

from fractions import Fraction

import pytest

from jobs.planning.ladder import LadderPolicy, ladder


def _sizes(width: int, height: int, rate: Fraction = Fraction(24)) -> dict[str, str]:
    return {
        each.name: f"{each.width}x{each.height}" for each in ladder(width, height, rate)
    }


def test_a_full_hd_film_gets_every_rung_up_to_its_own() -> None:
    found = ladder(1920, 1080, Fraction(24))

    assert [(each.name, each.width, each.kbps) for each in found] == [
        ("234p", 416, 200),
        ("360p", 640, 600),
        ("480p", 854, 1100),
        ("720p", 1280, 2600),
        ("1080p", 1920, 5000),
    ]


def test_small_renditions_of_an_analysed_film_get_more_of_the_encoder_s_time() -> None:
    patient, plain, slowest, hasty = (
        [each.preset for each in ladder(1280, 720, Fraction(24), policy)]
        for policy in (
            LadderPolicy(codecs=("h264", "av1")),
            LadderPolicy(per_title=False),
            LadderPolicy(preset="veryslow"),
            LadderPolicy(preset="ultrafast"),
        )
    )

    assert patient == ["faster", "faster", "", "", "", "", "", ""]
    assert set(plain) == set(hasty) == {""}
    assert slowest == ["veryslow", "veryslow", "", ""]


def test_larger_sources_get_the_larger_rungs() -> None:
    assert list(_sizes(3840, 2160))[-2:] == ["1440p", "2160p"]
    assert list(_sizes(7680, 4320))[-1] == "2160p"


def test_a_wide_picture_fills_the_width_of_its_rung() -> None:
    assert _sizes(1920, 800)["1080p"] == "1920x800"
    assert _sizes(1920, 800)["720p"] == "1280x534"


def test_a_narrow_picture_fills_the_height_of_its_rung() -> None:
    assert _sizes(640, 480) == {
        "234p": "312x234",
        "360p": "480x360",
        "480p": "640x480",
    }


def test_an_upright_picture_gets_the_box_turned() -> None:
    assert _sizes(1080, 1920)["720p"] == "720x1280"
    assert list(_sizes(1080, 1920)) == ["234p", "360p", "480p", "720p", "1080p"]


def test_a_picture_between_two_rungs_keeps_its_own_size_too() -> None:
    found = ladder(960, 540, Fraction(24))

    assert (found[-1].name, found[-1].width) == ("540p", 960)
    assert 1100 < found[-1].kbps < 2600


def test_a_picture_a_little_larger_than_a_rung_does_not() -> None:
    assert list(_sizes(890, 500)) == ["234p", "360p", "480p"]


def test_a_picture_below_the_ladder_gets_one_rendition_of_its_size() -> None:
    assert _sizes(321, 181) == {"180p": "320x180"}


@pytest.mark.parametrize("width", [33, 177, 427, 853, 999, 1279, 1921, 4097])
@pytest.mark.parametrize("height", [32, 99, 241, 479, 721, 1081, 2159])
def test_nothing_is_enlarged_bent_or_odd(width: int, height: int) -> None:
    found = ladder(width, height, Fraction(25))

    assert found
    for each in found:
        assert each.width % 2 == each.height % 2 == 0
        assert each.width <= width + 1
        assert each.height <= height + 1
        assert abs(each.width / width - each.height / height) * min(width, height) < 3
    assert len({(each.width, each.height) for each in found}) == len(found)


def test_more_pictures_a_second_may_take_more_bits() -> None:
    assert ladder(1280, 720, Fraction(60))[-1].kbps == 3640
    assert ladder(1280, 720, Fraction(30))[-1].kbps == 2600

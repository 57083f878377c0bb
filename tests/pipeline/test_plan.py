"""The plan: which units a film needs, in which codecs, and with whose hands. Pure."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from appliance.settings import Settings
from jobs.planning import plan
from jobs.planning.ladder import LadderPolicy
from jobs.planning.plan import Means, NewUnit
from jobs.planning.source import from_facts
from tests.pipeline.control_room import facts


@dataclass(frozen=True, slots=True)
class _Film:
    source_path: str = "sources/film/source.mp4"


BOTH = LadderPolicy(codecs=("h264", "av1"))


def test_each_codec_is_encoded_from_a_decode_of_its_own(large: dict[str, Any]) -> None:
    units = _units(large, BOTH)

    names = [unit.name for unit in units if unit.step in ("encode", "join")]
    assert names == ["encode-0000", "encode-av1-0000", "join", "join-av1"]
    by_name = {unit.name: unit for unit in units}
    assert by_name["join-av1"].needs == ("encode-av1-0000",)
    assert {"join", "join-av1"} < set(by_name["package"].needs)
    packaged = by_name["package"].spec["video"]
    assert {(each["codec"], each["unit"]) for each in packaged} == {
        ("h264", "join"),
        ("av1", "join-av1"),
    }
    assert [each["name"] for each in by_name["encode-av1-0000"].spec["renditions"]] == [
        "234p-av1",
        "360p-av1",
        "480p-av1",
        "720p-av1",
    ]


def test_what_hardware_encodes_waits_for_hands_that_have_it(
    large: dict[str, Any],
) -> None:
    units = _units(large, BOTH, families={"h264": "vaapi", "av1": "software"})

    assert {unit.name: unit.queue for unit in units if unit.step == "encode"} == {
        "encode-0000": "gpu",
        "encode-av1-0000": "cpu",
    }
    assert units[0].spec["encoder"] == {"codec": "h264", "family": "vaapi"}
    assert {unit.queue for unit in units if unit.step != "encode"} == {"cpu"}


def test_the_storyboard_is_made_of_what_every_player_knows(
    large: dict[str, Any],
) -> None:
    thumbnails = next(u for u in _units(large, BOTH) if u.step == "thumbnails")

    assert thumbnails.needs == ("join",)
    assert thumbnails.spec["smallest"]["name"] == "234p"
    assert thumbnails.spec["largest"]["name"] == "720p"


def test_a_quick_plan_has_one_rendition_and_all_else(large: dict[str, Any]) -> None:
    everything = plan.wanted(large, BOTH)

    quick = plan.quick(everything)

    assert [each.name for each in quick.renditions] == ["360p"]
    assert quick.sounds == everything.sounds
    assert quick.storyboard
    assert not quick.preview


def test_a_film_smaller_than_a_quick_rendition_is_made_at_once() -> None:
    everything = plan.wanted(facts(), LadderPolicy())

    assert plan.quick(everything) == everything


def test_sound_of_six_channels_is_kept_beside_two(large: dict[str, Any]) -> None:
    large["sounds"][0]["channels"] = 6

    kept = plan.wanted(large, LadderPolicy())
    folded = plan.wanted(large, LadderPolicy(surround=False))
    units = {unit.name: unit for unit in _units(large, LadderPolicy())}

    assert [(each.unit, each.channels) for each in kept.sounds] == [
        ("audio-en-1", 2),
        ("audio-en-1-surround", 6),
    ]
    assert [each.channels for each in folded.sounds] == [2]
    assert units["audio-en-1-surround"].spec["kbps"] == 384
    assert units["audio-en-1"].spec["kbps"] == 128


def test_loudness_is_aimed_at_only_where_that_is_wished(large: dict[str, Any]) -> None:
    wished = replace(LadderPolicy(), normalise=True, loudness=-16)

    plain = {unit.name: unit.spec for unit in _units(large, LadderPolicy())}
    aimed = {unit.name: unit.spec for unit in _units(large, wished)}

    assert "loudness" not in plain["audio-en-1"]
    assert aimed["audio-en-1"]["loudness"] == -16
    assert aimed["audio-en-1"]["true_peak"] == -1


def test_units_come_after_those_that_there_are(large: dict[str, Any]) -> None:
    means = Means(Settings(home=Path("home")), LadderPolicy())
    wanted = plan.wanted(large, LadderPolicy())

    units = plan.units(_Film(), large, wanted, means, ("inspect", "analyse"))

    assert [unit.position for unit in units] == list(range(2, 2 + len(units)))


@pytest.fixture
def large() -> dict[str, Any]:
    """Facts of a film of twenty seconds in 1280 × 720."""
    small = from_facts(facts())
    picture = replace(small.picture, width=1280, height=720)
    return replace(small, picture=picture).as_facts()


def _units(found: dict[str, Any], policy: LadderPolicy, **means: Any) -> list[NewUnit]:
    with_all = Means(Settings(home=Path("home")), policy, **means)
    return plan.units(
        _Film(), found, plan.wanted(found, policy), with_all, ("inspect",)
    )

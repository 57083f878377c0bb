"""Which renditions are shown, and how those with the same key stand together."""

import re
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest

from appliance.cenc import KeySystem, Scheme
from appliance.delivery import dash, hls, playlists, renditions
from appliance.delivery.signalling import NO_SYSTEM, KeySignals, Signalling
from appliance.media.tracks import Track, TrackKind

_NS = {"m": "urn:mpeg:dash:schema:mpd:2011"}


def _video(number: int, height: int, kid: str = "", codec: str = "avc1.1") -> Track:
    return Track(
        id=number,
        public_id=f"{number:016x}",
        asset_id=1,
        kind=TrackKind.VIDEO,
        name=f"{height}p",
        path="",
        codec=codec,
        language="und",
        label="",
        role="main",
        width=height * 16 // 9,
        height=height,
        frame_rate="25/1",
        channels=None,
        bandwidth=height,
        average_bandwidth=height,
        bytes=0,
        facts={"timescale": 25, "segments": [100, 100, 30]},
        scheme=Scheme.CBCS if kid else None,
        kid=kid or None,
        iv=None,
    )


@pytest.mark.parametrize(
    ("cap", "left"),
    [
        (None, [360, 576, 1080]),
        (1080, [360, 576, 1080]),
        (1079, [360, 576]),
        (576, [360, 576]),
        (240, [360]),
    ],
)
def test_a_cap_leaves_out_what_is_higher_and_never_everything(
    cap: int | None, left: list[int]
) -> None:
    shown = [_video(n, height) for n, height in enumerate((360, 576, 1080), start=1)]

    assert [each.height for each in renditions.within(shown, cap)] == left
    assert renditions.within([], cap) == []


def test_renditions_of_one_key_share_a_set_and_codecs_are_not_linked() -> None:
    shown = [
        _video(1, 360, "1" * 32),
        _video(2, 576, "1" * 32),
        _video(3, 720, "2" * 32),
        _video(4, 1080, "2" * 32),
        _video(5, 2160, "3" * 32),
        _video(6, 2160, "4" * 32, codec="av01.0"),
    ]

    mpd = ET.fromstring(dash.manifest(shown, 9.2, NO_SYSTEM))

    sets = mpd.findall(".//m:AdaptationSet", _NS)
    assert [
        (each.attrib["maxHeight"], len(each.findall("m:Representation", _NS)))
        for each in sets
    ] == [("2160", 1), ("576", 2), ("1080", 2), ("2160", 1)]
    assert [each.attrib["id"] for each in sets] == ["1", "2", "3", "4"]
    assert [_linked(each) for each in sets] == [None, "3,4", "2,4", "2,3"]


def test_a_clear_film_has_no_word_of_encryption() -> None:
    said = Signalling(
        tuple(KeySystem), {"1" * 32: KeySignals()}, "Ym94", "/licence/clearkey"
    )

    text = _manifests([_video(1, 360), _video(2, 1080)], said)

    assert not re.search("cenc|KEY:|ContentProtection|playready", text)


def test_a_key_whose_row_is_gone_still_says_that_the_track_is_encrypted() -> None:
    said = Signalling((KeySystem.WIDEVINE, KeySystem.FAIRPLAY))

    text = _manifests([_video(1, 360, "1" * 32)], said)

    assert "mp4protection" in text
    assert "EXT-X-KEY" not in text


def test_a_short_vector_is_filled_up_and_keys_follow_the_clear_beginning() -> None:
    track = replace(_video(1, 360, "1" * 32), iv="0123456789abcdef")
    all_clear = replace(track, facts={**track.facts, "clear_segments": 3})
    some = replace(track, facts={**track.facts, "clear_segments": 2})
    said = Signalling((KeySystem.CLEARKEY,), {}, "", "")

    text = playlists.media(track, 9.2, said)

    assert text.count("#EXT-X-KEY") == 1
    assert (
        f'#EXT-X-KEY:METHOD=SAMPLE-AES,URI="../key/{"1" * 32}"'
        ",IV=0x0123456789abcdef0000000000000000"
        ',KEYFORMAT="identity",KEYFORMATVERSIONS="1"\n'
    ) in text
    assert "EXT-X-KEY" not in playlists.media(all_clear, 9.2, said)
    assert playlists.media(some, 9.2, said).partition("#EXT-X-KEY")[0].count("m4s") == 2


def _manifests(shown: list[Track], said: Signalling) -> str:
    texts = [hls.multivariant(shown, said), dash.manifest(shown, 9.2, said)]
    return "\n".join([*texts, *(playlists.media(each, 9.2, said) for each in shown)])


def _linked(adaptation: ET.Element) -> str | None:
    found = adaptation.find("m:SupplementalProperty", _NS)
    return None if found is None else found.attrib["value"]

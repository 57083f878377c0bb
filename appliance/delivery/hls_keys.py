"""The key lines of HLS playlists, one for each key system that is allowed.

ClearKey is HLS's own “identity” format: the address gives the sixteen bytes of the key,
behind the same token as the playlist, to which it is relative.
"""

from collections.abc import Iterable, Iterator, Mapping

from appliance.cenc import SYSTEM_IDS, KeySystem, Scheme
from appliance.delivery.signalling import Signalling, one_for_each_key
from appliance.media.tracks import Track

_METHODS: Mapping[Scheme, str] = {
    Scheme.CBCS: "SAMPLE-AES",
    Scheme.CENC: "SAMPLE-AES-CTR",
}
_FORMATS: Mapping[KeySystem, str] = {
    KeySystem.CLEARKEY: "identity",
    KeySystem.WIDEVINE: f"urn:uuid:{SYSTEM_IDS[KeySystem.WIDEVINE]}",
    KeySystem.PLAYREADY: "com.microsoft.playready",
    KeySystem.FAIRPLAY: "com.apple.streamingkeydelivery",
}
_TO_KEYS = "../key"


def of_track(track: Track, signalling: Signalling) -> list[str]:
    """Return the lines that stand before the first encrypted segment of a track."""
    return [
        f"#EXT-X-KEY:{attributes}"
        for system in signalling.systems
        if (attributes := _attributes(track, system, signalling))
    ]


def of_session(tracks: Iterable[Track], signalling: Signalling) -> Iterator[str]:
    """Yield the lines that name every key at the start, in the multivariant playlist.

    A player that knows them all from the beginning never waits for a licence when it
    changes to a rendition with another key. The identity format has no place for a
    KID, without which players cannot tell these keys apart: it is left out here.
    """
    for track in one_for_each_key(tracks):
        for system in signalling.systems:
            attributes = _attributes(track, system, signalling)
            if attributes and system is not KeySystem.CLEARKEY:
                yield f"#EXT-X-SESSION-KEY:{attributes}"


def _attributes(track: Track, system: KeySystem, signalling: Signalling) -> str:
    """Return what a line says, or nothing where the system cannot open the track."""
    uri = _uri(track, system, signalling)
    if track.scheme is None or not uri:
        return ""
    said = [f'METHOD={_METHODS[track.scheme]},URI="{uri}"']
    if system is KeySystem.WIDEVINE:
        said.append(f"KEYID=0x{track.kid}")
    # FairPlay's initialisation vector comes with its key.
    if track.scheme is Scheme.CBCS and track.iv and system is not KeySystem.FAIRPLAY:
        said.append(f"IV=0x{track.iv:0<32}")
    said.append(f'KEYFORMAT="{_FORMATS[system]}",KEYFORMATVERSIONS="1"')
    return ",".join(said)


def _uri(track: Track, system: KeySystem, signalling: Signalling) -> str:
    signals = signalling.of(track)
    if system is KeySystem.CLEARKEY:
        return f"{_TO_KEYS}/{track.kid}"
    if system is KeySystem.FAIRPLAY:
        # FairPlay knows no counter mode.
        return signals.fairplay_uri if track.scheme is Scheme.CBCS else ""
    if system is KeySystem.PLAYREADY:
        return _data("text/plain;charset=UTF-16", signals.playready_object)
    return _data("text/plain", signals.pssh.get(system, ""))


def _data(mimetype: str, base64: str) -> str:
    return f"data:{mimetype};base64,{base64}" if base64 else ""

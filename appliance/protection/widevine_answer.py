"""What Widevine's key service answers, taken apart with suspicion.

Nothing of an answer stands in an error but its status, and that only if it is one of
those that are published.
"""

import json
from base64 import b64decode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.cenc import SYSTEM_IDS, KeySystem
from appliance.errors import MatineeError, PreconditionFailed, TryAgain
from appliance.protection import pssh

SERVICE = "The key service of Widevine"
INTERNAL_ERROR = "INTERNAL_ERROR"
Inner = Mapping[str, Any]

_KEY_BYTES, _IV_BYTES = 16, 16


@dataclass(frozen=True, slots=True)
class Track:
    """The key of one kind of track; ``box`` is b"" where the answer has none."""

    kid: str
    key: bytes = field(repr=False)
    iv: str | None
    box: bytes


def opened(body: bytes) -> Inner:
    """Return the document inside of an answer."""
    return _object(_decoded(_object(body).get("response")))


def tracks(inner: Inner, kinds: Sequence[str]) -> list[Track]:
    """Return a key for each kind of track.

    Errors: ``TryAgain`` while the service itself is at fault; ``PreconditionFailed``
    with ``protection.provider-refused`` or ``-garbled``.
    """
    if inner.get("status") != "OK":
        raise _refusal(inner.get("status"))
    given = inner.get("tracks")
    if not isinstance(given, list) or not all(isinstance(t, dict) for t in given):
        raise _garbled("no list of tracks")
    found = [_track(given, kind) for kind in kinds]
    if len({track.kid for track in found}) < len(found):
        raise _garbled("the same key for two kinds of tracks")
    return found


def _object(text: bytes) -> Mapping[str, Any]:
    """Read JSON; the errors of the parser hold the text, and so stay in here."""
    found = None
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _garbled("something that is not in its format")
    return found


def _decoded(value: object, length: int | None = None) -> bytes:
    """Read base64, of so many bytes."""
    found = None
    if isinstance(value, str):
        try:
            found = b64decode(value, validate=True)
        except ValueError:
            found = None
    if found is None or (length is not None and len(found) != length):
        raise _garbled("a field that is missing or damaged")
    return found


def _track(given: Sequence[Inner], kind: str) -> Track:
    found = [track for track in given if track.get("type") == kind]
    if len(found) != 1:
        raise _garbled(f"{len(found)} keys for {kind}, where one is needed")
    track = found[0]
    return Track(
        kid=_decoded(track.get("key_id"), _KEY_BYTES).hex(),
        key=_decoded(track.get("key"), _KEY_BYTES),
        iv=_decoded(track["iv"], _IV_BYTES).hex() if track.get("iv") else None,
        box=_box(track.get("pssh")),
    )


def _box(entries: object) -> bytes:
    """Return Widevine's box of a track, b"" if the answer has none.

    ``boxes`` are whole and come first; ``data`` is only what belongs into a box.
    """
    for entry in entries if isinstance(entries, list) else ():
        if not isinstance(entry, dict) or entry.get("drm_type") != "WIDEVINE":
            continue
        if entry.get("boxes"):
            return _checked(_decoded(entry["boxes"]))
        if entry.get("data"):
            return pssh.box(SYSTEM_IDS[KeySystem.WIDEVINE], _decoded(entry["data"]))
    return b""


def _checked(boxes: bytes) -> bytes:
    if not pssh.are_of(boxes, KeySystem.WIDEVINE):
        raise _garbled("something else than Widevine’s pssh boxes")
    return boxes


_MEANINGS: Mapping[str, str] = {
    "SIGNATURE_FAILED": "does not accept our signature: check “signer”, “key” and “iv”"
    " in the section [widevine] of the credentials.",
    "ACCESS_DENIED": "denies access: ask Widevine whether this signer may make keys"
    " for the provider named in the credentials.",
    "CONTENT_ID_MISSING": "misses the content id: report this with the version of"
    " Matinee.",
    "POLICY_UNKNOWN": "does not know the policy: ask Widevine which one belongs to"
    " this provider.",
    "TRACK_TYPE_MISSING": "misses the kinds of tracks: report this with the version"
    " of Matinee.",
    "TRACK_TYPE_UNKNOWN": "does not make keys for one of the kinds of tracks (AUDIO,"
    " SD, HD, UHD1): ask Widevine to allow them for this provider.",
    "MALFORMED_REQUEST": "cannot read the request: check that protection.keys_url is"
    " the address of GetContentKey.",
    "INVALID_WIDEVINE_PSSH": "does not accept a pssh box, though none was sent: check"
    " protection.keys_url.",
    "TOO_MANY_CONTENT_SPECIFIERS": "was told twice what the content is: check"
    " protection.keys_url.",
    "ASSET_NOT_FOUND": "does not know this content: it was made elsewhere, or"
    " removed there.",
    "ASSET_MISSING_KEY": "has this content without one of the keys: ask Widevine.",
    "CONTENT_ID_MISMATCH": "knows this content by another id: ask Widevine.",
    "KEY_ID_MISMATCH": "knows this content with other keys: ask Widevine.",
    "INVALID_GROUP_TRACK_TYPE": "wants licences by group: ask Widevine for single"
    " ones for this provider.",
    "KEY_ROTATION_WITH_UNSUPPORTED_DRM_TYPE": "wants to rotate keys: ask Widevine to"
    " switch that off for this provider.",
    "NO_REQUESTED_CRYPTO_PERIODS": "wants to rotate keys: ask Widevine to switch that"
    " off for this provider.",
}


def _refusal(status: object) -> MatineeError:
    if status == INTERNAL_ERROR:
        return TryAgain(
            "protection.provider-failed",
            f"{SERVICE} failed again and again. Try again later.",
            {"status": INTERNAL_ERROR},
        )
    if not isinstance(status, str) or status not in _MEANINGS:
        return _garbled("a status that it is not known to have")
    return PreconditionFailed(
        "protection.provider-refused",
        f"{SERVICE} {_MEANINGS[status]}",
        {"status": status},
    )


def _garbled(what: str) -> MatineeError:
    return PreconditionFailed(
        "protection.provider-garbled",
        f"{SERVICE} answered with {what}. Check protection.keys_url, or ask Widevine.",
    )

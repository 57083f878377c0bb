"""Whether tracks are encrypted as was planned: after packaging, and before serving."""

from pathlib import Path
from typing import Any

from appliance.cenc import Scheme
from appliance.errors import TryAgain
from jobs.making.encryption import Encryption, TrackKey
from jobs.steps import samples
from jobs.tools import encrypted, packager
from jobs.tools.encrypted import Track
from jobs.work import Work


def finish(folder: Path, label: str, keys: Encryption | None) -> dict[str, Any]:
    """Write the ``pssh`` boxes of a packaged track; return what its row says of it.

    Errors: ``TryAgain`` (``package.unprotected``) when it is not what was planned.
    """
    found = encrypted.track(folder / packager.INIT)
    if keys is None:
        if found is not None:
            raise _not_as_planned(folder.name)
        return {}
    key = keys.of(label)
    if found is None or not as_planned(found, keys.scheme, key):
        raise _not_as_planned(folder.name)
    encrypted.add_boxes(folder / packager.INIT, key.boxes)
    return {"scheme": keys.scheme.value, "kid": key.kid, "iv": found.iv}


def as_planned(found: Track, scheme: Scheme, key: TrackKey) -> bool:
    """Compare what an init segment says with what a track was to be encrypted with."""
    if (found.scheme, found.kid) != (scheme, key.kid):
        return False
    if scheme is Scheme.CENC:
        return found.iv is None and found.iv_bytes > 0
    return found.iv is not None and found.iv == (key.iv or found.iv)


def check(
    track: dict[str, Any],
    folder: Path,
    work: Work,
    keys: Encryption,
    key: TrackKey,
) -> None:
    """Check a track that will be served: the right key, on everything, and needed.

    Errors: ``TryAgain`` with a sentence on what is wrong.
    """
    found = encrypted.track(folder / packager.INIT)
    if found is None or not as_planned(found, keys.scheme, key):
        raise _not_protected(track, "it is not encrypted with its key")
    if found.boxes != key.boxes:
        raise _not_protected(track, "its init segment names other key systems")
    clear = track["facts"]["clear_segments"]
    for index in range(len(track["facts"]["segments"])):
        parts = encrypted.fragments(folder / f"{index + 1:05}.m4s", found)
        if any(part.encrypted != (index >= clear) for part in parts):
            raise _not_protected(track, f"segment {index + 1} is not as it should be")
    samples.refuse_readable(track, folder, work, key.key, found)


def _not_protected(track: dict[str, Any], what: str) -> TryAgain:
    return TryAgain(
        "verify.unprotected",
        f"{track['name']} did not pass verification of its protection: {what}.",
    )


def _not_as_planned(track: str) -> TryAgain:
    return TryAgain(
        "package.unprotected",
        f"Packaging did not encrypt the track {track} as was planned: it is done"
        " again.",
    )

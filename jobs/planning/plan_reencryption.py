"""The plan of encrypting an asset anew: from its tracks to units of work. Pure.

Nothing is decoded or encoded: the tracks that are served are opened with the keys they
have, and packaged again as a film is that was just encoded. So units bear the names
that they have there, and packaging finds its inputs where it always does.
"""

import secrets
from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import Any

from appliance.errors import Conflict
from appliance.media.tracks import Track, TrackKind
from jobs.planning.chunks import Grid
from jobs.planning.plan import NewUnit
from jobs.steps import audio

# Seconds of one core for a second of film, as in the plan of a new one.
_WEIGHT = 1 / 300
_VERIFY_WEIGHT = 1 / 50


def units(
    tracks: Sequence[Track],
    opens: str | None,
    encryption: Mapping[str, Any] | None,
) -> list[NewUnit]:
    """Return the units of the job.

    ``opens`` are the keys that the tracks have, sealed by their KID; ``encryption`` is
    what :func:`jobs.making.encryption.sealed` gave, None to leave them clear.
    """
    video = [_video(track) for track in tracks if track.kind is TrackKind.VIDEO]
    pictures = [track for track in tracks if track.kind is TrackKind.VIDEO]
    sounds = [track for track in tracks if track.kind is TrackKind.AUDIO]
    of_film = grid(pictures[0])
    seconds = float(of_film.seconds)
    plain = {"grid": of_film.as_spec(), "sealed": opens}
    files = [
        opened(track, f"{each['id']}.mp4")
        for track, each in zip(pictures, video, strict=True)
    ]
    first = [("join", plain | {"tracks": files})]
    first += [
        (track.name, plain | {"tracks": [opened(track, audio.FILE)]})
        for track in sounds
    ]
    package = {
        "grid": of_film.as_spec(),
        "video": video,
        "audio": [_audio(track) for track in sounds],
        "text": [],
        "encryption": encryption,
    }
    verify = {
        "grid": of_film.as_spec(),
        "encryption": encryption,
        "thumbnails": False,
    }
    opening = tuple(name for name, _ in first)
    weight = seconds * _WEIGHT
    return [
        *(
            NewUnit(name, "decrypt", (), weight, spec, number)
            for number, (name, spec) in enumerate(first)
        ),
        NewUnit("package", "package", opening, weight, package, 1000),
        NewUnit(
            "verify", "verify", ("package",), seconds * _VERIFY_WEIGHT, verify, 1001
        ),
    ]


def grid(picture: Track) -> Grid:
    """Return where a rendition was cut, from what its row says of its segments.

    Settings may have changed since. Errors: ``Conflict`` when it makes no sense.
    """
    facts = picture.facts
    rate = Fraction(picture.frame_rate or "0")
    timescale, segments = facts["timescale"], facts["segments"]
    total = Fraction(sum(segments), timescale)
    keys = [time for _, time, _, _ in facts["iframes"]]
    # A keyframe is the first frame shown at or after a multiple of whole seconds, so
    # it is less than a frame late.
    segment = segments[0] // timescale if len(segments) > 1 else ceil(total)
    distance = keys[1] // timescale if len(keys) > 1 else segment
    found = Grid(round(total * rate), rate, segment, distance)
    cut = [each.frames * found.ticks for each in found.segments()]
    if cut != segments or found.timescale != timescale:
        raise Conflict(
            "reencrypt.layout",
            "The tracks of this film are cut in a way that this version does not know:"
            " upload the film again.",
        )
    return found


def _video(track: Track) -> dict[str, Any]:
    return {
        "id": secrets.token_hex(8),
        "unit": "join",
        "name": track.name,
        "width": track.width,
        "height": track.height,
    }


def _audio(track: Track) -> dict[str, Any]:
    return {
        "id": secrets.token_hex(8),
        "unit": track.name,
        "channels": track.channels or 2,
        "language": track.language,
        "label": track.label,
        "role": track.role,
    }


def opened(track: Track, file: str) -> dict[str, Any]:
    """Return what the step ``decrypt`` is told of a track that becomes ``file``."""
    return {
        "file": file,
        "kind": track.kind.value,
        "path": track.path,
        "segments": len(track.facts["segments"]),
        "kid": track.kid,
        "film": track.facts.get("film"),
    }

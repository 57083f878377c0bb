"""What manifests tell a player about the keys of encrypted tracks: values, no secrets.

A key system is signalled only while it is allowed, whatever the segments could open
with: leaving a system out of the manifests is how it is switched off for a title.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from appliance.cenc import KeySystem
from appliance.media.tracks import Track


@dataclass(frozen=True, slots=True)
class KeySignals:
    """What the players of each system are told about one key.

    ``pssh`` holds whole boxes and ``playready_object`` what lies inside PlayReady's;
    both are base64. ``fairplay_uri`` is what FairPlay calls the key.
    """

    pssh: Mapping[KeySystem, str] = field(default_factory=dict)
    playready_object: str = ""
    fairplay_uri: str = ""


@dataclass(frozen=True, slots=True)
class Signalling:
    """The systems that are allowed for an asset now, and its keys by KID.

    ``clearkey_box`` is the common ``pssh`` box in base64 with the KIDs of all tracks,
    so that a player asks for them together; ``licence_url`` is where it asks.
    """

    systems: tuple[KeySystem, ...] = ()
    keys: Mapping[str, KeySignals] = field(default_factory=dict)
    clearkey_box: str = ""
    licence_url: str = ""

    def of(self, track: Track) -> KeySignals:
        """Return what is said about the key of a track."""
        return self.keys.get(track.kid or "", _NOTHING)


NO_SYSTEM = Signalling()
"""What is said about tracks that no player may open, or that need no key."""

_NOTHING = KeySignals()


def one_for_each_key(tracks: Iterable[Track]) -> Iterator[Track]:
    """Yield the first of the encrypted tracks that share a key."""
    seen = set()
    for track in tracks:
        if track.kid and track.kid not in seen:
            seen.add(track.kid)
            yield track

"""Content keys from Widevine's key service (Common Encryption API, GetContentKey).

The service keeps keys by content id and kind of track: the same question gets the same
keys.
"""

import json
import time
from base64 import b64encode
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from appliance import calls, outbound
from appliance.cenc import KeySystem, Label, Scheme
from appliance.outbound import Ways
from appliance.protection import pssh, widevine_answer, widevine_signing
from appliance.protection.credentials import section
from appliance.protection.local import own_boxes, own_iv
from appliance.protection.provided import ProvidedKey
from appliance.protection.widevine_answer import INTERNAL_ERROR, SERVICE, Track
from appliance.protection.widevine_signing import Signer
from appliance.settings import Settings

_USUAL = "https://license.widevine.com/cenc/getcontentkey/{}"
_TRACK_TYPES: Mapping[Label, str] = {
    Label.AUDIO: "AUDIO",
    Label.SD: "SD",
    Label.HD: "HD",
    Label.UHD: "UHD1",
}
_TRIES = 3


@dataclass(frozen=True, slots=True)
class WidevineKeys:
    """Asks the service at ``url`` on behalf of ``provider``."""

    url: str
    provider: str
    signer: Signer
    timeout: float
    ways: Ways
    pause: Callable[[float], None] = time.sleep
    name: str = "widevine"

    def keys(
        self,
        content_id: str,
        labels: Sequence[Label],
        scheme: Scheme,
        systems: Sequence[KeySystem],  # noqa: ARG002 - others may be allowed later
    ) -> tuple[ProvidedKey, ...]:
        """Return the keys that Widevine keeps, with boxes for every key system."""
        wanted = {
            "content_id": b64encode(content_id.encode()).decode(),
            "policy": "",
            "tracks": [{"type": _TRACK_TYPES[label]} for label in labels],
            "drm_types": ["WIDEVINE"],
            "protection_scheme": scheme.upper(),
        }
        answer = self._asked(json.dumps(wanted).encode())
        tracks = widevine_answer.tracks(answer, [_TRACK_TYPES[each] for each in labels])
        return tuple(
            self._key(track, label, content_id, scheme)
            for track, label in zip(tracks, labels, strict=True)
        )

    def _asked(self, request: bytes) -> widevine_answer.Inner:
        """Return the answer; ask again while the service itself is at fault."""
        tries = 1
        while True:
            answer = calls.call(
                "POST",
                self.url,
                ways=self.ways,
                headers={"Content-Type": "application/json"},
                body=self.signer.envelope(request),
                timeout=self.timeout,
                service=SERVICE,
            )
            inner = widevine_answer.opened(answer.body)
            if inner.get("status") != INTERNAL_ERROR or tries == _TRIES:
                return inner
            self.pause(2.0 ** (tries - 1))
            tries += 1

    def _key(
        self, track: Track, label: Label, content_id: str, scheme: Scheme
    ) -> ProvidedKey:
        boxes = {
            **own_boxes(track.kid, track.key, [track.kid], scheme),
            KeySystem.WIDEVINE: track.box
            or pssh.widevine([track.kid], scheme, self.provider, content_id.encode()),
        }
        return ProvidedKey(
            track.kid, track.key, label, track.iv or own_iv(scheme), boxes
        )


def of_settings(settings: Settings) -> WidevineKeys:
    """Return the service that the settings and the section ``[widevine]`` describe."""
    secrets = section(settings, "widevine")
    provider = secrets["provider"]
    signer = widevine_signing.of_section(secrets)
    url = settings.protection.keys_url or _USUAL.format(provider)
    timeout = settings.protection.timeout_seconds
    return WidevineKeys(url, provider, signer, timeout, outbound.of(settings))

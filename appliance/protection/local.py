"""Content keys made by this machine, for ClearKey or an operator's licence server."""

import secrets
from collections.abc import Mapping, Sequence

from appliance.cenc import KeySystem, Label, Scheme
from appliance.protection import playready, pssh
from appliance.protection.provided import ProvidedKey

_BYTES = 16


class LocalKeys:
    """Random keys; nobody is asked for them."""

    name = "local"

    def keys(
        self,
        content_id: str,  # noqa: ARG002 - random keys follow from nothing
        labels: Sequence[Label],
        scheme: Scheme,
        systems: Sequence[KeySystem],  # noqa: ARG002 - others may be allowed later
    ) -> tuple[ProvidedKey, ...]:
        """Return new keys, each time others, with boxes for every key system."""
        kids = [secrets.token_hex(_BYTES) for _ in labels]
        made = []
        for label, kid in zip(labels, kids, strict=True):
            key = secrets.token_bytes(_BYTES)
            boxes = own_boxes(kid, key, kids, scheme)
            made.append(ProvidedKey(kid, key, label, own_iv(scheme), boxes))
        return tuple(made)


def own_iv(scheme: Scheme) -> str | None:
    """Return an IV for a key whose scheme wants a constant one."""
    return secrets.token_hex(_BYTES) if scheme is Scheme.CBCS else None


def own_boxes(
    kid: str, key: bytes, together: Sequence[str], scheme: Scheme
) -> Mapping[KeySystem, bytes]:
    """Return boxes that need no provider.

    ``together`` are the KIDs that one licence should bring: a player asks once for all
    that a box names. PlayReady's names one, as Shaka Packager's does.
    """
    return {
        KeySystem.CLEARKEY: pssh.common(together),
        KeySystem.WIDEVINE: pssh.widevine(together, scheme),
        KeySystem.PLAYREADY: playready.box(kid, key, scheme),
    }

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
        systems: Sequence[KeySystem],
    ) -> tuple[ProvidedKey, ...]:
        """Return new keys, each time others."""
        kids = [secrets.token_hex(_BYTES) for _ in labels]
        made = []
        for label, kid in zip(labels, kids, strict=True):
            key = secrets.token_bytes(_BYTES)
            boxes = own_boxes(kid, key, kids, scheme, systems)
            made.append(ProvidedKey(kid, key, label, own_iv(scheme), boxes))
        return tuple(made)


def own_iv(scheme: Scheme) -> str | None:
    """Return an IV for a key whose scheme wants a constant one."""
    return secrets.token_hex(_BYTES) if scheme is Scheme.CBCS else None


def own_boxes(
    kid: str,
    key: bytes,
    together: Sequence[str],
    scheme: Scheme,
    systems: Sequence[KeySystem],
) -> Mapping[KeySystem, bytes]:
    """Return boxes that need no provider.

    ``together`` are the KIDs that one licence should bring: a player asks once for all
    that a box names. PlayReady's names one, as Shaka Packager's does.
    """
    boxes = {
        KeySystem.CLEARKEY: lambda: pssh.common(together),
        KeySystem.WIDEVINE: lambda: pssh.widevine(together, scheme),
        KeySystem.PLAYREADY: lambda: playready.box(kid, key, scheme),
    }
    return {system: boxes[system]() for system in systems if system in boxes}

"""Whoever makes content keys is asked, and the answer looked at before it is kept."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.cenc import KeySystem, Label, Scheme
from appliance.errors import PreconditionFailed
from appliance.media.assets import Asset
from appliance.protection import providers
from appliance.protection.providers import ProvidedKey
from appliance.protection.vault import ContentKey
from appliance.settings import Settings

_KEY_BYTES = 16
_KID = re.compile(r"[0-9a-f]{32}", re.ASCII)
_IV = re.compile(r"[0-9a-f]{16}(?:[0-9a-f]{16})?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Wish:
    """Which keys an asset is to have, and which key systems are to open them."""

    asset: Asset
    generation: int
    labels: tuple[Label, ...]
    scheme: Scheme
    systems: tuple[KeySystem, ...]


def ask(
    settings: Settings, wish: Wish, labels: Sequence[Label]
) -> tuple[ContentKey, ...]:
    """Return new keys for those of the wished labels that are given.

    It may take as long as a service takes: not to be called inside ``write(db)``.
    Errors: those of the provider, ``PreconditionFailed`` protection.keys-unusable.
    """
    source = providers.provider(settings)
    content_id = f"{wish.asset.public_id}-{wish.generation}"
    answer = source.keys(content_id, labels, wish.scheme, wish.systems)
    return accepted(source.name, wish, labels, answer)


def accepted(
    source: str, wish: Wish, labels: Sequence[Label], answer: Sequence[ProvidedKey]
) -> tuple[ContentKey, ...]:
    """Return what the provider ``source`` answered as content keys.

    Errors: ``PreconditionFailed`` protection.keys-unusable.
    """
    made = tuple(_content_key(wish, source, each) for each in answer)
    kids = {key.kid for key in made}
    if sorted(key.label for key in made) != sorted(labels) or len(kids) < len(made):
        raise _unusable(source, "not one key of its own for each kind of track")
    return made


def _content_key(wish: Wish, source: str, given: ProvidedKey) -> ContentKey:
    if not _KID.fullmatch(given.kid) or len(given.key) != _KEY_BYTES:
        raise _unusable(source, "a KID or a key of another length")
    if given.iv is not None and not _IV.fullmatch(given.iv):
        raise _unusable(source, "an IV of another length")
    return ContentKey(
        kid=given.kid,
        key=given.key,
        label=given.label,
        scheme=wish.scheme,
        generation=wish.generation,
        iv=given.iv,
        provider=source,
        pssh={
            system: base64.b64encode(boxes).decode()
            for system, boxes in given.pssh.items()
        },
    )


def _unusable(source: str, what: str) -> PreconditionFailed:
    return PreconditionFailed(
        "protection.keys-unusable",
        f"The key service “{source}” gave {what}: nothing was kept. Ask whoever runs"
        " it, then try again.",
    )

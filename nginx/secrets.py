"""The secrets that a configuration holds; they go into files of mode 0600 only."""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance import media_checks
from appliance.delivery import edge_secret, shield, tokens
from appliance.delivery.tokens import Keys
from appliance.settings import Settings


@dataclass(frozen=True, slots=True)
class Secrets:
    """Keys of media tokens by key id, as hexadecimal digits.

    ``nobodys`` is what an unknown key id is checked with: a secret that signs nothing.
    ``shield`` are those that CDNs show us, ``edges`` those of our edges.
    """

    media: Mapping[str, str] = field(repr=False)
    nobodys: str = field(repr=False)
    shield: tuple[str, ...] = field(default=(), repr=False)
    edges: tuple[str, ...] = field(default=(), repr=False)


def load(settings: Settings) -> Secrets:
    """Read the secrets from the folder of keys; make the first ones.

    Errors: ``ConfigError`` when a file is damaged, ``OSError`` when it can't be read.
    """
    # No CDN fetches from an edge: it is given no secret for that, and makes none.
    is_edge = media_checks.names(settings.nginx.roles) == ("edge",)
    return of(
        tokens.to_check(settings.keys),
        () if is_edge else shield.secrets(settings.keys),
        edge_secret.known(settings.keys),
    )


def of(
    keys: Keys,
    shown_by_cdns: tuple[str, ...] = (),
    shown_by_edges: tuple[str, ...] = (),
) -> Secrets:
    """Return those of the keys that tokens are checked with, of CDNs and of edges."""
    first = min(keys.secrets.items(), key=lambda each: int(each[0]))[1]
    return Secrets(
        media={kid: secret.hex() for kid, secret in keys.secrets.items()},
        nobodys=hmac.new(first, b"no such key id", hashlib.sha256).hexdigest(),
        shield=shown_by_cdns,
        edges=shown_by_edges,
    )

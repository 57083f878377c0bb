"""What is to be forgotten by a CDN, and how its API is asked."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from appliance import calls
from appliance.calls import Answer
from appliance.outbound import Ways
from appliance.secret_file import Section

_TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Target:
    """Assets whose files a CDN at ``base`` is to forget; none: everything."""

    base: str
    assets: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        return urlsplit(self.base).netloc

    @property
    def folders(self) -> tuple[str, ...]:
        """Return the folders that hold it, each with both slashes."""
        return tuple(f"/media/{each}/" for each in self.assets) or ("/media/",)


@dataclass(frozen=True, slots=True)
class Ask:
    """Asks one CDN's API.

    ``secrets`` is its section, which may name another address (``api``); ``now`` and
    ``nonce`` go into signatures.
    """

    service: str
    secrets: Section
    ways: Ways
    now: datetime
    nonce: str = field(repr=False)

    def api(self, usual: str) -> str:
        return str(self.secrets.get("api") or usual).rstrip("/")

    def post(self, url: str, headers: Mapping[str, str], body: bytes = b"") -> Answer:
        """Send; errors begin with ``cdn.service`` and never say what was sent."""
        return calls.call(
            "POST",
            url,
            ways=self.ways,
            headers=headers,
            body=body,
            timeout=_TIMEOUT_SECONDS,
            service=self.service,
            code="cdn.service",
        )

    def post_json(
        self, url: str, headers: Mapping[str, str], document: Mapping[str, Any]
    ) -> Answer:
        return self.post(
            url, {**headers, "Content-Type": "application/json"}, as_json(document)
        )


Purge = Callable[[Ask, Target], None]


def as_json(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document).encode()

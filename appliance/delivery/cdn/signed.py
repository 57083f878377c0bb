"""What is signed for a CDN, and what comes of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Grant:
    """What somebody may fetch: a folder of a CDN until a time.

    ``base`` is https://host without a slash, ``folder`` a path with both slashes, and
    ``expires`` Unix time.
    """

    base: str
    folder: str
    expires: int


@dataclass(frozen=True, slots=True)
class Signed:
    """How the folder is addressed: its path, and what goes into query or cookies."""

    path: str = field(repr=False)
    query: str = field(default="", repr=False)
    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)


class Signer(Protocol):
    """Signs folders for one CDN."""

    def sign(self, grant: Grant) -> Signed: ...

"""What is asked of every licence service, and what every one gives back."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from appliance.cenc import KeySystem
from appliance.protection.credentials import Section
from appliance.protection.keys import ContentKey
from appliance.protection.policy import Policy

BINARY = "application/octet-stream"
SOAP = "text/xml; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a player's key system asks for, and what its viewer may have.

    ``keys`` are those that may leave; ``asset`` and ``session`` are public ids,
    ``viewer`` tells accounts apart and names nobody.
    """

    system: KeySystem
    challenge: bytes = field(repr=False)
    soap_action: str
    keys: tuple[ContentKey, ...]
    policy: Policy
    asset: str
    session: str
    viewer: str
    now: datetime


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One request to a service. All of it may hold secrets, its address too."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Issued:
    """What goes to the player; ``facts`` are the part that the audit log may keep.

    ``release`` says that a device gave a licence back, and got none.
    """

    body: bytes = field(repr=False)
    facts: Mapping[str, str] = field(default_factory=dict)
    release: bool = False


class Unusable(Exception):
    """A service answered, and what it said is no licence."""


Ask = Callable[[Outgoing], bytes]
"""Sends a request and returns the body of the answer, which was a success."""


def no_headers(_wish: Wish, _secrets: Section) -> Mapping[str, str]:
    return {}


def no_query(_wish: Wish, _secrets: Section) -> Mapping[str, str]:
    return {}


def challenge(wish: Wish, _secrets: Section) -> tuple[str, bytes]:
    """Send the challenge as it is, with its type."""
    return (SOAP if wish.system is KeySystem.PLAYREADY else BINARY), wish.challenge


def as_it_is(_system: KeySystem, body: bytes) -> Issued:
    return Issued(body)


@dataclass(frozen=True, slots=True)
class Service:
    """One line of the table of licence services.

    ``section`` of the credentials holds its secrets. ``addresses`` may name in braces
    fields of that section, and the ``asset``.
    ``locate`` finds the address by asking the service first. ``chooses`` says that it
    gives the keys of ``Wish.keys`` and no others; where it does not, the challenge
    itself has to be looked into. ``certificate`` is the address of FairPlay's.
    """

    name: str
    section: str
    addresses: Mapping[KeySystem, str]
    headers: Callable[[Wish, Section], Mapping[str, str]] = no_headers
    query: Callable[[Wish, Section], Mapping[str, str]] = no_query
    body: Callable[[Wish, Section], tuple[str, bytes]] = challenge
    unwrap: Callable[[KeySystem, bytes], Issued] = as_it_is
    locate: Callable[[Ask, str, Wish, Section], str] | None = None
    chooses: bool = True
    certificate: str = ""

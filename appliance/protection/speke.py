"""Content keys from a provider that speaks SPEKE v2, which is CPIX 2.3 over HTTPS."""

import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from email.message import Message
from urllib.parse import quote

from appliance import calls, outbound
from appliance.calls import Answer
from appliance.cenc import KeySystem, Label, Scheme
from appliance.errors import ConfigError
from appliance.outbound import Ways
from appliance.protection import cpix, cpix_answer, cpix_sealed, pssh
from appliance.protection.cpix import SERVICE, garbled
from appliance.protection.cpix_answer import Delivered
from appliance.protection.cpix_sealed import Recipient
from appliance.protection.credentials import Section, section
from appliance.protection.provided import ProvidedKey
from appliance.settings import Settings

_VERSION = "2.0"
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]+")
# Providers have these words from SPEKE; anything else they say could be a secret.
_KNOWN_WORDS = (
    "Missing CPIX@contentId",
    "Missing CPIX@version",
    "Unsupported CPIX@version",
    "Missing ContentKey@commonEncryptionScheme",
    "Non compliant ContentKey@commonEncryptionScheme combination",
    "ContentKey@commonEncryptionScheme non compatible with DRMSystem",
    "Unsupported SPEKE version",
    "Malformed encryption contract",
    "Requested CPIX encryption contract not supported",
    "Missing CPIX encryption contract",
)


@dataclass(frozen=True, slots=True)
class SpekeKeys:
    """Asks the service at ``url``; ``headers`` prove who we are."""

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    timeout: float
    ways: Ways
    recipient: Recipient | None = None
    name: str = "speke"

    def keys(
        self,
        content_id: str,
        labels: Sequence[Label],
        scheme: Scheme,
        systems: Sequence[KeySystem],
    ) -> tuple[ProvidedKey, ...]:
        """Return the keys that the provider keeps for this content."""
        wanted = cpix.contract(content_id, labels, scheme, systems)
        certificate = self.recipient.certificate if self.recipient else None
        answer = calls.call(
            "POST",
            self.url,
            ways=self.ways,
            headers={
                "Content-Type": "application/xml",
                "X-Speke-Version": _VERSION,
                **self.headers,
            },
            body=cpix.request(wanted, certificate),
            timeout=self.timeout,
            service=SERVICE,
            explain=_known_words,
        )
        _check(answer)
        given = cpix_answer.delivered(answer.body, wanted, self.recipient)
        return tuple(
            ProvidedKey(each.kid, each.key, label, each.iv, _boxes(each, systems))
            for each, label in zip(given, labels, strict=True)
        )


def of_settings(settings: Settings) -> SpekeKeys:
    """Return the service that the settings and the section ``[speke]`` describe.

    The section may hold ``user`` and ``password``, ``header`` and ``value``, a
    ``token`` for the place of ``{token}`` in the address, and as ``document_key`` the
    file with the private key and certificate that keys shall be encrypted for.
    """
    secrets = section(settings, "speke")
    url = settings.protection.keys_url
    if not url:
        raise ConfigError(
            "protection.keys-url",
            "Set protection.keys_url to the address of the SPEKE service.",
        )
    if "{token}" in url:
        url = url.replace("{token}", quote(secrets["token"], safe=""))
    recipient = None
    if "document_key" in secrets:
        recipient = cpix_sealed.recipient(secrets.private_file("document_key"))
    timeout = settings.protection.timeout_seconds
    ways = outbound.of(settings)
    return SpekeKeys(url, _proof(secrets), timeout, ways, recipient)


def _proof(secrets: Section) -> Mapping[str, str]:
    headers = {}
    if "user" in secrets or "password" in secrets:
        pair = f"{secrets['user']}:{secrets['password']}"
        headers["Authorization"] = f"Basic {b64encode(pair.encode()).decode()}"
    if "header" in secrets or "value" in secrets:
        name, value = secrets["header"], secrets["value"]
        if not _HEADER_NAME.fullmatch(name) or not (
            value.isascii() and value.isprintable()
        ):
            raise ConfigError(
                "protection.credentials-field",
                f"{secrets.place}: “header” and “value” of section [speke] cannot be"
                " sent as a header.",
            )
        headers[name] = value
    return headers


def _check(answer: Answer) -> None:
    """Hold the headers of an answer against the protocol."""
    version = answer.headers.get("X-Speke-Version", "")
    if version != _VERSION:
        raise garbled(f"another version of SPEKE than {_VERSION}, or none")
    if not answer.headers.get("X-Speke-User-Agent"):
        raise garbled("no X-Speke-User-Agent, which SPEKE demands")
    kind = Message()
    kind["Content-Type"] = answer.headers.get("Content-Type", "")
    if kind.get_content_type() != "application/xml":
        raise garbled("something else than application/xml")
    if (kind.get_content_charset() or "utf-8") != "utf-8":
        raise garbled("a character set other than UTF-8")


def _boxes(given: Delivered, systems: Sequence[KeySystem]) -> Mapping[KeySystem, bytes]:
    boxes = {system: box for system, box in given.pssh.items() if system in systems}
    if KeySystem.CLEARKEY in systems:
        boxes[KeySystem.CLEARKEY] = pssh.common([given.kid])
    return boxes


def _known_words(answer: Answer) -> str:
    text = answer.body[:2000].decode("utf-8", "replace")
    return next((words for words in _KNOWN_WORDS if words in text), "")

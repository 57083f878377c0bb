"""FairPlay's challenges and answers: the same bytes in many wrappings."""

import base64
import binascii
import json
import re
from urllib.parse import urlencode

from appliance.cenc import KeySystem
from appliance.protection.credentials import Section
from appliance.protection.services import encoding
from appliance.protection.services.shapes import Issued, Unusable, Wish, challenge

_NAMES = ("ckc", "CkcMessage", "License", "license")
_TAGGED = re.compile(rb"\A\s*<ckc>(.*)</ckc>\s*\Z", re.DOTALL)
_BASE64 = re.compile(rb"[A-Za-z0-9+/]{16,}={0,2}")


def form(wish: Wish, secrets: Section) -> tuple[str, bytes]:
    """Send FairPlay's challenge as a form, others as they are."""
    if wish.system is not KeySystem.FAIRPLAY:
        return challenge(wish, secrets)
    fields = urlencode({"spc": encoding.base64_text(wish.challenge)})
    return "application/x-www-form-urlencoded", fields.encode()


def unwrap(system: KeySystem, answer: bytes) -> Issued:
    """Return the licence of an answer that is FairPlay's; others as they are."""
    if system is not KeySystem.FAIRPLAY:
        return Issued(answer)
    inner = _member(answer) if answer.lstrip().startswith(b"{") else answer
    tagged = _TAGGED.match(inner)
    inner = b"".join((tagged[1] if tagged else inner).split())
    if _BASE64.fullmatch(inner):
        try:
            return Issued(base64.b64decode(inner, validate=True))
        except binascii.Error:
            raise Unusable("a licence in broken base64") from None
    return Issued(answer)


def _member(answer: bytes) -> bytes:
    try:
        document = json.loads(answer)
        text = next(document[name] for name in _NAMES if name in document)
        return str(text).encode()
    except (ValueError, AttributeError, TypeError, StopIteration, RecursionError):
        raise Unusable("no JSON with a licence in it") from None

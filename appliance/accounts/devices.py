"""Known devices: a signed note in the browser that it once signed in to an account.

It opens no door. It only says that this device's wrong passwords are counted by
themselves, so that a stranger who tries a user name from elsewhere never stands in the
way of its owner. One note holds several accounts, as a family's television does.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterator

from appliance import keyring
from appliance.settings import Settings

_MOST = 8


def known(settings: Settings, note: str, account: str) -> str | None:
    """Return the device's id where its note names ``account`` (a public id)."""
    for owner, device, signature in _entries(note):
        expected = _signature(settings, owner, device)
        if owner == account and hmac.compare_digest(signature, expected):
            return device
    return None


def remembered(settings: Settings, note: str, account: str) -> str:
    """Return the note with ``account`` in it; the ones used longest ago fall out."""
    device = known(settings, note, account) or secrets.token_hex(8)
    others = [entry for entry in _entries(note) if entry[0] != account]
    mine = (account, device, _signature(settings, account, device))
    return "~".join(".".join(entry) for entry in [mine, *others][:_MOST])


def _entries(note: str) -> Iterator[tuple[str, str, str]]:
    for entry in note.split("~")[:_MOST]:
        parts = entry.split(".")
        if len(parts) == 3 and entry.isascii():
            yield parts[0], parts[1], parts[2]


def _signature(settings: Settings, account: str, device: str) -> str:
    key = keyring.key(settings.keys, "device")
    digest = hmac.digest(key, f"1\n{account}\n{device}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(digest[:18]).decode()

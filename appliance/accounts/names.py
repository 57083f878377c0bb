"""What people may call themselves: user names, display names, e-mail addresses."""

import re
import unicodedata

from appliance.errors import InvalidInput

# ASCII only: look-alike letters of other scripts would let one person pose as another,
# and the database compares case-insensitively for ASCII alone.
_USERNAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{2,63}")
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
_LONGEST_NAME = 80
_LONGEST_EMAIL = 254


def username(text: str) -> str:
    """Return the user name without blanks around it.

    Errors: ``InvalidInput`` unless it is 3 to 64 letters, digits, dots, dashes,
    underscores or at signs that begin with a letter or a digit.
    """
    name = text.strip()
    if not _USERNAME.fullmatch(name):
        raise InvalidInput(
            "username.invalid",
            "A user name has 3 to 64 characters, begins with a letter or a digit, and"
            " holds only unaccented letters, digits, and . _ - @",
        )
    return name


def lookup(text: str) -> str:
    """Return the form to look a user name up by: no account has any other letters."""
    name = text.strip()
    return name if name.isascii() else ""


def display_name(text: str) -> str:
    """Return the name to show, on one line and without blanks around it."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > _LONGEST_NAME or not name.isprintable():
        raise InvalidInput(
            "display-name.invalid",
            f"A name has 1 to {_LONGEST_NAME} characters that can be seen.",
            {"most": _LONGEST_NAME},
        )
    return name


def email(text: str | None) -> str | None:
    """Return the e-mail address, or None for none."""
    address = (text or "").strip()
    if not address:
        return None
    fits = len(address) <= _LONGEST_EMAIL and address.isprintable()
    if not fits or not _EMAIL.fullmatch(address):
        raise InvalidInput(
            "email.invalid", "That is not an e-mail address like name@example.org."
        )
    return address

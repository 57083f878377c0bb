"""What a language is called: its tag (BCP 47), and its own name for menus."""

import re

from babel import Locale, UnknownLocaleError

from appliance.errors import InvalidInput

_TAG = re.compile(r"[a-z]{2,3}(-[a-z0-9]{2,8}){0,4}", re.IGNORECASE | re.ASCII)
UNKNOWN = "und"


def tag(text: str) -> str:
    """Return a tag as it is usually written: pt-BR, zh-Hans. Errors: InvalidInput."""
    given = text.strip().replace("_", "-")
    if not _TAG.fullmatch(given):
        raise InvalidInput(
            "captions.language",
            "The language is a code such as “en”, “de” or “pt-BR”.",
            {"field": "language"},
        )
    head, *rest = given.lower().split("-")
    return "-".join([head, *(_cased(part) for part in rest)])


def name(tag: str) -> str:
    """Return a language's own name, as menus show it; the tag where it has none."""
    if tag == UNKNOWN:
        return "Unknown language"
    try:
        own = Locale.parse(tag, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        own = None
    own = own or Locale("en").languages.get(tag) or tag
    return own[:1].upper() + own[1:]


def same(one: str, other: str) -> bool:
    """Say whether two tags are of one language, whatever the country."""
    return one.lower().split("-")[0] == other.lower().split("-")[0]


def _cased(part: str) -> str:
    if len(part) == 2:
        return part.upper()
    return part.title() if len(part) == 4 and part.isalpha() else part

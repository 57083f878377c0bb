"""Countries by their ISO 3166 codes."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from babel import Locale

from appliance.errors import InvalidInput

# Codes in the data of Babel that no address is ever in.
_NO_COUNTRIES = frozenset({"EU", "EZ", "QO", "UN", "XA", "XB", "ZZ"})


def codes(texts: Iterable[str]) -> frozenset[str]:
    """Return codes in capitals. Errors: ``InvalidInput`` for one that is none."""
    return frozenset(code(each) for each in texts if each.strip())


def code(text: str) -> str:
    """Return one code in capitals. Errors: ``InvalidInput`` when it is none."""
    wanted = text.strip().upper()
    if wanted not in names():
        raise InvalidInput(
            "country.unknown",
            f"“{text.strip()[:40]}” is no country code: write two letters of"
            " ISO 3166 as DE, AT or GB.",
            {"field": "territories"},
        )
    return wanted


@lru_cache(maxsize=1)
def names() -> Mapping[str, str]:
    """Return the English name of every country by its code."""
    return {
        code: name
        for code, name in Locale("en").territories.items()
        if len(code) == 2 and code.isalpha() and code not in _NO_COUNTRIES
    }


def name(code: str) -> str:
    """Return the English name of a country, or its code where it has none."""
    return names().get(code, code)

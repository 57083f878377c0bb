"""What the fields of a profile may hold."""

from collections.abc import Callable, Mapping
from typing import Any

from appliance.accounts import faces, names
from appliance.captions import languages
from appliance.errors import InvalidInput

OLDEST = 21


def clean(changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields as they are kept. Errors: ``InvalidInput`` with the ``field``."""
    return {name: _CHECKS[name](value) for name, value in changes.items()}


def _name(text: str) -> str:
    try:
        return names.display_name(text)
    except InvalidInput as error:
        raise InvalidInput(
            error.code, error.message, error.details | {"field": "name"}
        ) from error


def _language(text: str) -> str:
    return languages.tag(text) if text else ""


def _age(age: int | None) -> int | None:
    if age is not None and not 0 <= age <= OLDEST:
        raise InvalidInput(
            "profile.limit",
            f"The age limit is a whole number from 0 to {OLDEST}, or none.",
            {"field": "rating_limit", "most": OLDEST},
        )
    return age


_CHECKS: Mapping[str, Callable[[Any], Any]] = {
    "name": _name,
    "avatar": faces.known,
    "language": _language,
    "rating_limit": _age,
    "kids": bool,
}

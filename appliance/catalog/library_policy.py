"""How a library encodes: the settings, and what it says otherwise. Pure."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from appliance import media_checks
from appliance.errors import InvalidInput
from appliance.settings import Encode

# What a library may say; all else holds for the whole house.
FIELDS: Mapping[str, type] = {
    "codecs": str,
    "max_height": int,
    "per_title": bool,
    "quick_first": bool,
    "keep_source": str,
    "preset": str,
    "crf": int,
    "normalise": bool,
    "loudness": int,
    "surround": bool,
}

_WORDS = {"yes": True, "true": True, "no": False, "false": False}
_KINDS: Mapping[type, str] = {
    int: "must be a whole number.",
    bool: "must be yes or no.",
    str: "must be a text.",
}


def changed(
    own: Mapping[str, Any], changes: Mapping[str, object], encode: Encode
) -> dict[str, Any]:
    """Return what a library says after ``changes``; None or "": as the settings.

    Texts are taken as somebody typed them. Only what differs from the settings counts.
    Errors: ``InvalidInput`` with the name of the field in its details.
    """
    unknown = next((name for name in changes if name not in FIELDS), None)
    if unknown is not None:
        raise _refusal(unknown, f"does not exist. There are: {', '.join(FIELDS)}.")
    said = {**own, **{name: _typed(name, value) for name, value in changes.items()}}
    kept = {
        name: said[name]
        for name in FIELDS
        if said.get(name) is not None and said[name] != getattr(encode, name)
    }
    for name, (right, sentence) in media_checks.of_encode(
        applied(encode, kept)
    ).items():
        if name in kept and not right:
            raise _refusal(name, sentence)
    return kept


def applied(encode: Encode, own: Mapping[str, Any]) -> Encode:
    """Return the settings with what a library says otherwise."""
    return replace(encode, **{name: own[name] for name in FIELDS if name in own})


def codecs(encode: Encode) -> tuple[str, ...]:
    """Return the codecs, H.264 first, each once."""
    named = media_checks.names(encode.codecs)
    return tuple(codec for codec in media_checks.CODECS if codec in named)


def _typed(name: str, value: object) -> Any:
    kind = FIELDS[name]
    if value is None or value == "":
        return None
    if isinstance(value, str) and kind is not str:
        text = value.strip().lower()
        value = _number(text) if kind is int else _WORDS.get(text, text)
    if type(value) is not kind:
        raise _refusal(name, _KINDS[kind])
    if isinstance(value, str):
        value = value.strip().lower()
        return ",".join(media_checks.names(value)) if name == "codecs" else value
    return value


def _number(text: str) -> int | str:
    try:
        return int(text)
    except ValueError:
        return text


def _refusal(name: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"library.{name}", f"{name} {sentence}", {"field": name})

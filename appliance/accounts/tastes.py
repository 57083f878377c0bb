"""How a profile likes to watch: what its page ``/preferences`` and the player keep."""

import dataclasses
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from appliance.captions import languages
from appliance.errors import InvalidInput

SPEEDS = (0.5, 0.75, 1.0, 1.25, 1.5, 1.75, 2.0)

CAPTION_STYLES: Mapping[str, tuple[str, ...]] = {
    "size": ("100", "50", "75", "125", "150", "175", "200"),
    "colour": ("white", "yellow", "cyan", "green", "magenta", "black"),
    "background": ("half", "none", "solid", "light"),
    "edge": ("none", "outline", "shadow", "raised"),
    "position": ("film", "bottom", "top"),
    "font": ("sans", "serif", "mono", "casual"),
}
"""What can be chosen of the look of captions; the first of each is what is usual.

``size`` is in percent; ``position`` is where the film has them, or always the same.
"""


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a profile prefers.

    ``audio`` is a language, empty for that of the film; ``captions`` a language,
    ``off``, or empty for what the film suggests. ``caption_style`` holds the keys of
    :data:`CAPTION_STYLES` that differ from what is usual. ``keys`` says whether the
    keyboard steers the player with single letters.
    """

    autoplay_next: bool = True
    previews: bool = True
    audio: str = ""
    captions: str = ""
    caption_style: Mapping[str, str] = field(default_factory=dict)
    speed: float = 1.0
    data_saver: bool = False
    keys: bool = True


def read(stored: str) -> Preferences:
    """Return what a row holds; what an older or newer version knew is left out."""
    found = json.loads(stored)
    return Preferences(**{name: found[name] for name in _CHECKS if name in found})


def stored(preferences: Preferences) -> str:
    """Return what a row holds: only what differs from the usual."""
    usual = dataclasses.asdict(Preferences())
    mine = dataclasses.asdict(preferences)
    return json.dumps({name: mine[name] for name in mine if mine[name] != usual[name]})


def changed(before: Preferences, changes: Mapping[str, Any]) -> Preferences:
    """Return preferences with some of them changed.

    Errors: ``InvalidInput`` that names the ``field``; nothing is changed then.
    """
    for name in changes:
        if name not in _CHECKS:
            raise _refusal(name, f"There is no preference “{name[:40]}”.")
    mine = {name: _CHECKS[name](name, value) for name, value in changes.items()}
    return dataclasses.replace(before, **mine)


def _switch(name: str, value: Any) -> bool:
    if not isinstance(value, bool):
        raise _refusal(name, "This is either on or off.")
    return value


def _language(name: str, value: Any) -> str:
    if value == "":
        return ""
    try:
        return languages.tag(value) if isinstance(value, str) else languages.tag("")
    except InvalidInput as error:
        raise _refusal(name, error.message) from error


def _captions(name: str, value: Any) -> str:
    return "off" if value == "off" else _language(name, value)


def _speed(name: str, value: Any) -> float:
    # True is a number to Python, and no speed.
    if isinstance(value, bool) or value not in SPEEDS:
        offered = ", ".join(f"{each:g}" for each in SPEEDS)
        raise _refusal(name, f"The speed is one of {offered}.")
    return float(value)


def _style(name: str, value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise _refusal(name, "The style of captions is a set of choices.")
    for part, choice in value.items():
        offered = CAPTION_STYLES.get(part, ())
        if not isinstance(choice, str) or choice not in offered:
            known = ", ".join(offered or CAPTION_STYLES)
            raise _refusal(name, f"{str(part)[:40]}: choose one of {known}.")
    return {
        part: value[part]
        for part, offered in CAPTION_STYLES.items()
        if part in value and value[part] != offered[0]
    }


_CHECKS: Mapping[str, Callable[[str, Any], Any]] = {
    "autoplay_next": _switch,
    "previews": _switch,
    "audio": _language,
    "captions": _captions,
    "caption_style": _style,
    "speed": _speed,
    "data_saver": _switch,
    "keys": _switch,
}


def _refusal(name: str, sentence: str) -> InvalidInput:
    return InvalidInput("preference.invalid", sentence, {"field": name[:40]})

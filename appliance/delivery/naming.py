"""What menus call an audio or subtitle track."""

from collections.abc import Iterable, Mapping

from babel import Locale, UnknownLocaleError

from appliance.media.tracks import Track

_NO_LANGUAGE = ("", "und", "zxx", "mis", "mul")


def names(tracks: Iterable[Track]) -> Mapping[int, str]:
    """Return a name for each track by its id; no two are the same."""
    named: dict[int, str] = {}
    for track in tracks:
        name = first = _name(track)
        number = 2
        while name in named.values():
            name = f"{first} {number}"
            number += 1
        named[track.id] = name
    return named


def language(track: Track) -> str | None:
    """Return the language code of a track, or None when it has no known language."""
    return None if track.language in _NO_LANGUAGE else track.language


def _name(track: Track) -> str:
    label = " ".join(track.label.replace('"', "'").split())
    return label or _language_name(language(track))


def _language_name(code: str | None) -> str:
    if code is None:
        return "Original"
    try:
        found = Locale.parse(code, sep="-").get_display_name("en")
    except (UnknownLocaleError, ValueError):
        found = None
    return found or Locale("en").languages.get(code) or code

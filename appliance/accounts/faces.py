"""The pictures of profiles: a drawing of ours, or the first letter on a colour."""

from collections.abc import Iterable

from appliance.errors import InvalidInput

COLOURS = ("coral", "amber", "lime", "mint", "sky", "indigo", "violet", "rose")
"""For the first letter of the name; the style sheet says what they look like."""

DRAWINGS = (
    *("fox", "owl", "whale", "cat", "bear", "frog"),
    *("robot", "rocket", "planet", "mountain", "cactus", "ghost"),
)
"""Files of ``web/static/img/avatars``."""


def usual(profile_id: int) -> str:
    """Return the colour of a profile that nobody chose a picture for."""
    return COLOURS[profile_id % len(COLOURS)]


def unlike(others: Iterable[str]) -> str:
    """Return a colour that none of the others has."""
    taken = set(others)
    return next((each for each in COLOURS if each not in taken), COLOURS[0])


def known(name: str) -> str:
    """Return a face that there is. Errors: ``InvalidInput``."""
    if name not in COLOURS and name not in DRAWINGS:
        raise InvalidInput(
            "profile.avatar", "Choose one of the pictures.", {"field": "avatar"}
        )
    return name

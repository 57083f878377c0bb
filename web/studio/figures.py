"""Figures as people read them: sizes, times left, moments."""

from appliance import clock

_UNITS = ("B", "kB", "MB", "GB", "TB")


def size(count: float) -> str:
    """Write a number of bytes: ``4.8 GB``, ``112 MB``, ``640 B``."""
    figure, unit = float(count), 0
    while figure >= 999.5 and unit < len(_UNITS) - 1:
        figure, unit = figure / 1000, unit + 1
    whole = unit == 0 or figure >= 99.95
    return f"{figure:.{0 if whole else 1}f} {_UNITS[unit]}"


def left(seconds: float | None) -> str:
    """Write how long something will take: ``2 min 39 s``, ``11 min``, ``1 h 4 min``."""
    if seconds is None:
        return "–"
    whole = max(1, round(seconds))
    if whole < 60:
        return f"{whole} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 10:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def moment(text: str | None) -> str:
    """Write a moment of the database: ``21 Nov 2026, 06:12 UTC``."""
    if not text:
        return "–"
    at = clock.from_text(text)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def count(number: int, one: str, many: str) -> str:
    """Write a number with its noun: ``1 title``, ``1,284 titles``."""
    return f"{number:,} {one if number == 1 else many}"

"""Colours: how far two stand apart (WCAG 2), and a brand's made fit to be read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_HEX = re.compile(r"#[0-9a-f]{6}")
_TEXT, _GRAPHIC = 4.5, 3.0
_STEPS = 100

_WHITE, _BLACK = "#ffffff", "#000000"
# The surfaces that accents stand on, as tokens.css has them: the least kind of each
# theme decides.
_DARK = ("#0b0d11", "#14171d", "#1d222a", "#2a303a")
_LIGHT = ("#f6f7f9", "#ffffff", "#eef0f4", "#e1e5eb")


@dataclass(frozen=True, slots=True)
class Palette:
    """One brand's colours for a theme, each readable where it is used."""

    accent: str
    solid: str
    hover: str
    progress: str


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, ``#rrggbb``: from 1 (the same) to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def readable(colour: str) -> bool:
    """Say whether white text can be read on a button of that colour."""
    return contrast(colour, _WHITE) >= _TEXT


def nearest_readable(colour: str) -> str:
    """Return the colour, darkened just so far that white text can be read on it."""
    return next(each for each in _towards(colour, _BLACK) if readable(each))


def palettes(colour: str) -> tuple[Palette, Palette]:
    """Return the dark and the light theme's colours of a brand; white is read on it."""
    hover = _mixed(colour, _BLACK, 0.16)
    dark = Palette(
        accent=_fit(colour, _WHITE, _DARK, _TEXT),
        solid=colour,
        hover=hover,
        progress=_fit(colour, _WHITE, _DARK, _GRAPHIC),
    )
    light = Palette(
        accent=_fit(colour, _BLACK, _LIGHT, _TEXT),
        solid=colour,
        hover=hover,
        progress=_fit(colour, _BLACK, _LIGHT, _GRAPHIC),
    )
    return dark, light


def is_colour(text: str) -> bool:
    return bool(_HEX.fullmatch(text))


def _fit(colour: str, towards: str, surfaces: tuple[str, ...], least: float) -> str:
    """Return the first colour on the way that stands out from every surface."""
    return next(
        each
        for each in _towards(colour, towards)
        if all(contrast(each, surface) >= least for surface in surfaces)
    )


def _towards(colour: str, end: str) -> Iterator[str]:
    for step in range(_STEPS + 1):
        yield _mixed(colour, end, step / _STEPS)


def _mixed(one: str, other: str, share: float) -> str:
    mixed = (
        round(a + (b - a) * share)
        for a, b in zip(_parts(one), _parts(other), strict=True)
    )
    return "#" + "".join(f"{part:02x}" for part in mixed)


def _parts(colour: str) -> tuple[int, ...]:
    return tuple(bytes.fromhex(colour[1:]))


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(part / 255) for part in _parts(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4

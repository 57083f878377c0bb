"""Where cues stand on the picture: settings and regions of WebVTT."""

import re

_NAME = r"[A-Za-z0-9_-]{1,40}"
_PER_CENT = r"\d{1,3}(?:\.\d{1,4})?%"
_SETTINGS = {
    "region": re.compile(_NAME),
    "vertical": re.compile(r"rl|lr"),
    "line": re.compile(rf"(?:-?\d{{1,3}}|{_PER_CENT})(?:,(?:start|center|end))?"),
    "position": re.compile(rf"{_PER_CENT}(?:,(?:line-left|center|line-right|auto))?"),
    "size": re.compile(_PER_CENT),
    "align": re.compile(r"start|center|end|left|right"),
}
_REGION = {
    "id": re.compile(_NAME),
    "width": re.compile(_PER_CENT),
    "lines": re.compile(r"\d{1,2}"),
    "regionanchor": re.compile(rf"{_PER_CENT},{_PER_CENT}"),
    "viewportanchor": re.compile(rf"{_PER_CENT},{_PER_CENT}"),
    "scroll": re.compile(r"up"),
}
MOST_REGIONS = 32
TOP = "line:0"


def settings(text: str, regions: frozenset[str] | None = None) -> str:
    """Return the settings of a cue that are well written; ``regions`` are known ids."""
    kept: dict[str, str] = {}
    for word in text.split()[:12]:
        name, _, value = word.partition(":")
        known = _SETTINGS.get(name)
        if known is None or not known.fullmatch(value):
            continue
        if name != "region" or regions is None or value in regions:
            kept[name] = value
    return " ".join(f"{name}:{value}" for name, value in kept.items())


def region(text: str) -> str:
    """Return what is well written of the block of a region; empty without an id."""
    kept: dict[str, str] = {}
    for word in text.split()[:24]:
        # An older draft wrote id=name.
        name, _, value = word.replace("=", ":", 1).partition(":")
        known = _REGION.get(name.lower())
        if known is not None and known.fullmatch(value):
            kept[name.lower()] = value
    if "id" not in kept:
        return ""
    named = {"id": kept["id"]} | kept
    return "\n".join(f"{name}:{value}" for name, value in named.items())


def region_id(region: str) -> str:
    """Return the name of a region that :func:`region` gave."""
    return region.split("\n", 1)[0].removeprefix("id:")

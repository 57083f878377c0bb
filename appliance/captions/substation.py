"""Advanced SubStation Alpha: what is said, and whether slanted, bold or at the top.

Where letters fly and what colour they are stays with those who can draw it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from appliance.captions import markup, places, times
from appliance.captions.cues import Captions, Cue, Remark, ordered

_SECTION = re.compile(r"\[([^\]]{1,40})\]")
_OVERRIDE = re.compile(r"\{([^{}]{0,2000})\}")
_TAG = re.compile(r"\\(?:([ibu])(\d{1,3})|(an?)(\d{1,2})|(p)(\d)|(r))(?![a-z0-9])")
_EVENT = (
    *("layer", "start", "end", "style", "name"),
    *("marginl", "marginr", "marginv", "effect", "text"),
)
_MOST_TAGS = 500
_MOST_REMARKS = 200
# Of the numbers on a keypad, and of the older ones, where 5 to 7 are at the top.
_TOP_AN, _TOP_A = ("7", "8", "9"), ("5", "6", "7")


@dataclass(frozen=True, slots=True)
class _Style:
    tags: frozenset[str] = frozenset()
    top: bool = False


def read(text: str) -> tuple[Captions, tuple[Remark, ...]]:
    """Read the dialogue of a file."""
    cues: list[Cue] = []
    remarks: list[Remark] = []
    styles: dict[str, _Style] = {}
    for number, kind, fields in _lines(text):
        if kind == "style":
            styles[fields.get("name", "").strip().lstrip("*")] = _style(fields)
            continue
        cue = _cue(fields, styles)
        if isinstance(cue, Cue):
            cues.append(cue)
        elif cue and len(remarks) < _MOST_REMARKS:
            remarks.append(Remark(number, cue))
    return ordered(cues), tuple(remarks)


def _lines(text: str) -> Iterator[tuple[int, str, Mapping[str, str]]]:
    """Yield the styles and events with their fields by name, as Format lists them."""
    names: list[str] = []
    section = ""
    for number, line in enumerate(text.splitlines(), start=1):
        found = _SECTION.match(line.strip())
        if found:
            section, names = found[1].strip().lower(), []
            continue
        kind, colon, rest = line.partition(":")
        kind = kind.strip().lower()
        if not colon:
            continue
        if kind == "format":
            names = [name.strip().lower() for name in rest.split(",")[:40]]
        elif kind == "style" and "style" in section and names:
            yield number, kind, dict(zip(names, rest.split(","), strict=False))
        elif kind == "dialogue":
            of = names if "text" in names else _EVENT
            # A text may have commas: it is what is left at the end.
            values = rest.split(",", len(of) - 1)
            yield number, kind, dict(zip(of, values, strict=False))


def _style(fields: Mapping[str, str]) -> _Style:
    names = {"i": "italic", "b": "bold", "u": "underline"}
    on = {tag for tag, name in names.items() if fields.get(name, "0").strip() != "0"}
    return _Style(frozenset(on), fields.get("alignment", "").strip() in _TOP_AN)


def _cue(fields: Mapping[str, str], styles: Mapping[str, _Style]) -> Cue | str:
    """Return a cue, or what is to be remarked; nothing of drawings."""
    start = times.read(fields.get("start", ""))
    end = times.read(fields.get("end", ""))
    if start is None or end is None or end <= start:
        return "A time that makes no sense: the line is left out."
    style = styles.get(fields.get("style", "").strip().lstrip("*"), _Style())
    raw = fields.get("text", "")[: 4 * markup.LONGEST_TEXT]
    payload, top = _payload(raw, style)
    text = markup.clean(payload)
    return Cue(start, end, text, places.TOP if top else "") if text else ""


def _payload(raw: str, style: _Style) -> tuple[str, bool]:
    """Return the text with tags for its overrides, and whether it is at the top."""
    parts: list[str] = []
    tags, top, drawing = style.tags, style.top, False
    at = 0
    for found in list(_OVERRIDE.finditer(raw))[:_MOST_TAGS]:
        parts.append(_dressed(raw[at : found.start()], tags, drawing))
        at = found.end()
        for tag, on, align, place, _, scale, reset in _TAG.findall(found[1]):
            if tag:
                tags = tags | {tag} if on != "0" else tags - {tag}
            elif align:
                top = place in (_TOP_AN if align == "an" else _TOP_A)
            elif scale:
                drawing = scale != "0"
            elif reset:
                tags = style.tags
    parts.append(_dressed(raw[at:], tags, drawing))
    return "".join(parts), top


def _dressed(text: str, tags: frozenset[str], drawing: bool) -> str:
    if drawing or not text:
        return ""
    text = markup.escaped(text).replace("\\h", " ").replace("\\n", " ")
    names = sorted(tags)
    opening = "".join(f"<{name}>" for name in names)
    closing = "".join(f"</{name}>" for name in reversed(names))
    return f"{opening}{text}{closing}"

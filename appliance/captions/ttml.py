"""TTML, also as DFXP, SMPTE-TT, IMSC and EBU-TT-D write it: text, times, and its top.

Times of elements count from the begin of what they stand in.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from fractions import Fraction

from lxml import etree

from appliance.captions import markup, places
from appliance.captions.cues import LATEST, Captions, Cue, Remark, ordered
from appliance.errors import InvalidInput

_NAMES = "http://www.w3.org/ns/ttml"
_STYLING, _PARAMETER = f"{_NAMES}#styling", f"{_NAMES}#parameter"
_XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
_CLOCK = re.compile(
    r"(\d{2,3}):(\d{2}):(\d{2})(?:\.(\d{1,9})|:(\d{2,3})(?:\.\d+)?)?", re.ASCII
)
_OFFSET = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)(h|ms|m|s|f|t)", re.ASCII)
_ORIGIN = re.compile(r"\s*-?[\d.]{1,9}%\s+(-?[\d.]{1,9})%\s*", re.ASCII)
_DRESS = (
    ("i", "fontStyle", ("italic", "oblique")),
    ("b", "fontWeight", ("bold",)),
    ("u", "textDecoration", ("underline",)),
)
_UNITS = {
    "h": Fraction(3600),
    "m": Fraction(60),
    "s": Fraction(1),
    "ms": Fraction(1, 1000),
}
_DEEPEST = 32
_UPPER_HALF = 40
_MOST_REMARKS = 200


@dataclass(frozen=True, slots=True)
class _Rates:
    frames: Fraction
    ticks: Fraction


@dataclass(slots=True)
class _Reader:
    rates: _Rates
    styles: dict[str, frozenset[str]]
    tops: frozenset[str]
    cues: list[Cue] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Around:
    """What an element is in: the span of time, and the region."""

    begin: Fraction = Fraction(0)
    end: Fraction | None = None
    region: str = ""
    depth: int = 0


def read(text: str) -> tuple[Captions, tuple[Remark, ...]]:
    """Read the paragraphs of a document. Errors: ``InvalidInput``."""
    root = _parsed(text)
    reader = _Reader(_rates(root), _styles(root), _tops(root))
    body = root.find("{*}body")
    if body is not None:
        _walk(reader, body, _Around())
    return ordered(reader.cues), tuple(reader.remarks)


def _parsed(text: str) -> etree._Element:
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise InvalidInput(
            "captions.broken",
            "This TTML file declares a document type, which may hide anything: save it"
            " without one.",
            {"field": "file"},
        )
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
    try:
        # The declaration speaks of bytes that are text by now.
        return etree.fromstring(re.sub(r"^\s*<\?xml[^>]*\?>", "", text), parser)
    except etree.XMLSyntaxError as error:
        raise InvalidInput(
            "captions.broken",
            f"This TTML file is not well-formed XML, in line {error.lineno}: save it"
            " again with the program that it comes from.",
            {"field": "file"},
        ) from error


def _rates(root: etree._Element) -> _Rates:
    above, below = _two(root.get(f"{{{_PARAMETER}}}frameRateMultiplier", "1 1"))
    frames = _positive(root.get(f"{{{_PARAMETER}}}frameRate", "")) or Fraction(30)
    frames *= Fraction(above, below)
    given = _positive(root.get(f"{{{_PARAMETER}}}tickRate", ""))
    return _Rates(frames, given or frames)


def _two(text: str) -> tuple[int, int]:
    numbers = [int(word) for word in re.findall(r"\d{1,6}", text)]
    usable = len(numbers) == 2 and all(numbers)
    return (numbers[0], numbers[1]) if usable else (1, 1)


def _positive(text: str) -> Fraction | None:
    whole = text.strip()
    good = whole.isascii() and whole.isdecimal() and len(whole) < 12 and int(whole)
    return Fraction(int(whole)) if good else None


def _styles(root: etree._Element) -> dict[str, frozenset[str]]:
    return {
        each.get(_XML_ID, ""): frozenset(_dress(each)[0])
        for each in root.iterfind(".//{*}styling/{*}style")
    }


def _tops(root: etree._Element) -> frozenset[str]:
    """Return the regions in the upper part of the picture."""
    return frozenset(
        each.get(_XML_ID, "")
        for each in root.iterfind(".//{*}layout/{*}region")
        if _is_at_top(each)
    )


def _is_at_top(region: etree._Element) -> bool:
    inner = [region, *region.iterfind("{*}style")]
    for each in inner:
        origin = _ORIGIN.fullmatch(each.get(f"{{{_STYLING}}}origin", ""))
        if origin and re.fullmatch(r"-?\d+(\.\d+)?", origin[1]):
            aligned = each.get(f"{{{_STYLING}}}displayAlign", "before")
            return float(origin[1]) < _UPPER_HALF and aligned == "before"
    return False


def _walk(reader: _Reader, element: etree._Element, around: _Around) -> None:
    here = _inside(reader, element, around)
    if here is None or here.depth > _DEEPEST:
        if len(reader.remarks) < _MOST_REMARKS:
            line = element.sourceline or 0
            reader.remarks.append(
                Remark(line, "A time that makes no sense: the text is left out.")
            )
        return
    if _name(element) == "p" and not _has_timed_spans(element):
        _add(reader, element, here)
        return
    for child in element:
        if _name(child) == "span" and _name(element) == "p":
            if child.get("begin") is not None:
                inner = _inside(reader, child, here)
                if inner is not None:
                    _add(reader, child, inner)
        elif _name(child) in ("div", "p"):
            _walk(reader, child, here)


def _inside(
    reader: _Reader, element: etree._Element, around: _Around
) -> _Around | None:
    """Return the span of an element; None when its times make no sense."""
    values = [element.get(name) for name in ("begin", "end", "dur")]
    read = [None if text is None else _seconds(text, reader.rates) for text in values]
    if any(t is not None and r is None for t, r in zip(values, read, strict=True)):
        return None
    begin = around.begin + (read[0] or 0)
    ends = [around.end] if around.end is not None else []
    ends += [around.begin + read[1]] if read[1] is not None else []
    ends += [begin + read[2]] if read[2] is not None else []
    region = element.get("region", around.region)
    return replace(
        around,
        begin=begin,
        end=min(ends, default=None),
        region=region,
        depth=around.depth + 1,
    )


def _seconds(text: str, rates: _Rates) -> Fraction | None:
    clock = _CLOCK.fullmatch(text.strip())
    if clock:
        whole = (int(clock[1]) * 60 + int(clock[2])) * 60 + int(clock[3])
        part = Fraction(f"0.{clock[4]}") if clock[4] else Fraction(0)
        return whole + part + Fraction(int(clock[5] or 0)) / rates.frames
    offset = _OFFSET.fullmatch(text.strip())
    if offset is None:
        return None
    number, unit = Fraction(offset[1]), offset[2]
    if unit == "f":
        return number / rates.frames
    return number / rates.ticks if unit == "t" else number * _UNITS[unit]


def _has_timed_spans(paragraph: etree._Element) -> bool:
    return any(
        child.get("begin") is not None for child in paragraph if _name(child) == "span"
    )


def _add(reader: _Reader, element: etree._Element, here: _Around) -> None:
    start, end = round(here.begin * 1000), round((here.end or 0) * 1000)
    text = markup.clean(" ".join("".join(_payload(reader, element, 0)).split(" ")))
    if text and start < end < LATEST:
        place = places.TOP if here.region in reader.tops else ""
        reader.cues.append(Cue(start, end, text, place))
    elif text and len(reader.remarks) < _MOST_REMARKS:
        reader.remarks.append(
            Remark(element.sourceline or 0, "A text without a time is left out.")
        )


def _payload(reader: _Reader, element: etree._Element, depth: int) -> Iterator[str]:
    on, off = _dress(element)
    for style in element.get("style", "").split()[:8]:
        on |= reader.styles.get(style, frozenset()) - off
    tags = sorted(on)
    yield "".join(f"<{tag}>" for tag in tags)
    yield _words(element.text)
    for child in element:
        if _name(child) == "br":
            yield "\n"
        elif _name(child) == "span" and depth < _DEEPEST:
            yield from _payload(reader, child, depth + 1)
        yield _words(child.tail)
    yield "".join(f"</{tag}>" for tag in reversed(tags))


def _dress(element: etree._Element) -> tuple[set[str], set[str]]:
    """Return which tags an element puts on, and which it takes off."""
    on: set[str] = set()
    off: set[str] = set()
    for tag, name, values in _DRESS:
        value = element.get(f"{{{_STYLING}}}{name}")
        if value is not None:
            (on if value.strip() in values else off).add(tag)
    return on, off


def _words(text: str | None) -> str:
    return markup.escaped(" ".join(re.split(r"\s+", text or "")))


def _name(element: etree._Element) -> str:
    return etree.QName(element).localname if isinstance(element.tag, str) else ""

"""WebVTT and SubRip: lines of times, each with the text that follows it.

Files that people have are broken in many ways: hours or blank lines are missing,
numbers repeat, text has blank lines in it. So times are looked for, not blocks: what
stands between two of them belongs to the first.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from appliance.captions import markup, places, times
from appliance.captions.cues import Captions, Cue, Remark, ordered
from appliance.captions.writing import UNSURE

_TIMING = re.compile(r"\s{0,20}([\d:.,;]{3,20})\s{0,20}-{1,2}>\s{0,20}([\d:.,;]{3,20})")
_AT_TOP = re.compile(r"\{\\an[789]\}")
_NUMBER = re.compile(r"\s*\d{1,7}\s*", re.ASCII)
_BLOCKS = ("NOTE", "STYLE", "REGION")
_LEAST = 1_000
_LONGEST_HEAD = 1_000
_MOST_REMARKS = 200


@dataclass(slots=True)
class _Found:
    """One line of times: its place, what it says, and the lines up to the next."""

    line: int
    first: str
    last: str
    settings: str
    name: str
    text: list[str] = field(default_factory=list)


@dataclass(slots=True)
class _Reader:
    webvtt: bool
    cues: list[Cue] = field(default_factory=list)
    regions: list[str] = field(default_factory=list)
    remarks: list[Remark] = field(default_factory=list)

    def remark(self, line: int, sentence: str) -> None:
        if len(self.remarks) < _MOST_REMARKS:
            self.remarks.append(Remark(line, sentence))


def read(text: str, *, webvtt: bool) -> tuple[Captions, tuple[Remark, ...]]:
    """Read cues, in whatever order and state they are."""
    reader = _Reader(webvtt)
    lines = text.splitlines()
    if webvtt:
        _read_regions(reader, lines)
    known = frozenset(places.region_id(each) for each in reader.regions)
    for found in _timings(lines, webvtt=webvtt):
        _take(reader, found, known)
    return ordered(reader.cues, tuple(reader.regions)), tuple(reader.remarks)


def _read_regions(reader: _Reader, lines: Sequence[str]) -> None:
    """Read what stands before the first cue, as far as a sensible head is long."""
    for number, line in enumerate(lines[:_LONGEST_HEAD]):
        if "-->" in line or len(reader.regions) == places.MOST_REGIONS:
            return
        if line.strip() == "REGION":
            region = places.region(" ".join(_block(lines, number + 1)))
            if region:
                reader.regions.append(region)
        elif line.strip() == "STYLE":
            reader.remark(number + 1, "A style sheet is left out.")


def _block(lines: Sequence[str], start: int) -> Iterator[str]:
    for line in lines[start : start + 50]:
        if not line.strip() or "-->" in line:
            return
        yield line


def _timings(lines: Sequence[str], *, webvtt: bool) -> Iterator[_Found]:
    found: _Found | None = None
    for number, line in enumerate(lines, start=1):
        timing = _TIMING.match(line) if "->" in line else None
        if timing is None:
            if found is not None:
                found.text.append(line)
            continue
        if found is not None:
            name = _name_before(found, webvtt=webvtt)
            yield found
        else:
            name = lines[number - 2].strip() if number > 1 else ""
        found = _Found(number, timing[1], timing[2], line[timing.end() :], name)
    if found is not None:
        yield found


def _name_before(found: _Found, *, webvtt: bool) -> str:
    """Take the name or number of the next cue off the end of a text."""
    text = found.text
    if not text:
        return ""
    alone = len(text) < 2 or not text[-2].strip()
    if _NUMBER.fullmatch(text[-1]) or (webvtt and alone):
        return text.pop().strip()
    return ""


def _take(reader: _Reader, found: _Found, regions: frozenset[str]) -> None:
    start, end = times.read(found.first), times.read(found.last)
    if start is None or end is None:
        reader.remark(found.line, "A time that makes no sense: the cue is left out.")
        return
    raw = "\n".join(_text(reader, found))
    text = markup.clean(raw)
    if not text:
        reader.remark(found.line, "A cue without text is left out.")
        return
    if len(raw) > markup.LONGEST_TEXT:
        reader.remark(found.line, "A text without end is cut.")
    if end <= start:
        end = start + _LEAST
        reader.remark(found.line, "It ended before it began: it is shown for a second.")
    settings = places.settings(found.settings, regions) if reader.webvtt else ""
    if not settings and _AT_TOP.search(raw):
        settings = places.TOP
    unsure = reader.webvtt and found.name.startswith(UNSURE)
    reader.cues.append(Cue(start, end, text, settings, unsure))


def _text(reader: _Reader, found: _Found) -> Iterator[str]:
    """Yield the lines of a cue. In WebVTT it ends with a blank one."""
    for number, line in enumerate(found.text):
        if line.strip():
            yield line
        elif reader.webvtt:
            rest = [each for each in found.text[number:] if each.strip()]
            if rest and not rest[0].strip().startswith(_BLOCKS):
                reader.remark(
                    found.line + number + 2, "Text that belongs to no cue is left out."
                )
            return

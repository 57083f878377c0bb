"""From words with times to cues: two lines that fit, broken where a speaker breathes.

A cue ends where a sentence does, or somebody pauses, or no more would fit. Where one
must be split the best place is chosen over all of it, so that no single word is left
for the next.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from statistics import fmean

from appliance.captions import lint, markup
from appliance.captions.cues import Captions, Cue

_PAUSE = 700
_ENDS = (".", "?", "!", "…", "。", "？", "！", "।")
_HALVES = (",", ";", ":", "–", "—", "、", "，", "；")
_AFTER_SENTENCE, _AFTER_CLAUSE = 0.0, 6.0
_AFTER_WORD = 12.0
_NEW_CUE = 10.0
_HEARD_WELL = 0.6
_TOGETHER = 300
_LINGERS = 500


@dataclass(frozen=True, slots=True)
class Word:
    """One word as it is written, with a space before it where the language has them.

    Times are milliseconds; ``sure`` is how probable it is, from 0 to 1.
    """

    start: int
    end: int
    text: str
    sure: float = 1.0


@dataclass(frozen=True, slots=True)
class _Shape:
    width: int
    pace: int


def cues(words: Sequence[Word], language: str = "") -> Captions:
    """Return captions of what was said."""
    shape = _Shape(lint.width(language), lint.pace(language))
    spoken = [word for word in words if word.text.strip()]
    groups = [
        group
        for phrase in _joined(list(_phrases(spoken)), shape)
        for group in _split(phrase, shape)
    ]
    return Captions(tuple(_timed(groups, shape)))


def lines(text: str, width: int = 42) -> str:
    """Break a text into two lines as even as it can be, the lower one the longer."""
    words = [Word(0, 0, f" {each}") for each in text.split()]
    return _set(words, width)


def _phrases(words: Sequence[Word]) -> Iterator[list[Word]]:
    """Cut at the ends of sentences and at pauses."""
    phrase: list[Word] = []
    for word in words:
        if phrase and word.start - phrase[-1].end >= _PAUSE:
            yield phrase
            phrase = []
        phrase.append(word)
        if word.text.rstrip("\"'”’»)").endswith(_ENDS):
            yield phrase
            phrase = []
    if phrase:
        yield phrase


def _joined(phrases: list[list[Word]], shape: _Shape) -> Iterator[list[Word]]:
    """Put a short sentence to the one before, where they fit into one cue."""
    kept: list[Word] = []
    for phrase in phrases:
        near = kept and phrase[0].start - kept[-1].end <= _TOGETHER
        short = near and min(_length(kept), _length(phrase)) <= shape.width // 2
        if short and _fits([*kept, *phrase], shape):
            kept = [*kept, *phrase]
            continue
        if kept:
            yield kept
        kept = phrase
    if kept:
        yield kept


def _split(phrase: list[Word], shape: _Shape) -> list[list[Word]]:
    """Split a phrase into the fewest cues that fit, at the best places."""
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(phrase) + 1):
        choices = []
        for start in range(end - 1, -1, -1):
            part = phrase[start:end]
            # A single word is taken whatever its length: it can't be split.
            if len(part) > 1 and not _fits(part, shape):
                break
            cost = best[start][0] + _NEW_CUE + _end_cost(part, end == len(phrase))
            choices.append((cost + _unevenness(part, shape), start))
        best.append(min(choices))
    groups: list[list[Word]] = []
    end = len(phrase)
    while end:
        start = best[end][1]
        groups.append(phrase[start:end])
        end = start
    return groups[::-1]


def _end_cost(part: list[Word], last: bool) -> float:
    text = part[-1].text.rstrip()
    if last or text.endswith(_ENDS):
        return _AFTER_SENTENCE
    return _AFTER_CLAUSE if text.endswith(_HALVES) else _AFTER_WORD


def _unevenness(part: list[Word], shape: _Shape) -> float:
    """Say how far a cue is from a good half of what fits: leftovers are disliked."""
    return 8.0 * max(0.0, 1 - _length(part) / shape.width) ** 2


def _fits(part: list[Word], shape: _Shape) -> bool:
    if part[-1].end - part[0].start > lint.LONGEST:
        return False
    return all(len(line) <= shape.width for line in _set(part, shape.width).split("\n"))


def _length(part: Sequence[Word]) -> int:
    return len(_written(part))


def _written(part: Sequence[Word]) -> str:
    return " ".join("".join(word.text for word in part).split())


def _set(part: Sequence[Word], width: int) -> str:
    """Return the words on one line, or on two."""
    whole = _written(part)
    if len(whole) <= width or len(part) < 2:
        return whole
    pairs = [(_written(part[:at]), _written(part[at:])) for at in range(1, len(part))]
    costs = [_line_cost(upper, lower, width) for upper, lower in pairs]
    upper, lower = pairs[costs.index(min(costs))]
    return f"{upper}\n{lower}"


def _line_cost(upper: str, lower: str, width: int) -> float:
    over = max(0, len(upper) - width) + max(0, len(lower) - width)
    cost = 100.0 * over + abs(len(upper) - len(lower))
    cost += 2.0 if len(upper) > len(lower) else 0.0
    return cost - (8.0 if upper.endswith((*_ENDS, *_HALVES)) else 0.0)


def _timed(groups: list[list[Word]], shape: _Shape) -> Iterator[Cue]:
    """Give each cue the time to be read, as far as the next one leaves it."""
    for number, group in enumerate(groups):
        start, said = group[0].start, group[-1].end
        text = _set(group, shape.width)
        needed = max(lint.SHORTEST, len(text) * 1000 // shape.pace + 1)
        wanted = max(said + _LINGERS, start + needed)
        wanted = max(said, min(wanted, start + lint.LONGEST))
        if number + 1 < len(groups):
            following = groups[number + 1][0].start
            wanted = min(wanted, max(following - lint.LEAST_GAP, start + 1))
        unsure = fmean(word.sure for word in group) < _HEARD_WELL
        yield Cue(start, wanted, markup.escaped(text), unsure=unsure)

"""The checks of captions: what is wrong with them, and what makes them hard to read."""

from collections import Counter
from collections.abc import Mapping, Sequence

from appliance.captions import lint, reading
from appliance.captions.lint import Finding
from appliance.errors import InvalidInput
from jobs.steps.checks import Check, Level, listed
from jobs.steps.clear import Clear

# From which part of the cues on what is only hard to read is more than a remark.
_MANY = 0.1
# So many cues after the end are those of another film.
_ANOTHER_FILM = 0.3

_SAID: Mapping[str, str] = {
    "empty": "without a text",
    "order": "that end before they begin",
    "past-end": "after the end of the film",
    "overlap": "that overlap the one before",
    "lines": "of too many lines",
    "long-line": "with a line that is too long",
    "fast": "too fast to be read",
    "short": "shown too briefly",
    "long": "shown for too long",
    "gap": "that flicker",
}


def check(track: Clear, seconds: float) -> list[Check]:
    """Return the checks of captions of a film that lasts so many seconds."""
    path = track.folder / track.entry["facts"]["file"]
    try:
        captions = reading.stored(path.read_text(encoding="utf-8"))
    except (InvalidInput, UnicodeDecodeError) as error:
        why = error.message if isinstance(error, InvalidInput) else "it is not UTF-8."
        sentence = f"The captions can’t be read: {why}"
        return [Check("captions", Level.FAIL, sentence, track=track.name)]
    count = len(captions.cues)
    if not count:
        sentence = "There is not a single cue in these captions."
        return [Check("captions", Level.WARN, sentence, 0, 1, track.name)]
    found = lint.lint(captions, seconds, track.entry.get("language", ""))
    wrong = [each for each in found if each.level is lint.Level.ERROR]
    hard = [each for each in found if each.level is lint.Level.WARNING]
    return [_faults(track, wrong, count), _readable(track, hard, count)]


def _faults(track: Clear, wrong: Sequence[Finding], count: int) -> Check:
    cues = {each.cue for each in wrong}
    if not cues:
        sentence = f"All {count:,} cues have a text and a place of their own."
        return Check("captions", Level.PASS, sentence, 0, 0, track.name)
    late = sum(1 for each in wrong if each.code == "past-end")
    another = late >= count * _ANOTHER_FILM
    sentence = f"{_counted(wrong)}; the first is cue {min(cues)} of {count:,}."
    if another:
        sentence += " They seem to belong to another film."
    level = Level.FAIL if another else Level.WARN
    return Check("captions", level, sentence, len(cues), 0, track.name)


def _readable(track: Clear, hard: Sequence[Finding], count: int) -> Check:
    cues = {each.cue for each in hard}
    if not cues:
        sentence = "Every cue can be read while it is shown."
        return Check("reading", Level.PASS, sentence, 0, None, track.name)
    many = len(cues) > count * _MANY
    sentence = f"{_counted(hard)}; the first is cue {min(cues)} of {count:,}."
    level = Level.WARN if many else Level.PASS
    most = int(count * _MANY)
    return Check("reading", level, sentence, len(cues), most, track.name, not many)


def _counted(found: Sequence[Finding]) -> str:
    """Say how many cues have which fault, the most frequent first."""
    counts = Counter(each.code for each in found).most_common()
    parts = [
        f"{count:,} {'cue' if count == 1 else 'cues'} {_SAID.get(code, code)}"
        for code, count in counts
    ]
    return listed(parts)

"""What a quality report consists of: checks, each with its verdict in a sentence."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

Figure = float | int | str | None


class Level(StrEnum):
    PASS = "pass"  # noqa: S105 a verdict, no secret
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Check:
    """One line: ``value`` is what was found and ``limit`` what it was held against.

    ``note`` marks what passed and is worth a look all the same. ``track`` is the name
    of the track, empty for all of them.
    """

    id: str
    level: Level
    sentence: str
    value: Figure = None
    limit: Figure = None
    track: str = ""
    note: bool = False

    def as_entry(self) -> dict[str, Any]:
        return asdict(self) | {"level": self.level.value}


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on something is remarked: the settings ``quality.*``, in their units.

    ``loudness`` is what the sound was brought to, None when it was left as it was.
    """

    least_score: int = 70
    sync_milliseconds: int = 45
    black_seconds: int = 5
    freeze_seconds: int = 10
    silence_seconds: int = 15
    true_peak: int = -1
    loudness: int | None = None

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> "Limits":
        """Read what a spec says; what it does not say is as usual."""
        known = cls.__dataclass_fields__
        return cls(**{name: each for name, each in values.items() if name in known})


def verdict(checks: Iterable[Check]) -> str:
    """Return ``passed``, ``warned`` or ``failed``: what the worst check says."""
    levels = {check.level for check in checks}
    if Level.FAIL in levels:
        return "failed"
    return "warned" if Level.WARN in levels else "passed"


def graded(value: float, warn_from: float, fail_from: float) -> Level:
    """Grade something of which more is worse."""
    if value >= fail_from:
        return Level.FAIL
    return Level.WARN if value >= warn_from else Level.PASS


def listed(names: Sequence[str]) -> str:
    """Write names as a sentence does: ``a, b and c``."""
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def clock(seconds: float) -> str:
    """Write a place in a film: ``1:02:03.5``, ``0:07``."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    text = f"{rest // 10:02}" + (f".{rest % 10}" if rest % 10 else "")
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{text}" if hours else f"{minutes}:{text}"

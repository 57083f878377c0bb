"""What the doctor found: values that commands, pages, alerts and letters speak of."""

from dataclasses import dataclass
from enum import StrEnum


class Level(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; ``fix`` says what to do about it."""

    id: str
    level: Level
    sentence: str
    fix: str = ""

"""Stretches of a film, as filters that look for something tell of them."""

import re
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Stretch:
    """From when to when, in seconds."""

    start: float
    end: float

    @property
    def seconds(self) -> float:
        return self.end - self.start

    def later(self, seconds: float) -> "Stretch":
        return Stretch(self.start + seconds, self.end + seconds)

    def within(self, other: "Stretch") -> bool:
        return other.start - 0.5 <= self.start and self.end <= other.end + 0.5


@dataclass
class Marks:
    """Reads what detecting filters say: ``<name>_start=…`` and ``<name>_end=…``."""

    name: str
    seconds: float
    found: list[Stretch] = field(default_factory=list)
    opened: float | None = None

    def take(self, line: str) -> None:
        said = re.search(rf"{self.name}_(start|end)=([-\d.]+)", line)
        if said is None:
            return
        at = max(0.0, float(said[2]))
        if said[1] == "start":
            self.opened = at
        elif self.opened is not None:
            self.found.append(Stretch(self.opened, at))
            self.opened = None

    def all(self) -> list[Stretch]:
        """Return them; one that is still open lasts to the end."""
        if self.opened is not None:
            self.found.append(Stretch(self.opened, self.seconds))
            self.opened = None
        return self.found

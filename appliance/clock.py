"""Time, injected: nothing else asks the machine what time it is."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Protocol

_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


class Clock(Protocol):
    """Tells the time; aware datetimes in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's own time."""

    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class FixedClock:
    """A time that moves only when told to, for tests."""

    at: datetime

    def now(self) -> datetime:
        return self.at

    def advance(self, **kwargs: float) -> None:
        """Move on by ``timedelta(**kwargs)``."""
        self.at += timedelta(**kwargs)


def to_text(moment: datetime) -> str:
    """Write a moment as it stands in the database: UTC text that sorts."""
    if moment.tzinfo is not UTC:
        moment = moment.astimezone(UTC)
    return moment.isoformat(timespec="microseconds")[:-6] + "Z"


def from_text(text: str) -> datetime:
    """Read a moment that :func:`to_text` wrote."""
    return datetime.strptime(text, _FORMAT).replace(tzinfo=UTC)

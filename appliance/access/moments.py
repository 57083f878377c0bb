"""Moments as people write them, and the time between two of them."""

from datetime import UTC, datetime

from appliance import clock
from appliance.errors import InvalidInput


def read(text: str | None, field: str) -> str | None:
    """Return a moment as the database keeps it; None for none.

    Takes ``2026-02-01``, ``2026-02-01 20:00`` and either with a zone as in
    ``2026-02-01T20:00+01:00``; without one it is UTC, without a time midnight.
    Errors: ``InvalidInput`` with the name of the field.
    """
    wanted = (text or "").strip()
    if not wanted:
        return None
    try:
        moment = datetime.fromisoformat(wanted)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)
        return clock.to_text(moment)
    except (ValueError, OverflowError) as error:
        raise InvalidInput(
            "time.invalid",
            f"“{wanted[:40]}” is no time: write it as 2026-02-01 or 2026-02-01T20:00"
            " (UTC), or with a zone as 2026-02-01T20:00+01:00.",
            {"field": field},
        ) from error


def span(starts: str | None, ends: str | None) -> tuple[str | None, str | None]:
    """Return the two ends of a time, each None where it is open.

    Errors: ``InvalidInput``, also when it would end before it begins.
    """
    starts_at, ends_at = read(starts, "starts_at"), read(ends, "ends_at")
    if starts_at and ends_at and ends_at <= starts_at:
        raise InvalidInput(
            "time.backwards",
            "It would end before it begins: give an end after the beginning.",
            {"field": "ends_at"},
        )
    return starts_at, ends_at


def spoken(text: str) -> str:
    """Write a moment of the database in words: ``1 February 2026, 20:00 UTC``."""
    at = clock.from_text(text)
    return f"{at.day} {at:%B} {at.year}, {at:%H:%M} UTC"

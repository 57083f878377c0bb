"""Sessions as people know them: which device, where, how long ago."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from appliance.accounts.sessions import Kind, Session
from appliance.clock import from_text
from appliance.playback.streams import Stream
from web import devices


@dataclass(frozen=True, slots=True)
class Device:
    """One line of the list; ``at`` is UTC text for machines, ``used`` for people.

    ``watching`` is what plays on it now.
    """

    id: str
    name: str
    drawing: str
    address: str
    used: str
    at: str
    here: bool
    watching: tuple[Stream, ...]


def sessions_shown(
    sessions: Iterable[Session],
    here: str,
    now: datetime,
    playing: Sequence[Stream] = (),
) -> list[Device]:
    """Return the sessions of an account with what of ``playing`` each has opened.

    ``here`` is the id of the one that asks; it comes first.
    """
    return [
        Device(
            id=session.id,
            name=_name(session),
            drawing=_drawing(session),
            address=session.address or "unknown address",
            used=ago(now, from_text(session.seen_at)),
            at=session.seen_at,
            here=session.id == here,
            watching=tuple(each for each in playing if each.sign_in == session.id),
        )
        for session in sorted(sessions, key=lambda each: each.id != here)
    ]


def ago(now: datetime, then: datetime) -> str:
    """Say how long ago something was, as roughly as people do."""
    minutes = int((now - then).total_seconds()) // 60
    if minutes < 2:
        return "just now"
    if minutes < 120:
        return f"{minutes} minutes ago"
    if minutes < 48 * 60:
        return f"{minutes // 60} hours ago"
    return f"{minutes // (24 * 60)} days ago"


def _name(session: Session) -> str:
    if session.kind is not Kind.API:
        return devices.name(session.user_agent)
    browser = devices.browser(session.user_agent)
    return f"API token, {browser}" if browser else "API token"


def _drawing(session: Session) -> str:
    if session.kind is Kind.API:
        return "key-round"
    return devices.drawing(session.user_agent)

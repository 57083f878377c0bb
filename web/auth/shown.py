"""Sessions as people know them: which device, where, how long ago."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask_babel import format_timedelta, gettext

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
            address=session.address or gettext("unknown address"),
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
        return str(gettext("just now"))
    if minutes < 120:
        return _in_units("minute", timedelta(minutes=minutes))
    if minutes < 48 * 60:
        return _in_units("hour", timedelta(hours=minutes // 60))
    return _in_units("day", timedelta(days=minutes // (24 * 60)))


def _in_units(unit: str, past: timedelta) -> str:
    told = format_timedelta(
        -past, granularity=unit, threshold=math.inf, add_direction=True
    )
    return str(told)


def _name(session: Session) -> str:
    if session.kind is not Kind.API:
        return devices.name(session.user_agent)
    browser = devices.browser(session.user_agent)
    if browser:
        return str(gettext("API token, %(program)s", program=browser))
    return str(gettext("API token"))


def _drawing(session: Session) -> str:
    if session.kind is Kind.API:
        return "key-round"
    return devices.drawing(session.user_agent)

"""Sessions as people know them: which device, where, how long ago."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from appliance.accounts.sessions import Kind, Session
from appliance.clock import from_text
from appliance.playback.streams import Stream


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


# The first that fits names it: every Edge also says Chrome, every Chrome Safari.
_BROWSERS = (
    (r"Edg(?:e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrome/|CriOS/|Chromium/", "Chrome"),
    (r"Safari/", "Safari"),
    (r"curl/", "curl"),
    (r"python-requests/|Python-urllib/|httpx/", "a Python program"),
)
_SYSTEMS = (
    (r"Tizen|SMART-TV|SmartTV|Web0S|webOS|BRAVIA|AFT\w|CrKey", "a television", "tv"),
    (r"iPad", "iPad", "tablet"),
    (r"iPhone|iPod", "iPhone", "smartphone"),
    (r"Android.*Mobile", "Android", "smartphone"),
    (r"Android", "Android", "tablet"),
    (r"Windows", "Windows", "monitor"),
    (r"Mac OS X|Macintosh", "macOS", "monitor"),
    (r"CrOS", "ChromeOS", "monitor"),
    (r"Linux|X11", "Linux", "monitor"),
)


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
    agent = session.user_agent
    browser = next((name for sign, name in _BROWSERS if re.search(sign, agent)), "")
    system = next((name for sign, name, _ in _SYSTEMS if re.search(sign, agent)), "")
    if session.kind is Kind.API:
        return f"API token, {browser}" if browser else "API token"
    if browser and system:
        return f"{browser} on {system}"
    return browser or system or "Unknown device"


def _drawing(session: Session) -> str:
    if session.kind is Kind.API:
        return "key-round"
    agent = session.user_agent
    return next(
        (drawing for sign, _, drawing in _SYSTEMS if re.search(sign, agent)), "monitor"
    )

"""From a line of a media log, or a watermark on a recording, back to who watched."""

import re
from dataclasses import dataclass

from appliance.db import Database
from appliance.errors import InvalidInput
from appliance.permissions import Action, Actor, check

_MOST = 20
# A token in a path, a query or a header names its session in the fourth field.
_TOKEN = re.compile(
    r"(?<![0-9.])[12]\.[0-9]{1,6}\.[0-9]{10}\.([0-9a-f]{16})\.(?:all|licence|h[0-9]+)\b"
)
# So it stands in the log that nginx writes of media.
_LOGGED = re.compile(r'"session":\s?"([0-9a-f]{16})"')
_CALL = re.compile(r"/playback/([0-9a-f]{16})\b")
# On its own it may be the short form, as the watermark shows it.
_ALONE = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}(?:[0-9a-f]{8})?(?![0-9a-f])")


@dataclass(frozen=True, slots=True)
class Trace:
    """A playback session with everything that says who watched; times are UTC text.

    A ``preview`` was seen in the Studio by who worked on the title.
    """

    session: str
    account: str
    viewer: str
    email: str | None
    profile: str
    title: str
    name: str
    device: str
    address: str
    user_agent: str
    sign_in: str
    started_at: str
    heartbeat_at: str
    ended_at: str | None
    end_reason: str
    preview: bool


def trace(db: Database, actor: Actor, text: str) -> tuple[Trace, ...]:
    """Return the sessions that ``text`` names, the latest first.

    ``text`` is a session's id, the first eight characters of one, a media address, a
    token, or a whole line of an access log. A token is only read: one that has run
    out, or was made up, names its session all the same. Errors: ``InvalidInput``
    where nothing in it looks like a session.
    """
    check(actor, Action.PLAYBACK_MANAGE)
    named = _named(text.lower())
    if not named:
        raise InvalidInput(
            "trace.nothing",
            "There is no playback session in that: give its id, a media address, a"
            " token or a line of an access log.",
        )
    found = [
        Trace(**row | {"preview": bool(row["preview"])})
        for each in named
        for row in db.rows(_TRACE, _range(each))
    ]
    return tuple(sorted(found, key=lambda each: each.started_at, reverse=True)[:_MOST])


def _named(text: str) -> list[str]:
    """Return the sessions, or their beginnings, in the order of how sure they are."""
    for pattern in (_TOKEN, _LOGGED, _CALL, _ALONE):
        found = pattern.findall(text)
        if found:
            return list(dict.fromkeys(found))
    return []


def _range(start: str) -> dict[str, object]:
    """Return the bounds of every id that begins so; a range can use the index."""
    return {"least": start, "most": start + "g", "limit": _MOST}


_TRACE = """
select p.public_id as session, a.username as account, a.display_name as viewer,
    a.email, f.name as profile, t.slug as title, t.name, p.device, p.address,
    p.user_agent, p.sign_in, p.started_at, p.heartbeat_at, p.ended_at, p.end_reason,
    p.preview
from playback_sessions p
join accounts a on a.id = p.account_id
join profiles f on f.id = p.profile_id
join assets m on m.id = p.asset_id
join titles t on t.id = m.title_id
where p.public_id >= :least and p.public_id < :most
order by p.id desc
limit :limit
"""

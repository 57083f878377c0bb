"""Whom alerts are written to as long as nobody has said it.

A machine that is ill must not wait for somebody who would have set up a rule: as soon
as e-mail is sent at all, those who can mend it are told.
"""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from appliance.db import Database
from appliance.events import Event
from appliance.permissions import Role
from appliance.settings import Settings

EVENTS = (Event.ALERT_RAISE, Event.ALERT_CLEAR, Event.HEALTH_CHANGE)

_ADMINISTRATORS = """
select distinct a.email
from accounts a
join role_assignments r on r.account_id = a.id
where r.role = ? and a.state = 'active' and a.email is not null
order by a.email
"""


def usually(
    db: Database, settings: Settings, patterns: Iterable[str]
) -> dict[str, tuple[str, ...]]:
    """Return the addresses of ``mail.alerts`` by each event that no rule names."""
    named = tuple(patterns)
    unsaid = [e for e in EVENTS if not any(fnmatchcase(e, each) for each in named)]
    to = _addresses(db, settings) if unsaid else ()
    return {each.value: to for each in unsaid if to}


def _addresses(db: Database, settings: Settings) -> tuple[str, ...]:
    wanted = settings.mail.alerts
    if wanted == "nobody":
        return ()
    if wanted != "administrators":
        return tuple(each.strip() for each in wanted.split(","))
    rows = db.rows(_ADMINISTRATORS, (Role.ADMINISTRATOR.value,))
    return tuple(row["email"] for row in rows)

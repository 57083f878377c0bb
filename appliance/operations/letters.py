"""Letters: the words of e-mails, as templates that are plain text.

The first line is the subject. What stands in them came from people and files: it stays
on its line, so that nobody writes a header or a letter of their own.
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from appliance.db import Database
from appliance.events import MEANINGS, Event, Recorded
from appliance.settings import Settings

_FOLDER = Path(__file__).parent / "letter_texts"
_USUAL = "en"
_LONGEST = 400
_PLACES = {
    "title": ("titles", "name", "slug", "/studio/titles/{}"),
    "account": ("accounts", "username", "username", "/studio/accounts/{}"),
}
_JOB = "/studio/jobs/{}"
_STATUS = "/studio/status"
_OWN = {
    Event.HEALTH_CHANGE: "health",
    Event.ALERT_RAISE: "alert",
    Event.ALERT_CLEAR: "alert_over",
}
_OF_ALL = "event"


def write(template: str, data: Mapping[str, object], language: str) -> tuple[str, str]:
    """Return subject and body of a letter, in a language that it was written in."""
    named = {name: _said(value) for name, value in data.items()}
    subject, _, body = _template(template, language).render(named).partition("\n")
    return subject.strip(), body.strip() + "\n"


def template_of(event: Recorded) -> str:
    """Return the template of letters about an event."""
    return _OWN.get(Event(event.name), _OF_ALL)


def of_event(db: Database, settings: Settings, event: Recorded) -> dict[str, object]:
    """Return what a letter about an event says: what happened, to what, and where."""
    name, address = _subject(db, event.subject)
    portal = settings.portal.public_url.rstrip("/")
    own = _of_health(event) if event.name == Event.HEALTH_CHANGE else {}
    if event.name in (Event.ALERT_RAISE, Event.ALERT_CLEAR):
        own = dict(event.data)
    return own | {
        "portal": settings.portal.name,
        "what": MEANINGS[Event(event.name)],
        "event": event.name,
        "name": name,
        "by": event.actor,
        "at": event.at,
        "address": f"{portal}{address}" if portal and address else "",
    }


def _subject(db: Database, subject: str) -> tuple[str, str]:
    """Return what an event is about: its name, and where the Studio shows it."""
    noun, _, public_id = subject.partition("/")
    if subject == "system/health":
        return "health", _STATUS
    if noun == "alert":
        return public_id, _STATUS
    if noun == "job":
        name = db.value(
            """
            select titles.name from jobs
            join assets on assets.id = jobs.asset_id
            join titles on titles.id = assets.title_id
            where jobs.public_id = ?
            """,
            (public_id,),
        )
        return name or subject, _JOB.format(public_id)
    if noun not in _PLACES:
        return subject, ""
    table, called, key, address = _PLACES[noun]
    row = db.one(
        f"select {called} as name, {key} as key from {table} where public_id = ?",
        (public_id,),
    )
    return (row["name"], address.format(row["key"])) if row else (subject, "")


@lru_cache(maxsize=64)
def _template(name: str, language: str) -> Template:
    places = Environment(
        loader=FileSystemLoader([_FOLDER]),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        autoescape=False,  # noqa: S701 plain text
    )
    return places.select_template([f"{name}.{language}.txt", f"{name}.{_USUAL}.txt"])


def _of_health(event: Recorded) -> dict[str, object]:
    """Return what changed in lines, the failures first."""
    changes = sorted(
        event.data["changes"],
        key=lambda each: ("fail", "warn", "ok").index(each["level"]),
    )
    return {
        "failures": event.data["failures"],
        "warnings": event.data["warnings"],
        "changes": [
            f"{each['level'].upper()} {each['id']} (was {each['before']}):"
            f" {each['sentence']}{' – fix: ' if each['fix'] else ''}{each['fix']}"
            for each in changes
        ],
    }


def _said(value: object) -> str | list[str]:
    return [_line(each) for each in value] if isinstance(value, list) else _line(value)


def _line(value: object) -> str:
    text = " ".join(str(value).split())
    return "".join(each for each in text if each.isprintable())[:_LONGEST]

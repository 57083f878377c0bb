"""The audit log in the Studio: who did what, newest first, and as a table to keep."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flask import Response, render_template, request, stream_with_context

from appliance import events
from appliance.access import moments
from appliance.catalog.tables import sheets
from appliance.errors import InvalidInput
from appliance.events import Event, Recorded
from appliance.permissions import Action
from web import context, guard
from web.studio import forms

_PER_PAGE, _PER_READ = 100, 1000
_COLUMNS = ("id", "at", "event", "who", "address", "subject", "data", "request")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, as it was typed; ``problem`` says what is wrong with it."""

    event: Event | None
    who: str
    subject: str
    begins: str
    ends: str
    problem: str = ""

    def query(self) -> dict[str, Any]:
        """Return the part of an address that asks for the same."""
        return {
            "event": self.event,
            "who": self.who or None,
            "subject": self.subject or None,
            "from": self.begins or None,
            "until": self.ends or None,
        }


@guard.needs(Action.AUDIT_READ)
def index() -> str | tuple[str, int]:
    wanted = _wanted()
    found = [] if wanted.problem else _found(wanted, _before(), _PER_PAGE + 1)
    more = found[_PER_PAGE - 1].id if len(found) > _PER_PAGE else None
    page = render_template(
        "studio/audit.html",
        recorded=found[:_PER_PAGE],
        more=more,
        wanted=wanted,
        meanings=events.MEANINGS,
    )
    return (page, 400) if wanted.problem else page


@guard.needs(Action.AUDIT_READ)
def table() -> Response:
    """All that is asked for, newest first; no cell of it runs in a spreadsheet."""
    wanted = _wanted()
    if wanted.problem:
        raise InvalidInput("time.invalid", wanted.problem)
    lines = stream_with_context(sheets.write(_rows(wanted), excel=True))
    response = Response(lines, mimetype="text/csv")
    response.headers["Content-Disposition"] = 'attachment; filename="audit.csv"'
    return response


def _rows(wanted: Wanted) -> Iterator[tuple[str, ...]]:
    yield _COLUMNS
    cursor: int | None = None
    while found := _found(wanted, cursor, _PER_READ):
        for each in found:
            data = json.dumps(each.data, ensure_ascii=False) if each.data else ""
            yield (
                *(str(each.id), each.at, each.name, each.actor),
                *(each.address, each.subject, data, each.request),
            )
        cursor = found[-1].id


def _found(wanted: Wanted, cursor: int | None, limit: int) -> list[Recorded]:
    begins, ends = moments.span(wanted.begins, wanted.ends)
    return events.before(
        context.db(),
        cursor,
        name=wanted.event,
        actor=wanted.who,
        subject=wanted.subject,
        begins=begins or "",
        ends=ends or "",
        limit=limit,
    )


def _wanted() -> Wanted:
    event = forms.one_of(Event, "event")
    who, subject, begins, ends = (
        request.args.get(name, "").strip()[:100]
        for name in ("who", "subject", "from", "until")
    )
    try:
        moments.span(begins, ends)
    except InvalidInput as error:
        return Wanted(event, who, subject, begins, ends, error.message)
    return Wanted(event, who, subject, begins, ends)


def _before() -> int | None:
    text = request.args.get("before", "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None

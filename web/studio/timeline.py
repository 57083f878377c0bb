"""Windows of titles: those of one title edited, those of all on a timeline."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import flash, redirect, render_template, request, url_for
from flask_babel import format_date
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance import clock, media_checks
from appliance.access import availability, countries, timeline
from appliance.access.availability import Listed
from appliance.access.timeline import Line
from appliance.accounts import groups
from appliance.catalog import sieve, titles
from appliance.catalog.titles import Title
from appliance.errors import InvalidInput
from appliance.permissions import Action, check_title
from web import context, guard
from web.studio import forms

Answer = str | Response | tuple[str, int]
_PER_PAGE = 40
_SPANS = (3, 6, 12, 24)
WIDTH = 1000


@dataclass(frozen=True, slots=True)
class Bar:
    """A window as it is drawn: where it begins and how long it is, in thousandths."""

    x: float
    width: float
    kind: str
    window: Listed


@dataclass(frozen=True, slots=True)
class Month:
    """A month of the timeline, where it begins."""

    x: float
    words: str


@guard.needs(Action.STUDIO_SEE)
def index() -> str:
    """Show the windows of a stretch of months, as bars and as a table."""
    db, actor, page = context.db(), context.actor(), forms.page()
    months = request.args.get("months", 6, type=int)
    months = months if months in _SPANS else 6
    begins = _month(request.args.get("from", ""), db.clock.now())
    ends = _later(begins, months)
    span = (clock.to_text(begins), clock.to_text(ends))
    total = timeline.count(db, actor, *span)
    found = timeline.lines(
        db, actor, *span, limit=_PER_PAGE, offset=(page - 1) * _PER_PAGE
    )
    now = _place(clock.to_text(db.clock.now()), begins, ends)
    return render_template(
        "studio/timeline.html",
        lines=[(each, _bars(each, begins, ends, db.now())) for each in found],
        total=total,
        months=[
            Month(
                _place(clock.to_text(_later(begins, each)), begins, ends),
                format_date(_later(begins, each), "MMM yy"),
            )
            for each in range(months)
            if months <= 12 or each % 3 == 0
        ],
        now=now if 0 <= now <= WIDTH else None,
        width=WIDTH,
        span=months,
        spans=_SPANS,
        begins=f"{begins:%Y-%m}",
        before=f"{_later(begins, -months):%Y-%m}",
        after=f"{ends:%Y-%m}",
        page=page,
        pages=max(1, -(-total // _PER_PAGE)),
        country=countries.name,
    )


@guard.needs(Action.STUDIO_SEE)
def windows(slug: str) -> str:
    return _windows(_editable(slug))


@guard.needs(Action.TITLE_EDIT)
def add(slug: str) -> Answer:
    title = _editable(slug)
    try:
        availability.add(context.db(), context.actor(), slug, **_typed())
    except InvalidInput as error:
        return _windows(title, error), 400
    flash(_("The window is open as you say."), "ok")
    return redirect(url_for("studio.windows", slug=slug))


@guard.needs(Action.TITLE_EDIT)
def change(slug: str, window: str) -> Answer:
    """Put what was typed in the place of a window, or take it away."""
    title = _editable(slug)
    db, actor = context.db(), context.actor()
    if availability.by_id(db, window).title != title.slug:
        raise InvalidInput("window.title", _("That window is of another title."))
    if request.form.get("act") == "remove":
        availability.remove(db, actor, window)
        flash(_("The window is removed."), "ok")
        return redirect(url_for("studio.windows", slug=slug))
    try:
        availability.replace(db, actor, window, **_typed())
    except InvalidInput as error:
        return _windows(title, error, window), 400
    flash(_("Saved."), "ok")
    return redirect(url_for("studio.windows", slug=slug))


def _windows(title: Title, error: InvalidInput | None = None, window: str = "") -> str:
    db = context.db()
    return render_template(
        "studio/windows.html",
        title=title,
        stage=sieve.stage_of(db, title.id),
        windows=availability.listing(db, title.slug),
        groups=[each.name for each in groups.listing(db)],
        heights=media_checks.HEIGHTS,
        error=error,
        wrong=error.details.get("field", "") if error else "",
        window=window,
        typed=request.form if error else {},
        as_typed=as_typed,
    )


def as_typed(window: Listed) -> dict[str, str]:
    """Return a window as its form shows it."""
    return {
        "starts_at": (window.starts_at or "")[:16],
        "ends_at": (window.ends_at or "")[:16],
        "group": window.group or "",
        "territories": ", ".join(window.territories),
        "max_height": str(window.max_height or ""),
    }


def _typed() -> dict[str, Any]:
    height = request.form.get("max_height", "").strip()
    if height and not (height.isascii() and height.isdecimal() and len(height) < 6):
        raise InvalidInput(
            "window.height",
            _("The greatest height is a number of lines such as 1080."),
            {"field": "max_height"},
        )
    return {
        "starts_at": request.form.get("starts_at", ""),
        "ends_at": request.form.get("ends_at", ""),
        "group": request.form.get("group", ""),
        "territories": request.form.get("territories", "").split(","),
        "max_height": int(height) if height else None,
    }


def _bars(line: Line, begins: datetime, ends: datetime, now: str) -> list[Bar]:
    bars = []
    for window in line.windows:
        start = _place(window.starts_at, begins, ends) if window.starts_at else 0.0
        stop = _place(window.ends_at, begins, ends) if window.ends_at else WIDTH
        start, stop = max(0.0, start), min(float(WIDTH), stop)
        if stop <= start:
            continue
        kind = "ahead" if (window.starts_at or "") > now else "open"
        if window.ends_at and window.ends_at <= now:
            kind = "over"
        bars.append(Bar(round(start, 1), round(max(4, stop - start), 1), kind, window))
    return bars


def _place(moment: str, begins: datetime, ends: datetime) -> float:
    """Return where a moment stands between two, in thousandths."""
    return round(WIDTH * ((clock.from_text(moment) - begins) / (ends - begins)), 1)


def _month(text: str, now: datetime) -> datetime:
    """Return the beginning of a month as 2026-02; else of the one that was last."""
    try:
        found = datetime.strptime(text, "%Y-%m").replace(tzinfo=UTC)
    except ValueError:
        found = (now.replace(day=1) - timedelta(days=1)).replace(tzinfo=UTC)
    if not 1970 <= found.year <= 2200:
        found = now
    return found.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _later(moment: datetime, months: int) -> datetime:
    years, month = divmod(moment.month - 1 + months, 12)
    return moment.replace(year=moment.year + years, month=month + 1)


def _editable(slug: str) -> Title:
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    return title

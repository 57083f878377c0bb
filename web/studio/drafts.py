"""The title that a film on its way is for: a new one, a part, or one that waits."""

from collections.abc import Mapping
from typing import Any

from flask_babel import gettext as _

from appliance.catalog import titles
from appliance.catalog.kinds import CONTAINERS, EXTRAS, Kind
from appliance.catalog.titles import Title
from appliance.db import Database, write
from appliance.errors import InvalidInput
from appliance.media import assets, sources
from appliance.permissions import Actor, check_title
from appliance.settings import Settings


def title_for(
    db: Database,
    settings: Settings,
    actor: Actor,
    filename: str,
    said: Mapping[str, str],
) -> Title:
    """Return the title a film is for, made where there is none yet.

    ``said`` is what the page knows: ``title`` an existing one, ``as`` what the film is
    to it, ``series`` a slug or name with ``season`` and ``episode``, ``name``,
    ``year`` and ``language``. Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    kind, slug = said.get("as", ""), said.get("title", "")
    described: dict[str, Any] = {
        "year": said.get("year", "").strip() or None,
        "language": said.get("language", "").strip(),
        "protected": settings.protection.protect_new,
    }
    name = said.get("name", "").strip()
    if slug:
        whole = _editable(db, actor, slug)
        if kind in EXTRAS:
            called = name or sources.name_of(filename)
            return titles.create(
                db, actor, called, kind=kind, parent=whole.slug, **described
            )
        if whole.kind not in CONTAINERS:
            return whole
        return _episode(db, actor, whole, said, name, described)
    if kind == Kind.EPISODE:
        with write(db):
            whole = _series(db, actor, said.get("series", ""))
            return _episode(db, actor, whole, said, name, described)
    if kind in EXTRAS:
        whole = _editable(db, actor, said.get("series", ""))
        return titles.create(
            *(db, actor, name or sources.name_of(filename)),
            kind=kind,
            parent=whole.slug,
            **described,
        )
    return titles.create(db, actor, name or sources.name_of(filename), **described)


def _episode(
    db: Database,
    actor: Actor,
    whole: Title,
    said: Mapping[str, str],
    name: str,
    described: dict[str, Any],
) -> Title:
    """Return the episode that stands there without a film, else a new one."""
    season, number = said.get("season", "").strip(), said.get("episode", "").strip()
    waiting = _waiting(db, whole, season or "1", number)
    if waiting is not None:
        if assets.of_title(db, waiting.id):
            raise InvalidInput(
                "upload.taken",
                _(
                    "Episode %(number)s of season %(season)s has a film already:"
                    " replace it on the page of “%(name)s”.",
                    number=number,
                    season=season or 1,
                    name=waiting.name,
                ),
                {"field": "episode"},
            )
        return waiting
    described = {
        **described,
        # As typed: what is no number is refused with a sentence of its own.
        "season_number": season or None,
        "episode_number": number or None,
    }
    return titles.create(
        *(db, actor),
        name or _("Episode %(number)s", number=number or "?"),
        kind=Kind.EPISODE,
        parent=whole.slug,
        **described,
    )


def _waiting(db: Database, whole: Title, season: str, number: str) -> Title | None:
    if not (season.isdecimal() and number.isdecimal() and len(season + number) < 12):
        return None
    found = db.value(
        """
        select id from titles
        where parent_id = ? and season_number = ? and episode_number = ?
            and kind = 'episode' and removed_at is null
        """,
        (whole.id, int(season), int(number)),
    )
    return None if found is None else titles.by_id(db, int(found))


def _series(db: Database, actor: Actor, named: str) -> Title:
    """Return a series by its slug or name; one that is not there is made."""
    wanted = " ".join(named.split())
    if not wanted:
        raise InvalidInput(
            "upload.series",
            _("Say which series the episode belongs to."),
            {"field": "series"},
        )
    found = db.value(
        """
        select slug from titles
        where (slug = :named or name = :named collate nocase)
            and kind in ('series', 'course') and removed_at is null
        order by slug = :named desc, id limit 1
        """,
        {"named": wanted},
    )
    if found is not None:
        return _editable(db, actor, str(found))
    return titles.create(db, actor, wanted, kind=Kind.SERIES)


def _editable(db: Database, actor: Actor, slug: str) -> Title:
    title = titles.by_slug(db, actor, slug)
    check_title(actor, title.created_by)
    return title

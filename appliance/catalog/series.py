"""Seasons and episodes of a series, and those of a course."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from appliance.catalog import fields, titles
from appliance.catalog.kinds import CONTAINERS, Kind
from appliance.catalog.titles import Title
from appliance.db import Database, Row, write
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check_title


@dataclass(frozen=True, slots=True)
class Season:
    """One season with the episodes somebody may see; 0 holds the specials.

    ``name`` is empty where nobody gave one, ``poster`` the public id of a picture.
    ``revision`` counts changes of its description; 0 before there is any.
    """

    number: int
    name: str
    synopsis: str
    year: int | None
    poster: str | None
    episodes: tuple[Title, ...]
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Place:
    """Where an episode is to stand."""

    slug: str
    season: int
    number: int


def seasons(db: Database, actor: Actor, series: Title) -> tuple[Season, ...]:
    """Return the seasons of a series in their order, specials last.

    Viewers see those that have an episode for them; who edits sees empty ones too.
    """
    described = {
        row["number"]: row
        for row in db.rows("select * from seasons where title_id = ?", (series.id,))
    }
    found = {
        number: tuple(episodes)
        for number, episodes in groupby(
            _episodes(db, actor, series), key=lambda each: each.season_number or 0
        )
    }
    numbers = set(found)
    if _edits(actor, series):
        numbers |= set(described)
    return tuple(
        _season(number, described.get(number, {}), found.get(number, ()))
        for number in sorted(numbers, key=_specials_last)
    )


def neighbours(
    db: Database, actor: Actor, episode: Title
) -> tuple[Title | None, Title | None]:
    """Return the episodes before and after one, across seasons; specials come last."""
    if episode.parent_id is None or episode.kind is not Kind.EPISODE:
        return None, None
    around = _episodes(db, actor, titles.by_id(db, episode.parent_id))
    place = next((i for i, each in enumerate(around) if each.id == episode.id), None)
    if place is None:
        return None, None
    return (
        around[place - 1] if place else None,
        around[place + 1] if place + 1 < len(around) else None,
    )


def describe_season(
    db: Database,
    actor: Actor,
    slug: str,
    number: int,
    *,
    revision: int | None = None,
    **changes: object,
) -> Season:
    """Make a season, or change its ``name``, ``synopsis`` or ``year``.

    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``; ``Conflict`` when somebody
    changed it since ``revision``.
    """
    cleaned = _clean(number, changes)
    with write(db):
        series = _container(db, actor, slug)
        kept = _row(db, series.id, number)
        if revision is not None and revision != (kept["revision"] if kept else 0):
            raise Conflict(
                "season.changed",
                f"Somebody else changed season {number} while you wrote: compare, and"
                " save again to keep yours.",
                {"revision": kept["revision"] if kept else 0},
            )
        if kept is None:
            row = {"public_id": secrets.token_hex(8), "title_id": series.id}
            db.table("seasons").insert({**row, "number": number, **cleaned})
        elif any(kept[each] != value for each, value in cleaned.items()):
            _write(db, kept, cleaned)
        else:
            return season(db, actor, series, number)
        _record(db, actor, series, "changed" if kept else "made", number)
        return season(db, actor, series, number)


def remove_season(db: Database, actor: Actor, slug: str, number: int) -> None:
    """Remove the description of a season that has no episodes.

    Errors: ``Conflict`` while it has, ``NotFound``, ``Forbidden``.
    """
    with write(db):
        series = _container(db, actor, slug)
        if _row(db, series.id, number) is None:
            raise _missing(series, number)
        if db.value(
            """
            select 1 from titles
            where parent_id = ? and kind = 'episode' and season_number = ? limit 1
            """,
            (series.id, number),
        ):
            raise Conflict(
                "season.episodes",
                f"Season {number} has episodes, perhaps in the trash: move or remove"
                " them first.",
            )
        db.conn.execute(
            "delete from seasons where title_id = ? and number = ?",
            (series.id, number),
        )
        _record(db, actor, series, "removed", number)


def arrange(
    db: Database,
    actor: Actor,
    slug: str,
    places: Sequence[Place],
    *,
    revision: int | None = None,
) -> tuple[Season, ...]:
    """Put episodes of a series where ``places`` say, all or none.

    Episodes not named stay where they are.
    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``; ``Conflict`` when somebody
    changed the order since ``revision``, which is that of the series.
    """
    for each in places:
        fields.clean({"season_number": each.season, "episode_number": each.number})
    with write(db):
        series = _container(db, actor, slug)
        if revision is not None and revision != series.revision:
            raise Conflict(
                "series.changed",
                f"Somebody else changed “{series.name}” while you arranged it: look"
                " again, and repeat what is still missing.",
                {"revision": series.revision},
            )
        standing = {each.slug: each for each in _episodes(db, actor, series)}
        moved = _moved(standing, places, series)
        for episode, place in moved:
            db.conn.execute(
                """
                update titles set season_number = ?, episode_number = ?,
                    revision = revision + 1, updated_at = ?
                where id = ?
                """,
                (place.season, place.number, db.now(), episode.id),
            )
        if moved:
            _refuse_twins(db, series)
            db.conn.execute(
                "update titles set revision = revision + 1 where id = ?", (series.id,)
            )
            _record(db, actor, series, "arranged", None, episodes=len(moved))
        return seasons(db, actor, titles.by_id(db, series.id))


def season(db: Database, actor: Actor, series: Title, number: int) -> Season:
    """Return one season. Errors: ``NotFound``."""
    for each in seasons(db, actor, series):
        if each.number == number:
            return each
    raise _missing(series, number)


def show_poster(
    db: Database, actor: Actor, slug: str, number: int, poster: str | None
) -> None:
    """Let a season show a picture, inside the transaction that is open."""
    series = _container(db, actor, slug)
    kept = _row(db, series.id, number)
    if kept is None:
        describe_season(db, actor, slug, number)
        kept = _row(db, series.id, number)
    assert kept is not None
    _write(db, kept, {"poster": poster})


def _container(db: Database, actor: Actor, slug: str) -> Title:
    series = titles.by_slug(db, actor, slug)
    check_title(actor, series.created_by)
    if series.kind not in CONTAINERS:
        raise InvalidInput(
            "season.no-series",
            f"“{series.name}” is no series and no course: it has no seasons.",
        )
    return series


def _episodes(db: Database, actor: Actor, series: Title) -> list[Title]:
    parts = titles.children(db, actor, series)
    return [each for each in parts if each.kind is Kind.EPISODE]


def _edits(actor: Actor, series: Title) -> bool:
    own = actor.account_id is not None and actor.account_id == series.created_by
    return actor.may(Action.TITLE_EDIT_OWN if own else Action.TITLE_EDIT)


def _season(
    number: int, row: Mapping[str, object], episodes: tuple[Title, ...]
) -> Season:
    year, poster = row.get("year"), row.get("poster")
    return Season(
        number=number,
        name=str(row.get("name", "")),
        synopsis=str(row.get("synopsis", "")),
        year=year if isinstance(year, int) else None,
        poster=str(poster) if poster else None,
        episodes=episodes,
        revision=int(str(row.get("revision", 0))),
    )


def _specials_last(number: int) -> tuple[bool, int]:
    return number == 0, number


def _clean(number: int, changes: Mapping[str, object]) -> dict[str, object]:
    fields.clean({"season_number": number})
    for each in changes:
        if each not in ("name", "synopsis", "year"):
            raise InvalidInput(
                f"season.{each}", f"A season has no field “{each}”.", {"field": each}
            )
    # A season may do without a name, where a title may not.
    given = {each: value for each, value in changes.items() if each != "name"}
    cleaned: dict[str, object] = dict(fields.clean(given))
    if "name" in changes:
        named = fields.clean({"original_name": changes["name"]})
        cleaned["name"] = named["original_name"]
    return cleaned


def _row(db: Database, series_id: int, number: int) -> Row | None:
    return db.one(
        "select * from seasons where title_id = ? and number = ?", (series_id, number)
    )


def _write(db: Database, kept: Row, columns: Mapping[str, object]) -> None:
    db.table("seasons").update(
        kept["id"], {**columns, "revision": kept["revision"] + 1}
    )


def _moved(
    standing: Mapping[str, Title], places: Sequence[Place], series: Title
) -> list[tuple[Title, Place]]:
    moved = []
    for place in places:
        episode = standing.get(place.slug)
        if episode is None:
            raise NotFound(
                "episode.missing", f"“{series.name}” has no episode “{place.slug}”."
            )
        if (place.season, place.number) != (
            episode.season_number,
            episode.episode_number,
        ):
            moved.append((episode, place))
    return moved


def _refuse_twins(db: Database, series: Title) -> None:
    twin = db.one(
        """
        select season_number, episode_number from titles
        where parent_id = ? and kind = 'episode' and removed_at is null
        group by season_number, episode_number having count(*) > 1 limit 1
        """,
        (series.id,),
    )
    if twin is not None:
        raise InvalidInput(
            "season.order",
            "Two episodes would be number {episode_number} of season"
            " {season_number}.".format(**twin),
            {"field": "order"},
        )


def _missing(series: Title, number: int) -> NotFound:
    return NotFound("season.missing", f"“{series.name}” has no season {number}.")


def _record(
    db: Database,
    actor: Actor,
    series: Title,
    change: str,
    number: int | None,
    **data: object,
) -> None:
    about = {} if number is None else {"season": number}
    record(
        db,
        actor,
        Event.SEASON_CHANGE,
        f"title/{series.public_id}",
        change=change,
        **about,
        **data,
    )

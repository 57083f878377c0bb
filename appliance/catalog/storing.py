"""How the fields of a title become rows: its own, and those it shares with others."""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from appliance import ratings
from appliance.catalog import credits, slugs, translations
from appliance.catalog.kinds import (
    CONTAINERS,
    PARTS,
    WORDS,
    Kind,
    refusal,
    require_place,
)
from appliance.catalog.title import Title, TitleState
from appliance.catalog.topics import genres, tags
from appliance.db import Database
from appliance.errors import Conflict, NotFound
from appliance.events import Event
from appliance.permissions import Actor

# Fields with rows of their own, and what writes them.
_SHARED: Mapping[str, Callable[[Database, int, Any], None]] = {
    "genres": genres.assign,
    "tags": tags.assign,
    "credits": credits.assign,
    "translations": translations.assign,
}


def insert(db: Database, actor: Actor, cleaned: dict[str, Any], named: str) -> int:
    """Write a new title, inside the transaction that is open; return its key.

    ``named`` is what its slug is made of.
    """
    _require_named(db, cleaned)
    _refuse_taken(db, cleaned, but=0)
    now = db.now()
    row = {
        **_columns(cleaned),
        "public_id": secrets.token_hex(8),
        "slug": slugs.unique(db, named),
        "state": _first_state(cleaned["kind"]),
        "created_by": actor.account_id,
        "created_at": now,
        "updated_at": now,
    }
    title_id = int(db.table("titles").insert(row).last_pk or 0)
    _assign(db, title_id, cleaned)
    return title_id


def update(db: Database, title_id: int, changed: dict[str, Any]) -> None:
    """Write changed fields of a title, inside the transaction that is open."""
    _require_named(db, changed)
    _refuse_taken(db, changed, but=title_id)
    columns = _columns(changed) | {"updated_at": db.now()}
    if "kind" in changed:
        _follow_kind(db, title_id, changed["kind"])
    db.table("titles").update(title_id, columns)
    db.conn.execute(
        "update titles set revision = revision + 1 where id = ?", (title_id,)
    )
    _assign(db, title_id, changed)


def as_stored(db: Database, title_id: int, field: str) -> Any:
    """Return tags, credits or translations of a title as they stand."""
    if field == "tags":
        return tuple(each.name for each in tags.of_title(db, title_id))
    if field == "credits":
        return credits.as_given(db, title_id)
    return translations.of_title(db, title_id)


def place(
    db: Database, cleaned: dict[str, Any], container: Title | None, *, but: int
) -> None:
    """Put a title where its fields say, or refuse; its numbers are filled in."""
    kind, season = cleaned["kind"], cleaned["season_number"]
    require_place(kind, container, season, cleaned["episode_number"])
    cleaned["parent_id"] = container.id if container else None
    if container is None or kind is not Kind.EPISODE:
        return
    season = cleaned["season_number"] = 1 if season is None else season
    if cleaned["episode_number"] is None:
        cleaned["episode_number"] = _free_number(db, container.id, season)
    _refuse_twin(db, container.id, season, cleaned["episode_number"], but=but)


def called(cleaned: Mapping[str, Any], container: Title | None) -> str:
    """Return what the slug of a title is made of: an episode has that of its series."""
    name = str(cleaned["name"])
    if container is None:
        return name
    season, number = cleaned["season_number"], cleaned["episode_number"]
    place = f"s{season}e{number} " if cleaned["kind"] is Kind.EPISODE else ""
    return f"{container.slug[:40]} {place}{name}"


def overtaken(db: Database, title: Title) -> Conflict:
    """Say who changed a title while somebody else wrote."""
    last = db.one(
        """
        select actor_name, at from events
        where subject = ? and name = ? order by id desc limit 1
        """,
        (f"title/{title.public_id}", Event.TITLE_UPDATE.value),
    )
    who = last["actor_name"] if last else ""
    return Conflict(
        "title.changed",
        f"{who or 'Somebody else'} changed “{title.name}” while you wrote: compare,"
        " and save again to keep yours.",
        {
            "revision": title.revision,
            "by": who,
            "at": last["at"] if last else title.updated_at,
        },
    )


def refuse_losing(db: Database, title: Title, kind: Kind) -> None:
    """Refuse a kind that could not have the parts or the film that a title has."""
    was_whole = title.kind in CONTAINERS and kind not in CONTAINERS
    if was_whole and title.state is TitleState.PUBLISHED:
        raise refusal("kind", f"Unpublish the {WORDS[title.kind]} first.")
    parts = db.conn.execute(
        "select kind, min(name) from titles where parent_id = ? group by kind",
        (title.id,),
    )
    held = dict(parts.fetchall())
    if Kind.EPISODE in held and kind not in CONTAINERS:
        raise refusal("kind", "It has episodes: move or remove them first.")
    if held and kind in PARTS:
        name = min(held.values())
        raise refusal("kind", f"“{name}” belongs to it: move or remove that first.")
    if kind not in CONTAINERS:
        return
    if db.value("select 1 from assets where title_id = ? limit 1", (title.id,)):
        raise refusal(
            "kind", f"It has a film of its own, which a {WORDS[kind]} has not."
        )


def _free_number(db: Database, parent_id: int, season: int) -> int:
    """Return the number that the next episode of a season has."""
    last = db.value(
        """
        select max(episode_number) from titles
        where parent_id = ? and season_number = ? and kind = 'episode'
            and removed_at is null
        """,
        (parent_id, season),
    )
    return 1 if last is None else int(last) + 1


def _refuse_twin(
    db: Database, parent_id: int, season: int, number: int, *, but: int
) -> None:
    """Refuse the number of another episode; what is in the trash does not count."""
    twin = db.value(
        """
        select name from titles
        where parent_id = ? and season_number = ? and episode_number = ?
            and kind = 'episode' and id != ? and removed_at is null
        """,
        (parent_id, season, number, but),
    )
    if twin is not None:
        raise refusal(
            "episode_number",
            f"Episode {number} of season {season} is “{twin}”: choose another number.",
        )


def _first_state(kind: Kind) -> str:
    """Return where a title begins: what has no film of its own is ready at once."""
    return "ready" if kind in CONTAINERS else "draft"


def _follow_kind(db: Database, title_id: int, kind: Kind) -> None:
    """Let a title without a film be ready or a draft, as its new kind wants it."""
    if kind in CONTAINERS:
        before, after = "draft", "ready"
    else:
        before, after = "ready", "draft"
    db.conn.execute(
        """
        update titles set state = ?
        where id = ? and state = ?
            and not exists (select 1 from assets where title_id = titles.id)
        """,
        (after, title_id, before),
    )


def _require_named(db: Database, changed: Mapping[str, Any]) -> None:
    """Refuse the licence policy or library that somebody has just removed."""
    for column, table, words in (
        ("policy_id", "licence_policies", "licence policy"),
        ("library_id", "libraries", "library"),
    ):
        named = changed.get(column)
        if named is None or db.value(f"select 1 from {table} where id = ?", (named,)):
            continue
        raise NotFound(
            f"{words.split()[-1]}.missing",
            f"That {words} has been removed: choose another.",
        )


def _refuse_taken(db: Database, changed: Mapping[str, Any], *, but: int) -> None:
    external_id = changed.get("external_id")
    if external_id is None:
        return
    taken = db.value(
        "select name from titles where external_id = ? and id != ?", (external_id, but)
    )
    if taken is not None:
        raise refusal("external_id", f"“{taken}” has this external id already.")


def _assign(db: Database, title_id: int, fields: Mapping[str, Any]) -> None:
    for field, write in _SHARED.items():
        if field in fields:
            write(db, title_id, fields[field])


def _columns(cleaned: dict[str, Any]) -> dict[str, Any]:
    """Return the fields as their columns hold them."""
    stored: Mapping[str, Callable[[Any], Any]] = {
        "protected": int,
        "key_systems": json.dumps,
        "scheme": lambda scheme: scheme or "",
        "kind": str,
    }
    columns = {
        name: stored[name](value) if name in stored else value
        for name, value in cleaned.items()
        if name not in _SHARED
    }
    if "rating" in cleaned:
        columns["age"] = ratings.age(cleaned["rating"])
    return columns

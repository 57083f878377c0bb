"""The index of the search: brought up to what changed, a few titles at a time.

Triggers note whose words changed (``search_due``). Until that is done, a title is found
by the name and synopsis that SQLite indexes itself.
"""

import logging
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appliance.captions import markup
from appliance.captions.cues import Cue
from appliance.db import Database, write
from appliance.discovery import folding
from appliance.errors import MatineeError
from appliance.media import assets, caption_switch, caption_tracks
from appliance.media.tracks import Track
from appliance.objects import Stores

_BATCH = 200
_SHORTEST, _LONGEST = 3, 30
_MOST_CUES = 20_000

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is said in a film: new tracks with their cues, and all that count now."""

    served: tuple[str, ...]
    new: tuple[tuple[Track, tuple[Cue, ...]], ...]


def catch_up(db: Database, stores: Stores, seconds: float = 60.0) -> int:
    """Index what is due, for so long at most; return how many titles and people."""
    deadline = time.monotonic() + seconds
    done = 0
    while due := db.rows("select kind, id from search_due limit ?", (_BATCH,)):
        people = [each["id"] for each in due if each["kind"] == "person"]
        titles = [each["id"] for each in due if each["kind"] == "title"]
        # Files may lie far away: they are read before anybody is kept from writing.
        heard = {title: _heard(db, stores, title) for title in titles}
        with write(db):
            _people(db, people)
            for title, spoken in heard.items():
                _title(db, title)
                _spoken(db, title, spoken)
            db.conn.executemany(
                "delete from search_due where kind = ? and id = ?",
                [(each["kind"], each["id"]) for each in due],
            )
        done += len(due)
        if time.monotonic() >= deadline:
            break
    return done


def rebuild(db: Database) -> int:
    """Say that everything is to be indexed anew; return how much that is."""
    with write(db):
        for table in ("search_documents", "search_names", "search_people"):
            db.conn.execute(f"delete from {table}")
        db.conn.execute("delete from search_words")
        db.conn.execute("delete from spoken")
        db.conn.execute(
            """
            insert into search_due (kind, id)
            select 'title', id from titles union all select 'person', id from people
            where true on conflict do nothing
            """
        )
        return int(db.value("select count(*) from search_due"))


def waiting(db: Database) -> int:
    """Return how many titles and people are still to be indexed."""
    return int(db.value("select count(*) from search_due"))


def _title(db: Database, title_id: int) -> None:
    for table in ("search_documents", "search_names"):
        db.conn.execute(f"delete from {table} where title_id = ?", (title_id,))
    row = db.one(_WORDS, (title_id,))
    if row is None:
        return
    names = [row["name"], row["original_name"], *_lines(row["names"])]
    folded = list(dict.fromkeys(filter(None, map(folding.fold, names))))
    people, tags = folding.fold(row["people"] or ""), folding.fold(row["tags"] or "")
    db.conn.execute(
        """
        insert into search_documents (title_id, names, people, tags, synopsis)
        values (?, ?, ?, ?, ?)
        """,
        (title_id, "\n".join(folded), people, tags, folding.fold(row["synopsis"])),
    )
    db.conn.executemany(
        "insert into search_names (name, title_id) values (?, ?)",
        [(name, title_id) for name in folded],
    )
    _learn(db, [*folded, people, tags])


def _people(db: Database, ids: Sequence[int]) -> None:
    for person in ids:
        db.conn.execute("delete from search_people where person_id = ?", (person,))
        name = db.value("select name from people where id = ?", (person,))
        if name is not None:
            folded = folding.fold(name)
            db.conn.execute(
                "insert into search_people (person_id, name) values (?, ?)",
                (person, folded),
            )
            _learn(db, [folded])


def _learn(db: Database, texts: Iterable[str]) -> None:
    """Keep words that somebody may misspell, with the threes of letters they share."""
    for word in {each for text in texts for each in folding.words(text)}:
        if not _SHORTEST <= len(word) <= _LONGEST or word.isdigit():
            continue
        made = db.conn.execute(
            "insert into search_words (word) values (?) on conflict do nothing", (word,)
        )
        if made.rowcount:
            db.conn.executemany(
                "insert into search_grams (gram, word_id) values (?, ?)",
                [(gram, made.lastrowid) for gram in sorted(folding.grams(word))],
            )


def _heard(db: Database, stores: Stores, title_id: int) -> _Heard:
    film = assets.playable(db, title_id)
    served = caption_switch.of_film(db, film) if film else []
    rows = db.rows("select distinct track from spoken where title_id = ?", (title_id,))
    known = {row["track"] for row in rows}
    return _Heard(
        tuple(track.public_id for track in served),
        tuple(
            (track, _cues(stores, track))
            for track in served
            if track.public_id not in known
        ),
    )


def _cues(stores: Stores, track: Track) -> tuple[Cue, ...]:
    try:
        return tuple(caption_tracks.cues(stores, track).cues[:_MOST_CUES])
    except (MatineeError, OSError) as error:
        # The film plays without its captions, and is found without them.
        logger.warning("captions %s are not indexed: %s", track.public_id, error)
        return ()


def _spoken(db: Database, title_id: int, heard: _Heard) -> None:
    kept = ", ".join("?" for _ in heard.served)
    db.conn.execute(
        f"delete from spoken where title_id = ? and track not in ({kept})",
        (title_id, *heard.served),
    )
    if not db.value("select 1 from titles where id = ?", (title_id,)):
        return
    db.conn.executemany(
        """
        insert into spoken (title_id, track, language, starts, text, words)
        values (?, ?, ?, ?, ?, ?)
        """,
        [
            (title_id, track.public_id, track.language, *_said(cue))
            for track, cues in heard.new
            for cue in cues
        ],
    )


def _said(cue: Cue) -> tuple[float, str, str]:
    text = " ".join(markup.plain(cue.text).split())
    return cue.start / 1000, text, folding.fold(text)


def _lines(text: str | None) -> list[str]:
    return text.split("\x1f") if text else []


_WORDS = """
select name, original_name,
    (
        select group_concat(name, char(31)) from title_translations
        where title_id = titles.id
    ) as names,
    synopsis || ' ' || coalesce((
        select group_concat(synopsis, ' ') from title_translations
        where title_id = titles.id
    ), '') as synopsis,
    (
        select group_concat(people.name, ' ') from credits
        join people on people.id = credits.person_id
        where credits.title_id = titles.id
    ) as people,
    (
        select group_concat(name, ' ') from (
            select tags.name from title_tags
            join tags on tags.id = title_tags.tag_id
            where title_tags.title_id = titles.id
            union all
            select genres.name from title_genres
            join genres on genres.id = title_genres.genre_id
            where title_genres.title_id = titles.id
        )
    ) as tags
from titles
where id = ?
"""

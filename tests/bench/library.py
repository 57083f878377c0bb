"""A large installation for the pages: titles, accounts, progress, captions, in minutes.

Rows are written in bulk, as no import would: what is measured is reading them.
"""

import random
from collections.abc import Iterator, Sequence

from appliance.accounts import sessions
from appliance.db import Database, connect, write
from appliance.discovery import indexing
from appliance.migrations import migrate
from appliance.objects import Stores
from appliance.settings import Settings
from appliance.storage import Storage

TITLES, ACCOUNTS, PROGRESS, CUES = 100_000, 10_000, 1_000_000, 200_000
_GENRES, _TAGS, _PEOPLE, _VIEWERS = 40, 200, 5_000, 200
_EPISODES_OF = 4
_SERIES = TITLES // 20
_AT = "2026-01-01T00:00:00.000000Z"


def build(settings: Settings) -> list[str]:
    """Fill the database; return the tokens of viewers who are signed in."""
    migrate(settings.database)
    chance = random.Random(6)
    with connect(settings.database) as db:
        with write(db):
            _groundwork(db, chance)
            _titles(db, chance)
            _accounts(db)
            _watching(db, chance)
            _windows(db, chance)
        settings.media.mkdir(parents=True, exist_ok=True)
        stores = Stores(Storage(settings.media), settings)
        indexing.catch_up(db, stores, seconds=3600)
        with write(db):
            _spoken(db, chance)
        db.conn.execute("analyze")
        return [
            sessions.start(
                db, settings, account, address="127.0.0.1", user_agent="bench"
            )[0]
            for account in range(1, _VIEWERS + 1)
        ]


def names(chance: random.Random) -> Iterator[str]:
    """Yield names of titles: a few words out of thousands, some of them common."""
    words = _words(chance, 8_000)
    while True:
        kept = [words[int(chance.paretovariate(0.6)) % len(words)] for _ in range(3)]
        the = "the " if chance.random() < 0.4 else ""
        yield f"{the}{' '.join(kept[: chance.randint(1, 3)])}".title()


def _words(chance: random.Random, count: int) -> list[str]:
    begin = ("gl", "or", "ch", "tr", "s", "m", "st", "f", "br", "k", "l", "w", "h")
    middle = ("a", "e", "i", "o", "u", "ea", "ou", "ai")
    end = ("ss", "rd", "n", "ght", "ve", "r", "ll", "m", "st", "p", "ck", "d")
    made: dict[str, None] = {}
    while len(made) < count:
        parts = [
            chance.choice(begin) + chance.choice(middle) + chance.choice(end)
            for _ in range(chance.randint(1, 3))
        ]
        made["".join(parts)] = None
    return list(made)


def _groundwork(db: Database, chance: random.Random) -> None:
    name = names(chance)
    _many(
        *(db, "genres", ("slug", "name")),
        [(f"g{each}", f"Genre {each:02}") for each in range(_GENRES)],
    )
    _many(
        *(db, "tags", ("slug", "name")),
        [(f"t{each}", next(name)) for each in range(_TAGS)],
    )
    _many(
        *(db, "people", ("public_id", "slug", "name", "created_at", "updated_at")),
        [(f"p{each}", f"p{each}", next(name), _AT, _AT) for each in range(_PEOPLE)],
    )


def _titles(db: Database, chance: random.Random) -> None:
    """Write films, and series with episodes: one title in twenty is a series."""
    columns = (
        *("public_id", "slug", "kind", "name", "synopsis", "year", "rating", "age"),
        *("state", "runtime_seconds", "parent_id", "season_number", "episode_number"),
        *("created_at", "updated_at", "published_at"),
    )
    name, rows = names(chance), list[Sequence[object]]()
    for number in range(1, TITLES + 1):
        series = number <= _SERIES
        part = _SERIES < number <= _SERIES * (1 + _EPISODES_OF)
        kind = "series" if series else "episode" if part else "film"
        whole = (number - _SERIES - 1) // _EPISODES_OF + 1 if part else None
        episode = (number - 1) % _EPISODES_OF + 1 if part else None
        age = chance.choice((0, 6, 12, 12, 16, 16, 18))
        state = "draft" if number % 50 == 0 and not series and not part else "published"
        year, month = chance.randint(10, 25), chance.randint(1, 9)
        at = f"20{year}-0{month}-15T00:00:00.{number:06}Z"
        told = " ".join(next(name) for _ in range(6))
        rows.append(
            (
                *(f"x{number}", f"t{number}", kind, next(name), told),
                *(chance.randint(1950, 2026), str(age), age, state),
                *(float(chance.randint(300, 9000)), whole, 1 if part else None),
                *(episode, at, at, at if state == "published" else None),
            )
        )
    _many(db, "titles", columns, rows)
    every = range(1, TITLES + 1)
    _many(
        *(db, "title_genres", ("title_id", "genre_id")),
        [(each, chance.randint(1, _GENRES)) for each in every],
    )
    _many(
        *(db, "title_tags", ("title_id", "tag_id")),
        [(each, chance.randint(1, _TAGS)) for each in every],
    )
    _many(
        *(db, "credits", ("title_id", "person_id", "job")),
        [(each, chance.randint(1, _PEOPLE), "actor") for each in every],
    )
    films = (
        *("id", "public_id", "title_id", "state", "source_path", "source_name"),
        *("source_bytes", "duration", "version", "created_at"),
    )
    _many(
        *(db, "assets", films),
        [
            (each, f"a{each}", each, "ready", "", "film.mp4", 1, 6000.0, 1, _AT)
            for each in every
            if each > _SERIES
        ],
    )


def _accounts(db: Database) -> None:
    every = range(1, ACCOUNTS + 1)
    _many(
        *(db, "accounts", ("public_id", "username", "display_name", "created_at")),
        [(f"u{each}", f"u{each}", f"Viewer {each}", _AT) for each in every],
    )
    _many(
        *(db, "profiles", ("public_id", "account_id", "name", "created_at")),
        [(f"f{each}", each, f"Viewer {each}", _AT) for each in every],
    )
    _many(
        *(db, "role_assignments", ("account_id", "role")),
        [(each, "viewer") for each in every],
    )
    _many(db, "groups", ("public_id", "name"), [("g1", "One"), ("g2", "Two")])
    _many(
        *(db, "group_members", ("group_id", "account_id")),
        [(1 + each % 2, each) for each in every if each % 3],
    )


def _watching(db: Database, chance: random.Random) -> None:
    """Let each profile have begun or finished a hundred titles, and listed some."""
    each_has = PROGRESS // ACCOUNTS
    rows, listed = list[Sequence[object]](), list[Sequence[object]]()
    for profile in range(1, ACCOUNTS + 1):
        seen = chance.sample(range(_SERIES + 1, TITLES + 1), each_has)
        for place, asset in enumerate(seen):
            done = place % 4 != 0
            at = f"2025-{1 + place % 12:02}-{1 + place % 28:02}T00:00:00.000000Z"
            rows.append((profile, asset, 5900.0 if done else 2000.0, 6000.0, done, at))
        listed += [(profile, title, _AT) for title in seen[:20]]
    columns = ("profile_id", "asset_id", "position", "duration", "finished")
    _many(db, "progress", (*columns, "updated_at"), rows)
    _many(db, "my_list", ("profile_id", "title_id", "added_at"), listed)


def _windows(db: Database, chance: random.Random) -> None:
    """Give one title in five a window: for everybody, or for a group."""
    columns = ("public_id", "title_id", "ends_at", "group_id", "created_at")
    _many(
        *(db, "availability_windows", columns),
        [
            (
                *(f"w{title}", title),
                chance.choice((None, db.now(days=chance.randint(1, 400)))),
                chance.choice((None, None, None, 1, 2)),
                _AT,
            )
            for title in range(_SERIES * 5 + 1, TITLES, 5)
        ],
    )


def _spoken(db: Database, chance: random.Random) -> None:
    name = names(chance)
    columns = ("title_id", "track", "language", "starts", "text", "words")
    rows = []
    for number in range(CUES):
        said = " ".join(next(name) for _ in range(2))
        title = chance.randint(_SERIES + 1, TITLES)
        rows.append(
            (title, f"k{title}", "en", float(number % 5000), said, said.lower())
        )
    _many(db, "spoken", columns, rows)


def _many(
    db: Database, table: str, columns: Sequence[str], rows: Sequence[Sequence[object]]
) -> None:
    marks = ", ".join("?" for _ in columns)
    db.conn.executemany(
        f"insert into {table} ({', '.join(columns)}) values ({marks})", rows
    )

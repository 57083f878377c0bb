"""A catalogue of which a child may see one film, and what each hidden part is told by.

Every name, word, picture and piece of film that must not reach a child holds a text of
its own: whatever an address answers can be searched for them.
"""

import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from PIL import Image

from appliance.accounts import pins, profiles
from appliance.accounts.profiles import Profile
from appliance.catalog import artwork
from appliance.catalog.titles import Title
from appliance.db import write
from appliance.discovery import indexing
from appliance.media import assets
from appliance.media.assets import Asset
from appliance.objects import Stores
from appliance.permissions import SYSTEM, Actor, Role
from tests.builders import PASSWORD, Builders
from tests.portal import at_the_door
from tests.portal.at_the_door import Film

ACCOUNT_PIN, PARENT_PIN = "7294", "815036"
SPOKEN = "thornmarrow whispers"
FOR_ADULTS = (
    "Quillborne Deed",
    "Quillborne Saga",
    "Quillborne Part",
    "Quillborne Mild",
    "Quillborne Harsh",
    "Quillborne Unrated",
    SPOKEN,
    "secret synopsis",
    "HIDDEN FILM BYTES",
)
"""What no answer to a child may hold."""


@dataclass(frozen=True, slots=True)
class House:
    """An administrator with a child's profile, and what there is to watch."""

    ada: Actor
    parent: Profile
    child: Profile
    shown: Film
    hidden: tuple[Title, ...]
    films: tuple[Asset, ...]
    keys: Film
    pictures: tuple[str, ...]

    @property
    def slugs(self) -> tuple[str, ...]:
        return tuple(each.slug for each in self.hidden)


def furnished(make: Builders, folder: Path) -> House:
    """Make the house; its account may do everything, and the child next to nothing."""
    account = make.account("ada", password=PASSWORD, roles=(Role.ADMINISTRATOR,))
    ada = Actor("ada", account.id, roles=frozenset({Role.ADMINISTRATOR}))
    (parent,) = profiles.of_account(make.db, account.id)
    child = profiles.add(
        make.db, make.settings, ada, account.id, "Bo", kids=True, rating_limit=6
    )
    pins.set_own(make.db, make.settings, ada, ACCOUNT_PIN, PASSWORD)
    pins.set_of_profile(
        make.db, make.settings, ada, parent.public_id, PARENT_PIN, PASSWORD
    )
    shown = at_the_door.protected(make, "The Little Mole", rating="FSK 0")
    deed = at_the_door.protected(make, "Quillborne Deed", rating="FSK 18", **_told())
    saga = make.title("Quillborne Saga", kind="series", rating="FSK 18", **_told())
    tale = make.title("Moles and More", kind="series", rating="FSK 0", slug=_slug())
    parts = (
        _part(make, "Quillborne Part", saga),
        _part(make, "Quillborne Mild", saga, rating="FSK 0"),
        _part(make, "Quillborne Harsh", tale, rating="FSK 18"),
    )
    unrated = make.title("Quillborne Unrated", **_told())
    hidden = (deed.title, saga, *parts, unrated)
    films = (deed.asset, *(_film(make, each) for each in (*parts, unrated)))
    pictures = tuple(_picture(make, folder, each) for each in hidden)
    for film in films:
        _fill(make, film)
    _gather(make, hidden)
    indexing.rebuild(make.db)
    indexing.catch_up(make.db, Stores(make.storage, make.settings))
    return House(ada, parent, child, shown, hidden, films, deed, pictures)


def _told() -> dict[str, Any]:
    return {"slug": _slug(), "synopsis": "A secret synopsis.", "language": "en"}


def _slug() -> str:
    return f"t-{secrets.token_hex(5)}"


def _part(make: Builders, name: str, whole: Title, **fields: Any) -> Title:
    return make.title(
        name,
        kind="episode",
        parent_id=whole.id,
        season_number=1,
        episode_number=secrets.randbelow(1000),
        **_told() | fields,
    )


def _film(make: Builders, title: Title) -> Asset:
    return make.asset(title, captions=("en",))


def _fill(make: Builders, film: Asset) -> None:
    """Write into every file of a film what must not be read, and give it a preview."""
    for row in make.db.rows(
        "select path, kind from tracks where asset_id = ?", (film.id,)
    ):
        for file in make.storage.path(row["path"]).iterdir():
            if row["kind"] == "text":
                times = "00:00:01.000 --> 00:00:02.000"
                file.write_text(f"WEBVTT\n\n{times}\n{SPOKEN}\n")
            else:
                file.write_bytes(b"HIDDEN FILM BYTES")
    with write(make.db):
        make.db.table("assets").update(film.id, {"preview": "p1"})
    make.storage.write(assets.preview_place(film.public_id), b"HIDDEN FILM BYTES")


def _picture(make: Builders, folder: Path, title: Title) -> str:
    file = folder / f"{title.id}.png"
    Image.new("RGB", (640, 360), (200, 30, 40)).save(file)
    added = artwork.add(
        make.db, make.storage, SYSTEM, title.id, "backdrop", file, origin="upload"
    )
    return added.public_id


def _gather(make: Builders, hidden: tuple[Title, ...]) -> None:
    """Put every hidden title wherever titles are put together."""
    db = make.db
    with write(db):
        now = db.now()
        collection = db.table("collections").insert(
            {
                "public_id": secrets.token_hex(8),
                "slug": "all-of-it",
                "name": "All of it",
                "created_at": now,
                "updated_at": now,
            }
        )
        person = db.table("people").insert(
            {
                "public_id": secrets.token_hex(8),
                "slug": "jo-doe",
                "name": "Jo Doe",
                "created_at": now,
                "updated_at": now,
            }
        )
        tag = db.table("tags").insert({"slug": "tense", "name": "Tense"})
        genre = db.table("genres").insert({"slug": "horror", "name": "Horror"})
        row = db.table("home_rows").insert(
            {
                "public_id": "0123456789abcdef",
                "kind": "chosen",
                "heading": "Chosen",
                "created_at": now,
                "updated_at": now,
            }
        )
        keys = {
            "collection_titles": ("collection_id", collection.last_pk),
            "credits": ("person_id", person.last_pk),
            "title_tags": ("tag_id", tag.last_pk),
            "title_genres": ("genre_id", genre.last_pk),
            "home_row_titles": ("row_id", row.last_pk),
        }
        for title in hidden:
            for table, (column, key) in keys.items():
                extra = {"job": "actor"} if table == "credits" else {}
                db.table(table).insert({column: key, "title_id": title.id, **extra})
            _mark(make, title)


def _mark(make: Builders, title: Title) -> None:
    """Let the child have had it before the limit was set: listed, liked and begun."""
    db = make.db
    child = db.value("select id from profiles where name = 'Bo'")
    marked = {"profile_id": child, "title_id": title.id}
    db.table("my_list").insert(marked | {"added_at": db.now()})
    db.table("thumbs").insert(marked | {"value": 1, "at": db.now()})
    for film in assets.of_title(db, title.id):
        db.table("progress").insert(
            {
                "profile_id": child,
                "asset_id": film.id,
                "position": 5.0,
                "duration": 10.0,
                "updated_at": db.now(),
            }
        )

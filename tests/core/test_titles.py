"""Titles: made, edited, found, listed and removed."""

from typing import Any, cast

import pytest

from appliance.catalog import titles
from appliance.catalog.titles import TitleState
from appliance.catalog.topics import genres
from appliance.cenc import KeySystem, Scheme
from appliance.db import Database, write
from appliance.errors import Forbidden, InvalidInput, MatineeError, NotFound
from appliance.events import Event, since
from appliance.permissions import SYSTEM, Role
from appliance.storage import Storage
from tests.builders import Builders


def test_a_new_title_is_a_draft_of_whoever_made_it(
    db: Database, make: Builders
) -> None:
    ada = make.actor(Role.CONTRIBUTOR)

    title = titles.create(
        db,
        ada,
        "  The   Glass Orchard ",
        synopsis="A botanist returns.\n\nThe trees remember.",
        year=2026,
        genres=("Nature", "Drama"),
        language="en",
    )

    assert (title.name, title.slug) == ("The Glass Orchard", "the-glass-orchard")
    assert title.state is TitleState.DRAFT
    assert title.created_by == ada.account_id
    assert title.genres == ("Nature", "Drama")
    assert titles.by_slug(db, ada, "the-glass-orchard") == title


def test_making_and_editing_a_title_is_in_the_audit_log(db: Database) -> None:
    title = titles.create(db, SYSTEM, "Paper Boats")
    titles.edit(db, SYSTEM, title.slug, name="Paper Boats", year=2024)
    titles.edit(db, SYSTEM, title.slug, year=2024)

    recorded = [(each.name, dict(each.data)) for each in since(db)]

    assert recorded == [
        (Event.TITLE_CREATE, {"name": "Paper Boats", "slug": "paper-boats"}),
        (Event.TITLE_UPDATE, {"fields": ["year"]}),
    ]


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("Amélie", "amelie"),
        ("Straße nach Øresund", "strasse-nach-oresund"),
        ("L'avventura: 2 & 3!", "lavventura-2-3"),
        ("../../etc/passwd", "etc-passwd"),
        ("東京物語", "title"),
        ("a" * 200, "a" * 80),
    ],
)
def test_a_slug_is_plain_ascii(db: Database, name: str, slug: str) -> None:
    assert titles.create(db, SYSTEM, name).slug == slug


def test_titles_of_one_name_have_slugs_of_their_own(db: Database) -> None:
    slugs = [titles.create(db, SYSTEM, "Solaris").slug for _ in range(3)]

    assert slugs == ["solaris", "solaris-2", "solaris-3"]


def test_renaming_a_title_keeps_its_address(db: Database) -> None:
    title = titles.create(db, SYSTEM, "Working title")

    renamed = titles.edit(db, SYSTEM, title.slug, name="The real name")

    assert (renamed.name, renamed.slug) == ("The real name", "working-title")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", "   "),
        ("name", "x" * 201),
        ("name", 7),
        ("name", "half a \ud800 pair"),
        ("synopsis", "x" * 5001),
        ("year", 1066),
        ("year", "soon"),
        ("year", True),
        ("rating", "x" * 21),
        ("language", "English!"),
        ("genres", "Drama"),
        ("genres", ["x" * 41]),
        ("genres", [str(each) for each in range(13)]),
        ("protected", "yes"),
        ("state", "published"),
        ("id", 1),
    ],
)
def test_what_cannot_stand_in_a_field_is_refused_by_its_name(
    db: Database, field: str, value: object
) -> None:
    title = titles.create(db, SYSTEM, "Solaris")

    with pytest.raises(InvalidInput) as refused:
        titles.edit(db, SYSTEM, title.slug, **{field: cast(Any, value)})

    assert refused.value.details == {"field": field}
    assert titles.by_id(db, title.id) == title


def test_a_year_may_come_from_a_form(db: Database) -> None:
    title = titles.create(db, SYSTEM, "Solaris")

    assert titles.edit(db, SYSTEM, title.slug, year="1972").year == 1972
    assert titles.edit(db, SYSTEM, title.slug, year="").year is None


def test_genres_are_shared_by_spelling_and_vanish_unused(db: Database) -> None:
    first = titles.create(db, SYSTEM, "One", genres=("Sci-Fi", "sci-fi", "ドラマ"))
    second = titles.create(db, SYSTEM, "Two", genres=("SCI FI",))

    titles.edit(db, SYSTEM, first.slug, genres=("Comedy",))

    assert titles.by_id(db, second.id).genres == ("Sci-Fi",)
    assert [each.name for each in genres.listing(db)] == ["Comedy", "Sci-Fi"]


def test_a_viewer_sees_what_is_published_and_nothing_else(
    db: Database, make: Builders
) -> None:
    shown = make.title("Shown")
    hidden = make.title("Hidden", state="ready")
    viewer = make.actor(Role.VIEWER)

    assert [each.slug for each in titles.listing(db, viewer)] == [shown.slug]
    assert titles.count(db, viewer) == 1
    with pytest.raises(NotFound):
        titles.by_slug(db, viewer, hidden.slug)


def test_a_contributor_edits_their_own_titles_only(
    db: Database, make: Builders
) -> None:
    ada, ben = make.actor(Role.CONTRIBUTOR), make.actor(Role.CONTRIBUTOR)
    own = titles.create(db, ada, "Hers")
    shown = make.title("Somebody's, published")

    assert titles.edit(db, ada, own.slug, year=2020).year == 2020
    with pytest.raises(NotFound):
        titles.edit(db, ben, own.slug, year=1999)
    with pytest.raises(Forbidden):
        titles.edit(db, ada, shown.slug, year=1999)
    with pytest.raises(Forbidden):
        titles.create(db, make.actor(Role.VIEWER), "Not theirs to make")


def test_a_listing_is_filtered_by_state_and_genre_and_comes_in_pages(
    db: Database, make: Builders
) -> None:
    publisher = make.actor(Role.PUBLISHER)
    for number in range(5):
        make.title(f"Drama {number}", genres=("Drama",))
    make.title("Draft", state="draft", genres=("Drama",))

    published = titles.listing(
        db, publisher, state=TitleState.PUBLISHED, genre="drama", limit=2, offset=1
    )

    assert [each.name for each in published] == ["Drama 3", "Drama 2"]
    assert titles.count(db, publisher, genre="drama") == 6
    assert titles.count(db, publisher, state=TitleState.DRAFT) == 1
    assert titles.listing(db, publisher, genre="none") == []


def test_removing_a_title_leaves_no_row_and_no_file(
    db: Database, storage: Storage, make: Builders
) -> None:
    title = titles.create(db, SYSTEM, "Gone", genres=("Drama",))
    asset = make.asset(title)
    job = make.job(asset, state="running")
    storage.write(f"artwork/{title.public_id}/x/320.jpg", b"jpeg")
    attempt = storage.write(f"work/{job}/attempts/a/spec.json", b"{}").parent
    kept = make.asset(make.title("Kept"))

    titles.remove(db, storage, SYSTEM, title.slug)

    assert not attempt.exists()
    files = {path for path in storage.root.rglob("*") if path.is_file()}
    assert files
    assert all(kept.public_id in str(path) for path in files)
    for table in ("jobs", "title_genres", "genres"):
        assert db.value(f"select count(*) from {table}") == 0
    assert db.value("select group_concat(id) from assets") == str(kept.id)
    assert titles.search(db, SYSTEM, "gone") == []
    assert since(db)[-1].name == Event.TITLE_REMOVE


def test_only_who_may_remove_removes(
    db: Database, storage: Storage, make: Builders
) -> None:
    ada = make.actor(Role.CONTRIBUTOR)
    title = titles.create(db, ada, "Hers")

    with pytest.raises(MatineeError):
        titles.remove(db, storage, ada, title.slug)

    assert titles.by_id(db, title.id) == title


def test_protection_is_kept_with_its_key_systems_scheme_and_policy(
    db: Database,
) -> None:
    with write(db):
        policy = db.table("licence_policies").insert(
            {"name": "Rental", "document": "{}", "created_at": "", "updated_at": ""}
        )
    title = titles.create(db, SYSTEM, "Paper Boats", protected=True)
    assert title.protected
    assert (title.key_systems, title.scheme, title.policy_id) == ((), None, None)

    changed = titles.edit(
        db,
        SYSTEM,
        title.slug,
        key_systems=("fairplay", "com.widevine.alpha", "widevine"),
        scheme="cenc",
        policy_id=policy.last_pk,
    )

    assert changed.key_systems == (KeySystem.WIDEVINE, KeySystem.FAIRPLAY)
    assert changed.scheme is Scheme.CENC
    assert changed.policy_id == policy.last_pk
    back = titles.edit(
        db, SYSTEM, title.slug, key_systems=(), scheme="", policy_id=None
    )
    assert (back.key_systems, back.scheme, back.policy_id) == ((), None, None)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("protected", "yes"),
        ("key_systems", "widevine"),
        ("key_systems", ("rot13",)),
        ("scheme", "rot13"),
        ("policy_id", "Rental"),
        ("policy_id", 4711),
    ],
)
def test_protection_that_cannot_be_is_refused(
    db: Database, field: str, value: object
) -> None:
    title = titles.create(db, SYSTEM, "Paper Boats")

    with pytest.raises((InvalidInput, NotFound)):
        titles.edit(db, SYSTEM, title.slug, **{field: cast(Any, value)})

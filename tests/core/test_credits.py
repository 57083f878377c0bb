"""People, credits, tags, translations: what a title says beside its fields."""

from typing import Any

import pytest

from appliance.catalog import credits, people, titles, translations
from appliance.catalog.topics import tags
from appliance.catalog.translations import Translation
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, InvalidInput, NotFound
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders

_ADA = {"name": "Ada Byron", "job": "actor", "character": "The Queen"}


def test_credits_stand_in_their_order_and_name_people_once(db: Database) -> None:
    first = titles.create(
        db,
        SYSTEM,
        "First",
        credits=[{"name": "Zoë Ōe", "job": "director"}, _ADA, _ADA],
    )
    second = titles.create(db, SYSTEM, "Second", credits=[{"name": "ada byron"}])

    found = credits.of_title(db, first.id)

    assert [(each.person_slug, each.job, each.character) for each in found] == [
        ("zoe-oe", "director", ""),
        ("ada-byron", "actor", "The Queen"),
    ]
    assert credits.of_title(db, second.id)[0].person_slug == "ada-byron"
    assert people.by_slug(db, "ada-byron").titles == 2


def test_two_people_of_one_name_are_told_apart(db: Database) -> None:
    first = people.add(db, SYSTEM, "Jane Doe")
    second = people.add(db, SYSTEM, "Jane Doe")
    title = titles.create(
        db, SYSTEM, "A Film", credits=[{"name": f"Jane Doe ({second.slug})"}]
    )

    assert (first.slug, second.slug) == ("jane-doe", "jane-doe-2")
    assert credits.of_title(db, title.id)[0].person_slug == "jane-doe-2"
    given = credits.as_given(db, title.id)
    assert given[0].name == "Jane Doe (jane-doe-2)"
    again = titles.edit(db, SYSTEM, title.slug, credits=given)
    assert again.revision == title.revision


def test_a_person_is_described_and_removed(db: Database, make: Builders) -> None:
    ada = people.add(db, SYSTEM, "  Ada   Byron ", biography="She\nwrote.")
    assert (ada.name, ada.biography) == ("Ada Byron", "She\nwrote.")

    changed = people.edit(db, SYSTEM, ada.slug, revision=1, external_id="nm1")
    assert (changed.external_id, changed.revision) == ("nm1", 2)
    with pytest.raises(Conflict):
        people.edit(db, SYSTEM, ada.slug, revision=1, name="Another")
    with pytest.raises(InvalidInput) as refused:
        people.add(db, SYSTEM, "Bob", external_id="nm1")
    assert refused.value.details["field"] == "external_id"
    with pytest.raises(Forbidden):
        people.add(db, make.actor(Role.CONTRIBUTOR), "Bob")

    title = titles.create(db, SYSTEM, "A Film", credits=[_ADA])
    people.remove(db, SYSTEM, ada.slug)
    assert credits.of_title(db, title.id) == ()
    with pytest.raises(NotFound):
        people.by_slug(db, ada.slug)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "x" * 121),
        ("name", 5),
        ("biography", "x" * 5001),
        ("external_id", "x" * 101),
        ("name", "\ud800"),
        ("born", "1815"),
    ],
)
def test_nonsense_about_people_is_refused_at_its_field(
    db: Database, field: str, value: Any
) -> None:
    ada = people.add(db, SYSTEM, "Ada Byron")

    with pytest.raises(InvalidInput) as refused:
        people.edit(db, SYSTEM, ada.slug, **{field: value})

    assert refused.value.details["field"] == field
    assert people.by_slug(db, ada.slug) == ada


def test_people_are_found_by_parts_of_their_name(db: Database) -> None:
    for name in ("Ada Byron", "Grace Hopper", "100 % Real_Name"):
        people.add(db, SYSTEM, name)

    assert [each.name for each in people.listing(db, "BYR")] == ["Ada Byron"]
    assert [each.name for each in people.listing(db, "%")] == ["100 % Real_Name"]
    assert people.listing(db, "' or 1=1 --") == []
    assert (people.count(db), people.count(db, "a")) == (3, 3)


def test_tags_are_shared_and_go_with_the_last_title(db: Database) -> None:
    first = titles.create(db, SYSTEM, "First", tags=("Café noir", "café Noir", "雨"))
    second = titles.create(db, SYSTEM, "Second", tags=("cafe noir",))

    assert [each.name for each in tags.of_title(db, first.id)] == ["Café noir", "雨"]
    assert tags.of_title(db, second.id)[0].slug == "cafe-noir"
    assert titles.count(db, SYSTEM, tag="cafe-noir") == 2

    titles.edit(db, SYSTEM, first.slug, tags=())
    assert [each.slug for each in tags.listing(db)] == ["cafe-noir"]
    with pytest.raises(NotFound):
        tags.by_slug(db, "rain")


def test_a_title_is_told_in_the_language_of_the_viewer(db: Database) -> None:
    title = titles.create(
        db,
        SYSTEM,
        "The Well",
        language="en",
        translations={
            "de": {"name": "Der Brunnen", "synopsis": "Tief."},
            "pt": {"name": "O poço"},
            "pt-BR": {"name": "O poço d’água"},
        },
    )

    def told(language: str) -> Translation | None:
        return translations.told(db, [title.id], language).get(title.id)

    assert told("de-AT") == Translation("Der Brunnen", "Tief.")
    assert told("pt-br") == Translation("O poço d’água")
    assert told("pt-PT") == Translation("O poço")
    assert told("fr") is None

    edited = titles.edit(
        db,
        SYSTEM,
        title.slug,
        translations={"de": {"name": "", "synopsis": ""}, "fr": {"name": "Le puits"}},
    )
    assert edited.revision == title.revision + 1
    assert set(translations.of_title(db, title.id)) == {"fr", "pt", "pt-BR"}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("tags", "drama"),
        ("tags", ["x" * 41]),
        ("tags", [f"tag {n}" for n in range(41)]),
        ("credits", "Ada"),
        ("credits", [{"name": "Ada", "job": "queen"}]),
        ("credits", [{"name": "x" * 121}]),
        ("credits", [{"who": "Ada"}]),
        ("credits", [{"name": 5}]),
        ("credits", [{"name": f"Person {n}"} for n in range(201)]),
        ("translations", ["de"]),
        ("translations", {"german": {"name": "x"}}),
        ("translations", {"de": "Der Brunnen"}),
        ("translations", {"de": {"name": "x" * 201}}),
        ("original_name", "x" * 201),
        ("external_id", "x" * 101),
    ],
)
def test_nonsense_about_a_title_is_refused_at_its_field(
    db: Database, field: str, value: Any
) -> None:
    title = titles.create(db, SYSTEM, "The Well")

    with pytest.raises(InvalidInput) as refused:
        titles.edit(db, SYSTEM, title.slug, **{field: value})

    assert refused.value.details["field"] == field
    assert titles.by_id(db, title.id) == title
    assert people.count(db) == 0


def test_an_external_id_belongs_to_one_title(db: Database) -> None:
    titles.create(db, SYSTEM, "First", external_id="tt1")
    second = titles.create(db, SYSTEM, "Second")

    with pytest.raises(InvalidInput, match="“First”"):
        titles.edit(db, SYSTEM, second.slug, external_id="tt1")
    titles.edit(db, SYSTEM, second.slug, external_id=" tt2 ")
    assert titles.by_id(db, second.id).external_id == "tt2"


def test_who_comes_second_is_told_who_was_first(db: Database, make: Builders) -> None:
    ada = make.actor(Role.PUBLISHER, username="ada")
    title = titles.create(db, SYSTEM, "The Well")
    titles.edit(db, ada, title.slug, revision=title.revision, year=2020)

    with pytest.raises(Conflict) as refused:
        titles.edit(db, SYSTEM, title.slug, revision=title.revision, year=2021)

    assert refused.value.code == "title.changed"
    assert refused.value.details["by"] == "ada"
    assert refused.value.details["revision"] == title.revision + 1
    assert titles.by_id(db, title.id).year == 2020

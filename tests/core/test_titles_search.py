"""Searching titles: what people type is words, never a query language."""

import pytest

from appliance.catalog import titles
from appliance.db import Database
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders


@pytest.mark.parametrize(
    "typed", ["amelie", "AMÉLIE", "amé", "fabuleux amel", "  destin   poulain"]
)
def test_accents_case_and_the_end_of_the_last_word_do_not_matter(
    db: Database, typed: str
) -> None:
    titles.create(db, SYSTEM, "Le Fabuleux Destin d'Amélie", synopsis="Amélie Poulain.")
    titles.create(db, SYSTEM, "Solaris")

    found = titles.search(db, SYSTEM, typed)

    assert [each.slug for each in found] == ["le-fabuleux-destin-damelie"]


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "   ",
        '"',
        '"" ""',
        "*",
        "sol* OR x",
        "name:solaris",
        "NEAR(solaris x)",
        "-solaris x",
        "solaris\0x",
        "^",
        "'; drop table titles; --",
        "solaris AND",
        "\ud800",
        "x\ud800",
        "x " * 500,
    ],
)
def test_syntax_is_never_obeyed_and_never_an_error(db: Database, typed: str) -> None:
    titles.create(db, SYSTEM, "Solaris")

    assert titles.search(db, SYSTEM, typed) == []


def test_a_quote_in_a_name_is_found(db: Database) -> None:
    titles.create(db, SYSTEM, 'The 12" single')

    assert len(titles.search(db, SYSTEM, '12" sing')) == 1


def test_a_match_in_the_name_comes_before_one_in_the_synopsis(db: Database) -> None:
    titles.create(db, SYSTEM, "A film", synopsis="All about an orchard of glass.")
    titles.create(db, SYSTEM, "Orchard")

    names = [each.name for each in titles.search(db, SYSTEM, "orchard")]

    assert names == ["Orchard", "A film"]


def test_the_index_follows_edits(db: Database) -> None:
    title = titles.create(db, SYSTEM, "Old name")
    titles.edit(db, SYSTEM, title.slug, name="Fresh name")

    assert titles.search(db, SYSTEM, "old") == []
    assert len(titles.search(db, SYSTEM, "fresh")) == 1


def test_a_viewer_finds_only_what_is_published(db: Database, make: Builders) -> None:
    make.title("Orchard one")
    make.title("Orchard two", state="ready")

    found = titles.search(db, make.actor(Role.VIEWER), "orchard")

    assert [each.name for each in found] == ["Orchard one"]

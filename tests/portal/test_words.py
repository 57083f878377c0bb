"""What viewers read: said in every language, with the same values in it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from babel.messages import Message
from flask import Flask
from flask.testing import FlaskClient

from appliance.accounts import profiles
from appliance.db import Database
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from tests.conftest import SignIn
from web.languages import LANGUAGES
from workshop import words

_PAGES = words.PAGES / "templates"
_FOLDERS = ("", "portal", "profiles", "auth", "macros")
_VIEWED = [page for each in _FOLDERS for page in sorted((_PAGES / each).glob("*.html"))]
# What is between these is neither said nor shown.
_CLASSES = re.compile(r"{% block \w+_class %}[^{]*")
_JINJA = re.compile(r"{#.*?#}|{%.*?%}|{{.*?}}", re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_SPOKEN = re.compile(r'(?:aria-label|placeholder|title|alt)="([^"\0]*)"')
_LETTERS = re.compile(r"[A-Za-z]{3}")
# The name of a place, attributes of a macro, and what a code looks like.
_NOT_SAID = ("Studio", "aria-", "&nbsp;", "xxxxx-xxxxx")
_VALUES = re.compile(r"%\(\w+\)[sd]|\{\w+\}")


def _forms(said: str | list[str] | tuple[str, ...] | None) -> list[str]:
    return [said or ""] if isinstance(said, str) or said is None else list(said)


def _values(text: str) -> set[str]:
    return set(_VALUES.findall(text))


@pytest.mark.parametrize("page", _VIEWED, ids=lambda page: "/".join(page.parts[-2:]))
def test_a_page_for_viewers_says_nothing_that_cannot_be_translated(page: Path) -> None:
    text = _JINJA.sub("\0", _CLASSES.sub("", page.read_text(encoding="utf-8")))
    said = [*_TAG.sub("\0", text).split("\0"), *_SPOKEN.findall(text)]

    words = [each.strip() for each in said if _LETTERS.search(each)]
    assert [each for each in words if not each.startswith(_NOT_SAID)] == []


def test_every_language_but_the_first_has_a_catalogue() -> None:
    assert set(words.TRANSLATED) == set(LANGUAGES[1:])


@pytest.mark.parametrize("language", words.TRANSLATED)
def test_a_catalogue_holds_what_the_pages_say_and_nothing_else(language: str) -> None:
    said = {message.id for message in words.gathered() if message.id}
    kept = {message.id for message in words.read(language) if message.id}

    assert kept == said, "run `make words`"


@pytest.mark.parametrize("language", words.TRANSLATED)
def test_viewers_find_nothing_untranslated(language: str) -> None:
    missing = [
        message.id
        for message in words.read(language)
        if message.id and words.for_viewers(message) and not words.translated(message)
    ]

    assert missing == []


@pytest.mark.parametrize("language", words.TRANSLATED)
def test_no_translation_is_a_guess_or_loses_a_value(language: str) -> None:
    catalogue = [each for each in words.read(language) if each.id]

    assert [each.id for each in catalogue if each.fuzzy] == []
    assert [each.id for each in catalogue if _wrong(each)] == []


def _wrong(message: Message) -> bool:
    """Say whether a form has values that no English form has, or lost one of them.

    A form for one thing, or for two, may say the number in words.
    """
    if not words.translated(message):
        return False
    english = [_values(form) for form in _forms(message.id)]
    known, needed = set().union(*english), set.intersection(*english)
    return any(not needed <= _values(form) <= known for form in _forms(message.string))


def test_a_page_is_said_in_the_language_that_the_browser_asks_for(app: Flask) -> None:
    german = app.test_client().get("/login", headers={"Accept-Language": "de"})
    arabic = app.test_client().get("/login", headers={"Accept-Language": "ar"})

    assert "Anmelden" in german.get_data(as_text=True)
    assert '<html lang="ar" dir="rtl"' in arabic.get_data(as_text=True)


def test_a_profile_without_a_language_reads_what_the_browser_asks_for(
    client: FlaskClient, sign_in: SignIn, db: Database, settings: Settings
) -> None:
    viewer = sign_in(client)
    asked = {"Accept-Language": "de"}

    before = client.get("/", headers=asked).text
    profile = profiles.named(db, viewer.username)
    profiles.edit(db, settings, SYSTEM, profile.public_id, language="fr")

    assert '<html lang="de"' in before
    assert '<html lang="fr"' in client.get("/", headers=asked).text


@pytest.mark.parametrize("language", words.TRANSLATED)
def test_scripts_can_load_their_words(language: str, tmp_path: Path) -> None:
    script = tmp_path / "words.mjs"
    shutil.copyfile(words.SCRIPTS / f"{language}.js", script)
    check = (
        f"import {{words, plural}} from '{script}'; console.log(plural(1), plural(7))"
    )

    done = subprocess.run(
        ["node", "--input-type=module", "-e", check],
        capture_output=True,
        text=True,
        check=True,
    )

    assert all(number.isdigit() for number in done.stdout.split())

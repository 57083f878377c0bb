"""The recipes: how each CDN is set up for this very installation."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.delivery import shield
from appliance.delivery.cdn import recipe
from appliance.delivery.tokens import Scope
from appliance.errors import ConfigError
from appliance.sections import CDNS, Objects
from appliance.settings import Cdn, Origin, Portal, Settings
from tests.conftest import Matinee

FILMS, PORTAL = "films.example", "https://tv.example"


@pytest.fixture
def set_up(settings: Settings) -> Settings:

    return replace(
        settings, portal=Portal(public_url=PORTAL), cdn=Cdn(url=f"https://{FILMS}")
    )


def text(settings: Settings, name: str, *, with_secret: bool = False) -> str:
    found = recipe.steps(settings, name, with_secret=with_secret)
    return "\n".join(f"{each.title}\n{each.text}" for each in found)


@pytest.mark.parametrize("name", CDNS)
def test_a_recipe_names_what_is_ours_and_leaves_nothing_to_be_filled_in(
    set_up: Settings, name: str
) -> None:
    found = text(set_up, name)

    titles = [each.title for each in recipe.steps(set_up, name)]
    for title in ("Secrets", "Where it fetches from", "What it delivers", "Cache"):
        assert title in titles
    for title in ("Token", "CORS", "Switch it on", "To push films, too"):
        assert title in titles
    for words in (FILMS, "tv.example", PORTAL, "/key/", f'name = "{name}"'):
        assert words in found, words
    assert "Access-Control-Allow-Origin" in found
    assert not re.search(r"\$(\{|[a-z_]+\b(?!\"))", found), "a blank was not filled"


@pytest.mark.parametrize("name", [each for each in CDNS if each != "own"])
def test_the_secret_is_written_only_when_asked_for(set_up: Settings, name: str) -> None:
    hidden, shown = text(set_up, name), text(set_up, name, with_secret=True)
    (secret,) = shield.secrets(set_up.keys)

    assert shield.HEADER in hidden.replace("\n", " ")
    assert secret not in hidden
    assert f"matinee cdn setup {name} --show-secret" in hidden
    assert secret in shown


def test_cloudflares_rule_knows_every_length_of_a_folder(set_up: Settings) -> None:
    found = text(set_up, "cloudflare")
    lengths = {int(each) for each in re.findall(r"path, 0, (\d+)\)", found)}

    for scope in (Scope.ALL, *map(Scope.up_to, (90, 720, 1080, 99_999))):
        assert len(shield.folder("ab" * 8, scope)) in lengths


def test_several_sites_that_may_read_are_all_named(set_up: Settings) -> None:

    several = replace(
        set_up, origin=Origin(cors_origins="https://shop.example, https://b.example")
    )

    for name in CDNS:
        found = text(several, name)
        for site in (PORTAL, "https://shop.example", "https://b.example"):
            assert site in found


def test_before_the_cdn_has_an_address_the_recipe_says_where_it_goes(
    set_up: Settings,
) -> None:

    assert "https://YOUR-CDN-HOST" in text(replace(set_up, cdn=Cdn()), "bunny")
    with pytest.raises(ConfigError, match=r"portal\.public_url"):
        recipe.steps(replace(set_up, portal=Portal()), "bunny")
    with pytest.raises(ConfigError, match=r"cdn\.url"):
        recipe.steps(replace(set_up, cdn=Cdn(url="films.example")), "bunny")


@pytest.mark.parametrize("name", CDNS)
def test_the_last_step_says_where_pushed_films_lie(set_up: Settings, name: str) -> None:
    bucket = Objects(bucket="films", endpoint="https://s3.example", prefix="/main/")
    last = recipe.steps(replace(set_up, objects=bucket), name)[-1]
    unset = recipe.steps(set_up, name)[-1]

    assert last.title == "To push films, too"
    assert "https://s3.example/films/main/media/<asset>/all/tracks/" in last.text
    assert "matinee cdn push --all" in last.text
    assert "https://YOUR-BUCKET/media/" in unset.text


def test_the_command_prints_the_recipe(
    matinee: Matinee, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    monkeypatch.setenv("MATINEE_PORTAL_PUBLIC_URL", PORTAL)
    monkeypatch.setenv("MATINEE_CDN_URL", f"https://{FILMS}")

    plain = matinee("cdn", "setup", "bunny")
    document = json.loads(
        matinee("cdn", "setup", "bunny", "--show-secret", "--json").stdout
    )

    assert plain.stdout.startswith("1. What happens\n")
    assert document["cdn"] == "bunny"
    assert shield.secrets(settings.keys)[0] in json.dumps(document)
    assert matinee("cdn", "setup", "nobody").exit_code == 2


def test_purging_needs_one_title_or_all(
    matinee: Matinee, monkeypatch: pytest.MonkeyPatch
) -> None:
    for args in ((), ("a-title", "--all")):
        answer = matinee("cdn", "purge", *args)
        assert (answer.exit_code, "one title" in answer.stderr) == (2, True)
    assert matinee("cdn", "purge", "nothing").exit_code == 4
    assert matinee("cdn", "purge", "--all", "--yes").exit_code == 3
    assert "No CDN" in matinee("cdn", "purge", "--all", "--yes").stderr


def test_a_new_secret_is_made_beside_the_last(
    matinee: Matinee, settings: Settings
) -> None:
    before = shield.secrets(settings.keys)

    told = matinee("cdn", "rotate", "--yes", "--json")

    assert json.loads(told.stdout)["files"] == ["origin-1.key", "origin-2.key"]
    assert shield.secrets(settings.keys)[1:] == before
    assert all(each not in told.stdout for each in shield.secrets(settings.keys))


def test_every_recipe_is_shipped() -> None:
    folder = Path(recipe.__file__).parent / "recipes"

    assert {path.stem for path in folder.glob("*.txt")} == set(CDNS)

"""Putting films in and showing them, from the command line."""

import json
from pathlib import Path

import pytest

from appliance.cli import watching
from appliance.cli.installation import Installation
from appliance.db import Database
from appliance.errors import Conflict, MediaError
from appliance.media import assets, jobs
from appliance.permissions import SYSTEM
from appliance.protection import policies
from appliance.settings import Settings
from appliance.storage import Storage
from tests.builders import Builders
from tests.conftest import Matinee


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "A film, 'quoted'.mp4"
    path.write_bytes(b"pictures and sound")
    return path


def test_a_film_is_taken_in_under_its_title(
    matinee: Matinee, film: Path, db: Database, storage: Storage
) -> None:
    described = ("--title", "The River", "--year", "1951", "--synopsis", "It flows.")
    genres = ("--genre", "Drama", "--genre", "Romance")

    result = matinee("title", "add", str(film), *described, *genres, "--json")

    assert result.exit_code == 0, result.output
    added = json.loads(result.stdout)
    assert (added["slug"], added["year"], added["state"]) == (
        "the-river",
        1951,
        "processing",
    )
    assert added["genres"] == ["Drama", "Romance"]
    asset = assets.by_public_id(db, added["asset"])
    assert storage.existing(asset.source_path).read_bytes() == film.read_bytes()
    assert jobs.by_public_id(db, added["job"]).open


@pytest.mark.parametrize(
    ("options", "protected", "systems", "scheme"),
    [
        ((), False, [], None),
        (("--protect",), True, [], None),
        (("--protect", "--scheme", "cenc"), True, [], "cenc"),
        (
            ("--protect", "--key-system", "widevine", "--key-system", "clearkey"),
            True,
            ["clearkey", "widevine"],
            None,
        ),
    ],
)
def test_a_film_is_protected_when_asked(
    matinee: Matinee,
    film: Path,
    options: tuple[str, ...],
    protected: bool,
    systems: list[str],
    scheme: str | None,
) -> None:
    added = matinee("title", "add", str(film), "--title", "A", *options, "--json")

    assert added.exit_code == 0, added.output
    shown = json.loads(matinee("title", "show", "a", "--json").stdout)
    assert shown["protected"] is protected
    assert (shown["key_systems"], shown["scheme"]) == (systems, scheme)


def test_the_policy_of_a_film_is_named_and_shown(
    matinee: Matinee, film: Path, db: Database
) -> None:
    policies.put(db, SYSTEM, "Rental", {"rental_seconds": 3600})
    described = ("--title", "A", "--protect", "--policy", "rental")

    added = matinee("title", "add", str(film), *described, "--json")
    unknown = matinee("title", "add", str(film), "--title", "B", "--policy", "none")

    assert added.exit_code == 0, added.output
    shown = json.loads(matinee("title", "show", "a", "--json").stdout)
    assert (shown["policy"], shown["encrypted"]) == ("Rental", [])
    assert unknown.exit_code == 4
    assert "matinee policy list" in unknown.stderr


def test_new_films_are_protected_where_the_library_says_so(
    matinee: Matinee, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MATINEE_PROTECTION_PROTECT_NEW", "true")

    by_default = matinee("title", "add", str(film), "--title", "A", "--json")
    not_this = ("--title", "B", "--no-protect", "--json")
    clear = matinee("title", "add", str(film), *not_this)

    assert json.loads(by_default.stdout)["protected"] is True
    assert json.loads(clear.stdout)["protected"] is False


def test_the_wish_to_publish_is_kept_until_the_film_is_ready(
    matinee: Matinee, film: Path, db: Database
) -> None:
    result = matinee("title", "add", str(film), "--title", "A", "--publish", "--json")

    job = jobs.by_public_id(db, json.loads(result.stdout)["job"])
    assert job.publish_when_done


def test_a_refused_film_leaves_no_title_and_no_file(
    matinee: Matinee, tmp_path: Path, storage: Storage
) -> None:
    empty = tmp_path / "empty.mp4"
    empty.touch()

    result = matinee("title", "add", str(empty), "--title", "Nothing")

    assert result.exit_code == 2
    assert empty.exists()
    assert json.loads(matinee("title", "list", "--json").stdout) == []
    assert [path for path in storage.root.rglob("*") if path.is_file()] == []


def test_a_title_that_cannot_be_is_refused_before_the_film_is_copied(
    matinee: Matinee, film: Path, storage: Storage
) -> None:
    result = matinee("title", "add", str(film), "--title", "A", "--year", "12")

    assert result.exit_code == 2
    assert list(storage.root.iterdir()) == []


def test_a_file_that_is_not_there_is_wrong_usage(matinee: Matinee) -> None:
    result = matinee("title", "add", "/nowhere/film.mp4", "--title", "A")

    assert result.exit_code == 2


def test_titles_are_listed_by_state(matinee: Matinee, make: Builders) -> None:
    make.title("Shown", slug="shown")
    make.title("Hidden", slug="hidden", state="ready")

    published = matinee("title", "list", "--state", "published", "--json").stdout
    everything = matinee("title", "list").stdout

    assert [each["slug"] for each in json.loads(published)] == ["shown"]
    assert "shown" in everything
    assert "hidden" in everything


def test_showing_tells_what_is_known_and_keeps_inner_keys(
    matinee: Matinee, make: Builders
) -> None:
    make.title("The River", slug="the-river", year=1951, genres=("Drama",))

    text = matinee("title", "show", "the-river").stdout
    document = json.loads(matinee("title", "show", "the-river", "--json").stdout)

    assert "1951" in text
    assert "Drama" in text
    assert "id" not in document


def test_a_ready_title_is_published_and_hidden_again(
    matinee: Matinee, make: Builders
) -> None:
    title = make.title("The River", slug="the-river", state="ready")
    make.asset(title)

    states = [
        json.loads(matinee("title", verb, "the-river", "--json").stdout)["state"]
        for verb in ("publish", "unpublish", "archive", "restore")
    ]

    assert states == ["published", "ready", "archived", "ready"]


def test_a_draft_is_not_published(matinee: Matinee, make: Builders) -> None:
    make.title("The River", slug="the-river", state="draft")

    assert matinee("title", "publish", "the-river").exit_code == 3


@pytest.mark.parametrize("verb", ["show", "publish", "remove"])
def test_an_unknown_title_is_not_found(matinee: Matinee, verb: str) -> None:
    assert matinee("title", verb, "nothing").exit_code == 4


def test_nothing_is_removed_unasked(matinee: Matinee, make: Builders) -> None:
    make.title("The River", slug="the-river")

    result = matinee("title", "remove", "the-river")

    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert matinee("title", "show", "the-river").exit_code == 0


def test_removing_takes_rows_and_files(
    matinee: Matinee, make: Builders, storage: Storage
) -> None:
    title = make.title("The River", slug="the-river")
    make.asset(title)

    result = matinee("title", "remove", "the-river", "--now", "--yes")

    assert result.exit_code == 0
    assert matinee("title", "show", "the-river").exit_code == 4
    assert [path for path in storage.root.rglob("*") if path.is_file()] == []


def installation(settings: Settings) -> Installation:
    made = Installation()
    made.settings = settings
    return made


def test_waiting_ends_when_the_job_is_done(settings: Settings, make: Builders) -> None:
    job = make.job(make.asset(), state="done")

    assert watching.follow(installation(settings), job).state == "done"


def test_waiting_for_a_job_that_failed_tells_why(
    settings: Settings, make: Builders
) -> None:
    asset = make.asset(state="failed")
    job = make.job(
        asset, state="failed", error_code="film.torn", error_message="It is torn."
    )

    with pytest.raises(MediaError, match="It is torn") as failed:
        watching.follow(installation(settings), job)

    assert failed.value.code == "film.torn"


def test_waiting_for_a_job_that_was_cancelled_is_no_success(
    settings: Settings, make: Builders
) -> None:
    job = make.job(make.asset(state="failed"), state="cancelled")

    with pytest.raises(Conflict):
        watching.follow(installation(settings), job)


def test_the_demo_asks_for_its_film(matinee: Matinee) -> None:
    result = matinee("demo", "load")

    assert result.exit_code == 3
    assert "make film" in result.stderr


def test_the_demo_is_loaded_once(matinee: Matinee, make: Builders) -> None:
    make.title("Big Buck Bunny", slug="big-buck-bunny")

    result = matinee("demo", "load", "--wait", "--json")

    assert json.loads(result.stdout) == {
        "slug": "big-buck-bunny",
        "state": "published",
    }


def test_loading_the_demo_again_retries_a_failed_job(
    matinee: Matinee, make: Builders, db: Database
) -> None:
    title = make.title("Big Buck Bunny", slug="big-buck-bunny", state="draft")
    job = make.job(make.asset(title, state="failed"), state="failed")

    matinee("demo", "load")

    assert jobs.by_public_id(db, job).open


def test_the_demo_is_removed_when_it_is_there(matinee: Matinee, make: Builders) -> None:
    nothing = matinee("demo", "remove", "--yes", "--json")
    make.asset(make.title("Big Buck Bunny", slug="big-buck-bunny"))
    removed = matinee("demo", "remove", "--yes", "--json")

    assert json.loads(nothing.stdout)["removed"] is False
    assert json.loads(removed.stdout)["removed"] is True
    assert json.loads(matinee("title", "list", "--json").stdout) == []


@pytest.mark.media
@pytest.mark.skipif(
    not Path("var/films/big-buck-bunny.mp4").is_file(), reason="run `make film` first"
)
def test_the_demo_is_a_minute_and_a_half_that_says_whose_it_is(
    matinee: Matinee, db: Database, storage: Storage
) -> None:
    film = str(Path("var/films/big-buck-bunny.mp4").resolve())

    loaded = json.loads(matinee("demo", "load", "--film", film, "--json").stdout)

    asset = assets.by_public_id(db, loaded["asset"])
    source = storage.existing(asset.source_path)
    assert 4_000_000 < source.stat().st_size < 30_000_000
    assert "Blender Foundation" in loaded["synopsis"]
    assert "CC BY 3.0" in loaded["synopsis"]
    assert jobs.by_public_id(db, loaded["job"]).publish_when_done

"""The disaster drill: the machine is gone, and a new one plays the protected film.

All that is left is what lay elsewhere: the place of backups, and the recovery key that
somebody wrote down.
"""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import settings as configuration
from appliance.catalog.titles import Title
from appliance.settings import Settings
from tests.host import figures, object_server, surviving
from tests.pipeline.served_home import ServedHome, served_home

pytestmark = pytest.mark.media

_LONGEST = 300
_ENOUGH = {"MATINEE_WEB_THREADS": "4"}


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Title]:
    """A home with a protected film, to be copied."""
    folder = tmp_path_factory.mktemp("furnished")
    with served_home(folder / "home") as served:
        film = surviving.furnish(served.settings, folder / "scratch")
    return folder / "home", film


@pytest.fixture
def film(furnished: tuple[Path, Title]) -> Title:
    return furnished[1]


@pytest.fixture
def lost(tmp_path: Path, furnished: tuple[Path, Title]) -> Iterator[ServedHome]:
    with served_home(tmp_path / "lost", **_ENOUGH) as served:
        shutil.copytree(furnished[0], served.home, dirs_exist_ok=True)
        yield served


@pytest.mark.parametrize("kind", ["folder", "s3", "restic"])
def test_a_new_machine_plays_the_protected_film(
    lost: ServedHome,
    film: Title,
    tmp_path: Path,
    kind: str,
) -> None:
    lost.start()
    before = surviving.watched(lost.url, film.slug, tmp_path)
    secrets = tmp_path / "backup.toml"
    with object_server.serving(tmp_path / "s3") as server:
        place = _place(kind, tmp_path, secrets, server)
        if secrets.exists():
            shutil.copy2(secrets, lost.settings.keys / "backup.toml")
        given = ("--place", place, "--media", "all", "--key-saved")
        key = surviving.command(lost, "backup", "create", *given)["recovery_key"]
        lost.stop()
        shutil.rmtree(lost.home)

        since = time.monotonic()
        with served_home(tmp_path / "new", **_ENOUGH) as new:
            new.settings.database.unlink()
            opens = ("--credentials", str(secrets)) if secrets.exists() else ()
            restored = surviving.command(
                *(new, "backup", "restore", "--place", place, "--recovery-key-stdin"),
                *("--yes", *opens),
                words=key,
            )
            assert restored["missing"] == []
            new.start()
            assert surviving.watched(new.url, film.slug, tmp_path) == before
        took = time.monotonic() - since
        figures.tell(f"from a backup ({kind}) to a playing film", took, _LONGEST)
        assert took < _LONGEST


def test_without_a_copy_of_the_films_the_machine_says_which_are_missing(
    lost: ServedHome, film: Title, tmp_path: Path
) -> None:
    place = ("--place", str(tmp_path / "backups"))
    made = surviving.command(lost, "backup", "create", *place, "--key-saved")
    packages = tmp_path / "kept"
    shutil.copytree(lost.settings.media, packages)
    shutil.rmtree(lost.home)
    with served_home(tmp_path / "new", **_ENOUGH) as new:
        surviving.command(
            *(new, "backup", "restore", *place, "--recovery-key-stdin", "--yes"),
            words=made["recovery_key"],
        )
        missing = surviving.command(new, "backup", "films")
        assert [each["title"] for each in missing] == [film.slug]
        # Somebody finds a copy of the films.
        shutil.copytree(packages, new.settings.media, dirs_exist_ok=True)
        assert surviving.command(new, "backup", "films", "--look-again") == []
        new.start()
        assert len(surviving.watched(new.url, film.slug, tmp_path)) > 100


def _place(
    kind: str, folder: Path, secrets: Path, server: object_server.ObjectServer
) -> str:
    if kind == "folder":
        return str(folder / "backups")
    secrets.touch(mode=0o600)
    if kind == "restic":
        secrets.write_text('[restic]\npassword = "of the drill"\n')
        return f"restic:{folder / 'repository'}"
    elsewhere: Settings = configuration.Settings(home=folder / "elsewhere")
    keys = server.used_by(elsewhere).keys / "s3.toml"
    secrets.write_text(f'{keys.read_text()}endpoint = "{server.url}"\n')
    return f"s3:{object_server.BUCKET}/drill"

"""A database that came to lie on a share is found before it can be damaged."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import file_systems, migrations
from appliance.checks import cluster
from appliance.checks.examined import Examined
from appliance.operations.findings import Level
from appliance.settings import Settings

pytestmark = pytest.mark.skipif(
    not (shutil.which("bindfs") and Path("/dev/fuse").exists()) or os.geteuid() != 0,
    reason="a FUSE file system cannot be mounted here",
)
_MATINEE = str(Path(sys.executable).with_name("matinee"))


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """The home of an installation, through FUSE as from a server elsewhere."""
    there, here = tmp_path / "server", tmp_path / "home"
    for folder in (there, here):
        folder.mkdir()
    migrations.migrate(there / "matinee.db")
    subprocess.run(["bindfs", there, here], check=True)
    yield here
    subprocess.run(["umount", "-l", here], check=True)


@pytest.mark.parametrize(
    "words", [("web", "--port", "0"), ("worker", "--control"), ("serve", "--port", "0")]
)
def test_nothing_that_opens_the_database_starts(
    home: Path, words: tuple[str, ...]
) -> None:
    refused = _run(home, *words)

    assert refused.returncode == 3
    assert "of the kind fuse" in refused.stderr
    assert "Move it to a disk of this machine" in refused.stderr


@pytest.mark.parametrize("module", ["jobs.control", "web.wsgi"])
def test_a_process_that_is_started_without_the_command_refuses_too(
    home: Path, module: str
) -> None:
    refused = subprocess.run(
        [sys.executable, "-m", module],
        env=_environment(home),
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert refused.returncode != 0
    assert "of the kind fuse" in refused.stderr


def test_the_doctor_names_it_with_the_repair(home: Path) -> None:
    look = cluster.CHECKS["cluster.file_systems"].look

    level, sentence, fix = look(Examined(Settings(home=home)))

    assert level is Level.FAIL
    assert f"The database lies in {home}" in sentence
    assert "copy its home to a local disk" in fix


def test_films_may_lie_on_a_share(home: Path, tmp_path: Path) -> None:
    """Only what is SQLite's is refused."""
    settings = Settings(home=tmp_path)

    assert not file_systems.of(home / "media").local
    file_systems.require_local(settings)


def _run(home: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [_MATINEE, *words],
        env=_environment(home),
        capture_output=True,
        text=True,
        timeout=60,
    )


def _environment(home: Path) -> dict[str, str]:
    root = Path(__file__).resolve().parents[2]
    return {
        **os.environ,
        "MATINEE_HOME": str(home),
        "PYTHONPATH": str(root),
    }

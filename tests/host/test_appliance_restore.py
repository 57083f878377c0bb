"""The machine is gone; on a new one everything is back, and a protected film plays."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import media_samples
from tests.host import figures, lab, viewers
from tests.host.installed import BUNDLES, Appliance
from tests.host.lab import Network, programs

pytestmark = [pytest.mark.host, pytest.mark.browser, pytest.mark.media]

BACKUPS = "/srv/backups"


@pytest.fixture
def kept(net: Network) -> Path:
    """Somewhere else: what is here outlives the machines."""
    folder = net.place / "elsewhere"
    folder.mkdir()
    return folder


@pytest.fixture
def another(net: Network, bundle: Path) -> Iterator[Appliance]:
    """A new machine of the same name, with an installation of its own."""
    box = net.add("matinee", lab.debian(), [f"{bundle.parent}:{BUNDLES}"]).start()
    another = Appliance(net, box)
    another.answers = {"matinee_admin": "somebody"}
    another.install(another.unpack(bundle))
    yield another
    net.remove(box)


@pytest.fixture
def recovery_key(appliance: Appliance, kept: Path, tmp_path: Path) -> str:
    """Let the first machine have a protected film and a backup, and destroy it."""
    film = media_samples.film(tmp_path, "Locked.mp4", seconds=12, size="640x360")
    appliance.add_film(film, "Locked", "--protect")
    appliance.box.run(f"install -d -o matinee -g matinee -m 700 {BACKUPS}")
    wishes = ("--place", BACKUPS, "--media", "all", "--key-saved")
    made = appliance.ask("backup", "create", *wishes)
    assert appliance.ask("backup", "verify", "--place", BACKUPS)
    programs.run("cp", "-a", appliance.box.root / BACKUPS[1:], kept)
    appliance.net.remove(appliance.box)
    return str(made["recovery_key"])


def test_a_protected_film_plays_on_a_new_machine(
    recovery_key: str, kept: Path, another: Appliance, chromium: Browser
) -> None:
    programs.run("cp", "-a", kept / "backups", another.box.root / "srv")
    another.box.run(f"chown -R matinee:matinee {BACKUPS}")
    wishes = ("--place", BACKUPS, "--recovery-key-stdin", "--configuration", "--yes")
    running = another.matinee(
        "backup", "restore", *wishes, check=False, said=recovery_key
    )
    assert running.returncode != 0, "it must not run while the services do"
    started = time.monotonic()

    another.box.run("systemctl", "stop", "matinee.target")
    restored = another.matinee(
        "--json", "backup", "restore", *wishes, said=f"{recovery_key}\n"
    )
    another.matinee("nginx", "install")
    another.box.run("systemctl", "start", "matinee.target")
    another.await_ready()
    with viewers.administrator(another, chromium) as visitor:
        licences: list[str] = []
        visitor.page.on(
            "request",
            lambda asked: (
                licences.append(asked.url) if "/licence/" in asked.url else None
            ),
        )
        viewers.watch(visitor, "locked", seconds=2)

    figures.tell("restore to playing", time.monotonic() - started, 300)
    assert json.loads(restored.stdout)["missing"] == []
    assert licences
    assert another.failing() == []

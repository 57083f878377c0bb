"""Upgrades of an installed appliance: forward, back, and back by itself.

Each test begins with the appliance of this tree, and bundles of releases that come
after it: one with a migration more, one whose portal is never ready.
"""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance import __version__
from tests import media_samples
from tests.host import figures, next_releases
from tests.host.conftest import Installation
from tests.host.installed import ADMINISTRATOR, BUNDLES, PASSWORD, Appliance
from tests.host.lab import Network
from tests.host.next_releases import NEWER, UNWELL

pytestmark = [pytest.mark.host, pytest.mark.media]

_NEWER, _UNWELL = "/srv/newer", "/srv/unwell"
_UNPACKED = f"/var/cache/matinee-install/matinee-{NEWER}"
_STATE = "/opt/matinee/change.json"


@pytest.fixture(scope="module")
def installed(
    net: Network,
    bundle: Path,
    installation: Installation,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Appliance]:
    """An appliance with a film, and bundles of two releases to come beside it."""
    binds = {
        BUNDLES: bundle.parent,
        _NEWER: next_releases.newer().parent,
        _UNWELL: next_releases.unwell().parent,
    }
    mounted = [f"{folder}:{place}" for place, folder in binds.items()]
    box = net.add("matinee", installation.layers, mounted)
    appliance = Appliance(net, box.start())
    appliance.await_ready()
    film = media_samples.film(
        tmp_path_factory.mktemp("film"), "first.mp4", seconds=6, size="320x180"
    )
    appliance.add_film(film, "The First")
    yield appliance
    net.remove(box)


def test_an_upgrade_keeps_films_playing_and_the_way_back_keeps_what_came_since(
    installed: Appliance,
) -> None:
    with (
        _Asking(installed, _segment(installed)) as segments,
        _Asking(installed, "/-/live") as portal,
    ):
        started = time.monotonic()
        done = installed.matinee(
            "upgrade", f"{_NEWER}/{_name(NEWER)}", "--yes", check=False
        )
        seconds = time.monotonic() - started

    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-6000:]
    figures.tell("upgrade", seconds, 120)
    figures.tell("longest wait for the portal meanwhile", portal.longest, 2)
    assert segments.refused == []
    assert portal.refused == []
    assert _current(installed) == NEWER
    assert _tables(installed, "later") == ["later"]

    installed.matinee("title", "set", "the-first", "--title", "The Last")
    back = json.loads(installed.matinee("rollback", "--yes", "--json").stdout)

    figures.tell("rollback", back["seconds"], 60)
    assert _current(installed) == __version__
    assert _tables(installed, "later") == ["later"]
    assert installed.status("/-/ready") == "200"
    assert installed.ask("title", "list")[0]["name"] == "The Last"


def test_a_release_that_is_not_well_is_taken_back_while_films_play(
    installed: Appliance,
) -> None:
    wishes = ("--seconds", "20", "--yes")
    with _Asking(installed, _segment(installed)) as segments:
        done = installed.matinee(
            "upgrade", f"{_UNWELL}/{_name(UNWELL)}", *wishes, check=False
        )

    assert done.returncode != 0
    said = " ".join((done.stdout + done.stderr).split())
    assert "after 20 seconds it was not well: release.answers" in said
    assert segments.refused == []
    assert _current(installed) == __version__
    assert installed.status("/-/ready") == "200"
    finished = installed.examine()["release.finished"]
    assert finished["level"] == "warn"
    assert UNWELL in finished["sentence"]


@pytest.mark.parametrize("step", ["snapshot", "trial", "migrate", "reload", "gate"])
def test_an_upgrade_killed_at_any_step_is_brought_to_its_end_by_the_next_run(
    installed: Appliance, step: str
) -> None:
    if not installed.box.run(
        "test", "-d", f"/opt/matinee/releases/{NEWER}", check=False
    ):
        pytest.skip("the first test installs it")
    begun = installed.box.begin(
        "/usr/local/bin/matinee", "upgrade", "--to", NEWER, "--yes"
    )
    _await_step(installed, step)
    installed.box.run("pkill --signal KILL --full 'matinee upgrade --to'")
    begun.wait(30)

    installed.matinee("upgrade", "--to", NEWER, "--yes")

    assert _current(installed) == NEWER
    assert installed.status("/-/ready") == "200"
    installed.matinee("rollback", "--yes")
    assert _current(installed) == __version__


def test_a_power_cut_in_an_upgrade_is_mended_at_the_next_start(
    installed: Appliance,
) -> None:
    installed.box.begin("/usr/local/bin/matinee", "upgrade", "--to", NEWER, "--yes")
    _await_step(installed, "reload")

    # Its start is over when it has brought the upgrade to its end.
    installed.box.restart(hard=True, seconds=300)

    installed.await_ready()
    unit = "matinee-recover.service"
    installed.box.run(
        f"until systemctl is-failed {unit} | grep -v ing; do sleep 1; done"
    )
    assert installed.box.run(f"systemctl show -P Result {unit}").stdout == "success\n"
    assert _current(installed) == NEWER
    assert installed.examine()["release.finished"]["level"] == "ok"
    assert installed.status("/-/ready") == "200"
    installed.matinee("rollback", "--yes")


def test_two_upgrades_at_once_are_refused(installed: Appliance) -> None:
    first = installed.box.begin(
        "/usr/local/bin/matinee", "upgrade", "--to", NEWER, "--yes"
    )
    _await_step(installed, "snapshot")

    second = installed.matinee("upgrade", "--to", NEWER, "--yes", check=False)

    assert second.returncode == 6
    assert first.wait(180) == 0
    installed.matinee("rollback", "--yes")


def test_a_bundle_of_another_key_or_with_a_changed_byte_is_refused(
    installed: Appliance,
) -> None:
    name = f"{_NEWER}/{_name(NEWER)}"
    installed.box.run(
        f"cp {name} /var/tmp/b && printf x | dd of=/var/tmp/b bs=1 seek=9000000"
        " conv=notrunc status=none"
    )

    altered = installed.matinee("upgrade", "/var/tmp/b", "--yes", check=False)

    installed.box.run("rm /var/tmp/b")
    assert altered.returncode == 2
    assert "not what was signed" in altered.stderr
    assert _current(installed) == __version__


class _Asking:
    """Asks for one address again and again; knows what was refused, and waits."""

    def __init__(self, appliance: Appliance, path: str) -> None:
        self.appliance, self.path = appliance, path
        self.refused: list[str] = []
        self.longest = 0.0
        self._enough = threading.Event()
        self._thread = threading.Thread(target=self._ask)

    def __enter__(self) -> "_Asking":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._enough.set()
        self._thread.join()

    def _ask(self) -> None:
        while not self._enough.wait(0.1):
            started = time.monotonic()
            status = self.appliance.status(self.path)
            self.longest = max(self.longest, time.monotonic() - started)
            if status != "200":
                self.refused.append(status)


def _segment(appliance: Appliance) -> str:
    """Open the film as a program does; return the address of its first segment."""
    said = json.dumps({"username": ADMINISTRATOR, "password": PASSWORD})
    told = _post(appliance, "/api/v1/auth/token", said)
    bearer = f"Authorization: Bearer {told['token']}"
    opened = _post(
        appliance,
        "/api/v1/playback",
        '{"title": "the-first", "device": "test"}',
        bearer,
    )
    address = opened["manifests"]["hls"].removeprefix(appliance.url)
    while address.partition("?")[0].endswith(".m3u8"):
        lines = appliance.get(address).stdout.splitlines()
        first = next(line for line in lines if line and not line.startswith("#"))
        address = f"{address.rpartition('/')[0]}/{first}"
    return str(address)


def _post(appliance: Appliance, path: str, body: str, *headers: str) -> dict[str, Any]:
    options = [word for each in headers for word in ("--header", each)]
    options += ["--header", "Content-Type: application/json", "--data", body]
    told: dict[str, Any] = json.loads(appliance.get(path, *options).stdout)
    return told


def _await_step(appliance: Appliance, step: str) -> None:
    until = time.monotonic() + 90
    place = appliance.box.root / _STATE[1:]
    while time.monotonic() < until:
        try:
            if json.loads(place.read_text())["step"] == step:
                return
        except (FileNotFoundError, ValueError):
            pass
        time.sleep(0.002)
    raise AssertionError(f"the upgrade never came to {step}")


def _name(version: str) -> str:
    return f"matinee-{version}-debian12-amd64.bundle"


def _current(appliance: Appliance) -> str:
    return appliance.box.run("basename $(readlink /opt/matinee/current)").stdout.strip()


def _tables(appliance: Appliance, name: str) -> list[str]:
    code = (
        "import sqlite3; print(*[r[0] for r in sqlite3.connect("
        "'file:/var/lib/matinee/matinee.db?mode=ro', uri=True).execute("
        f"\"select name from sqlite_master where name = '{name}'\")])"
    )
    return appliance.box.run("python3", "-c", code).stdout.split()

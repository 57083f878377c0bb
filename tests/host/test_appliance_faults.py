"""What goes wrong later on an installed machine: doctor names it with the repair."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import media_samples
from tests.host.conftest import Installation, started
from tests.host.installed import Appliance
from tests.host.lab import Network

pytestmark = [pytest.mark.host, pytest.mark.media]

MEDIA = "/srv/matinee/media"
DATABASE = "/var/lib/matinee/matinee.db"
# What the installer brings into order again, by the check that names it.
EDITED = {
    "config.generated": "echo '# mine' >>/etc/matinee/matinee.toml",
    "nginx.config": "echo '# mine' >>/etc/matinee/nginx/current/nginx.conf",
    "systemd.files": "echo '# mine' >>/etc/systemd/system/matinee-web.service",
    "systemd.units": "systemctl disable --now matinee-control.service",
}


@pytest.fixture(scope="module")
def machine(
    net: Network, bundle: Path, installation: Installation
) -> Iterator[Appliance]:
    with started(net, bundle, installation) as machine:
        yield machine


@pytest.fixture(autouse=True)
def is_well(machine: Appliance) -> None:
    assert machine.failing() == []


def test_what_was_edited_by_hand_is_named_and_the_installer_mends_it(
    machine: Appliance, installation: Installation
) -> None:
    for change in EDITED.values():
        machine.box.run(change)

    found = machine.examine("--full")

    for check in EDITED:
        assert found[check]["level"] != "ok", found[check]
        assert found[check]["fix"], check
    machine.install(installation.folder)
    machine.await_ready()
    found = machine.examine("--full")
    assert [each for each in EDITED if found[each]["level"] != "ok"] == []
    assert "# mine" in machine.box.read("/etc/matinee/matinee.toml.edited")


def test_keys_that_others_may_read_are_named_and_the_repair_helps(
    machine: Appliance,
) -> None:
    machine.box.run("chmod 644 /var/lib/matinee/keys/*.key")

    found = machine.examine()["keys.private"]

    assert found["level"] == "fail"
    machine.box.run(str(found["fix"]))
    assert machine.examine()["keys.private"]["level"] == "ok"


def test_a_secret_that_is_lost_is_named(machine: Appliance) -> None:
    machine.box.run("mv /etc/matinee/tls/key.pem /root/key.pem")

    found = machine.failing()

    assert any("/etc/matinee/tls/key.pem" in each for each in found), found
    machine.box.run("mv /root/key.pem /etc/matinee/tls/key.pem")


def test_a_database_that_is_newer_than_the_code_is_not_touched(
    machine: Appliance,
) -> None:
    machine.box.run(
        "systemctl stop matinee-web.socket matinee-web matinee-control matinee-media"
    )
    ask_database(
        machine,
        "insert into _sqlite_migrations (migration_set, name, applied_at)"
        " values ('matinee', 'of_the_future', '2030-01-01')",
    )
    before = machine.box.run("sha256sum", DATABASE).stdout

    started = machine.box.run("systemctl start matinee-control", check=False)
    found = machine.examine()["db.migrations"]

    assert started.returncode != 0
    assert found["level"] == "fail"
    assert "newer" in str(found["sentence"])
    assert machine.box.run("sha256sum", DATABASE).stdout == before
    ask_database(machine, "delete from _sqlite_migrations where name = 'of_the_future'")
    machine.box.start_units("matinee.target", "matinee-control", "matinee-media")
    machine.await_ready()


def test_a_full_disk_takes_no_film_and_says_so(
    machine: Appliance, tmp_path: Path
) -> None:
    film = machine.put(media_samples.film(tmp_path, "late.mp4", seconds=4))
    machine.box.small_disk(MEDIA, 64)
    machine.box.run(
        f"chown matinee:www-data {MEDIA}; dd if=/dev/zero of={MEDIA}/x bs=1M count=62"
    )

    refused = machine.matinee("title", "add", film, "--title", "Late", check=False)
    found = machine.examine()["disk.media"]

    assert refused.returncode != 0
    assert "disk" in refused.stderr + refused.stdout
    assert found["level"] == "fail"
    assert "no film is taken" in str(found["sentence"])
    # The services have files open there.
    machine.box.run("umount", "--lazy", MEDIA)


def ask_database(machine: Appliance, statement: str) -> None:
    script = (
        "import sqlite3, sys; db = sqlite3.connect(sys.argv[1]);"
        " db.execute(sys.argv[2]); db.commit(); db.close()"
    )
    python = "/opt/matinee/current/venv/bin/python"
    becoming = ["setpriv", "--reuid=matinee", "--regid=matinee", "--init-groups", "--"]
    machine.box.run(*becoming, python, "-c", script, DATABASE, statement)

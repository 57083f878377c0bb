"""Backups, a restore and a standby by Ansible, on machines of their own.

The second machine takes over when the plug of the first is pulled.
"""

import subprocess
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.host import figures, lab
from tests.host.cluster_boxes import Cluster
from tests.host.installed import ADMINISTRATOR, PASSWORD, Appliance, changed
from tests.host.lab import Network, seat
from tests.host.lab.network import SUBNET
from tests.pipeline.served_home import until

pytestmark = pytest.mark.host

FIRST, SECOND = "first", "second"
_S3_PORT = 9001
_S3 = ("MATINEETESTS", "a-secret-of-the-tests")


@pytest.fixture(scope="module")
def pair(net: Network, bundle: Path) -> Iterator[Cluster]:
    """Two machines, and an object storage at the operator's seat."""
    for name in (FIRST, SECOND):
        net.add(name, lab.debian()).start()
    storage = _object_storage(net)
    try:
        cluster = Cluster(net, seat.take(net, bundle), _inventory(net))
        cluster.play("site.yml")
        yield cluster
    finally:
        storage.terminate()
        storage.wait()
        for name in (FIRST, SECOND):
            net.remove(net.boxes[name])


def test_backups_are_made_and_restored_by_ansible(pair: Cluster) -> None:
    first = _appliance(pair, FIRST)
    assert first.box.run("systemctl is-active matinee-copies.service").stdout.strip()

    pair.play("backup.yml", "-e", "backup_verify=true")
    (backup,) = first.ask("backup", "list")
    assert backup["verified_at"]

    first.matinee("user", "add", "later", "--password-stdin", said=PASSWORD)
    pair.play("restore.yml")
    first.await_ready()
    assert [each["username"] for each in first.ask("user", "list")] == [ADMINISTRATOR]


def test_a_standby_is_kept_ready_by_its_timer_and_nothing_else_runs(
    pair: Cluster,
) -> None:
    first, second = _appliance(pair, FIRST), _appliance(pair, SECOND)
    pair.play("standby.yml")
    again = pair.play("standby.yml")
    assert " changed=0 " in again.stdout.splitlines()[-2], changed(again)

    first.box.start_units("matinee-backup.service")
    newest = str(first.ask("backup", "list")[0]["name"])
    assert _brought(second) != newest
    second.box.start_units("matinee-standby.service")
    assert _brought(second) == newest

    second.box.restart()
    active = second.box.run(
        "systemctl list-units --plain --no-legend --state=active,activating 'matinee*'"
        " | cut -d' ' -f1"
    )
    assert active.stdout.split() == ["matinee-standby.timer"]


def test_it_takes_over_when_the_plug_of_the_other_is_pulled(pair: Cluster) -> None:
    first, second = _appliance(pair, FIRST), _appliance(pair, SECOND)
    for name in ("vera", "last"):
        before = _last_copied(pair.net)
        first.matinee("user", "add", name, "--password-stdin", said=PASSWORD)
        until(partial(_copied, pair.net, before), 60)
    first.box.stop(hard=True)
    died = time.monotonic()
    second.matinee("backup", "standby", "--yes")
    second.matinee("nginx", "install")
    second.box.run("systemctl enable --now matinee.target")
    second.await_ready()
    figures.tell("from a pulled plug to the standby", time.monotonic() - died, 60)
    names = {each["username"] for each in second.ask("user", "list")}
    # The copy that was begun when the second was added holds the first.
    assert names - {"last"} == {ADMINISTRATOR, "vera"}


def test_what_was_written_since_is_not_replaced_by_a_backup(pair: Cluster) -> None:
    second = _appliance(pair, SECOND)
    second.matinee("user", "add", "after", "--password-stdin", said=PASSWORD)

    second.box.run("systemctl stop matinee.target")
    second.box.start_units("matinee-standby.service")
    refused = pair.play("standby.yml", check=False)
    second.box.start_units("matinee.target")

    assert refused.returncode != 0
    assert "second runs Matinee itself" in " ".join(refused.stdout.split())
    second.await_ready()
    assert "after" in {each["username"] for each in second.ask("user", "list")}


def _brought(appliance: Appliance) -> str:
    """Return the backup that a standby has."""
    return appliance.box.read("/var/lib/matinee/state/stands-by")


def _copied(net: Network, before: tuple[str, str]) -> bool:
    """Say whether a later change lies in the object storage."""
    return _last_copied(net) > before


def _last_copied(net: Network) -> tuple[str, str]:
    """Return the last generation and its last change: copies are FIRST-LAST.ltx.

    Each generation, as after a restore, counts its changes from one.
    """
    copies = net.place / "backups-s3" / "films" / "copies"
    found = (
        (path.relative_to(copies).parts[0], path.stem.partition("-")[2])
        for path in copies.rglob("*.ltx")
    )
    return max(found, default=("", ""))


def _appliance(pair: Cluster, name: str) -> Appliance:
    # The one that takes over is called by the name of the other.
    return Appliance(pair.net, pair.net.boxes[name], name=FIRST)


def _inventory(net: Network) -> Path:
    folder = net.place / "pair"
    folder.mkdir()
    access, secret = _S3
    _secret(folder / "password", PASSWORD)
    _secret(
        folder / "backup.toml",
        f'[s3]\naccess_key = "{access}"\nsecret_key = "{secret}"\n'
        f'endpoint = "http://{SUBNET}.1:{_S3_PORT}"\n',
    )
    told = {
        "matinee_small_machine": True,
        "matinee_public_url": f"https://{FIRST}.test",
        "matinee_admin": ADMINISTRATOR,
        "matinee_admin_password_file": str(folder / "password"),
        "matinee_backup_credentials": str(folder / "backup.toml"),
        "matinee_backup_recovery_key_file": str(folder / "recovery-key"),
        "matinee_settings": {
            "backup": {"place": "s3:films/backups", "copies": "s3:films/copies"},
            # The seat of whoever tests asks whether it is ready.
            "nginx": {"internal_networks": f"127.0.0.0/8, ::1, {SUBNET}.1"},
        },
    }
    groups = {"control": [FIRST], "standby": [SECOND]}
    return seat.inventory(net, groups, dict.fromkeys(groups, told))


def _secret(path: Path, text: str) -> None:
    path.touch(0o600)
    path.write_text(text)


def _object_storage(net: Network) -> "subprocess.Popen[bytes]":
    root = net.place / "backups-s3"
    (root / "films").mkdir(parents=True)
    rclone = Path(sys.executable).with_name("rclone")
    access, secret = _S3
    return subprocess.Popen(
        net.inside(
            *(rclone, "serve", "s3", "--config", ""),
            *("--addr", f"{SUBNET}.1:{_S3_PORT}", root),
        ),
        env={"RCLONE_AUTH_KEY": f'"{access},{secret}"', "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

"""What goes wrong while it is installed is named, and trying again helps."""

import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host import lab
from tests.host.installed import BUNDLES, Appliance
from tests.host.lab import Box, Network

pytestmark = pytest.mark.host

LOG = "/var/log/matinee-install.log"
# At which tasks the plug is pulled, counted from the beginning of each try.
PULLED_AT = (12, 20, 30, 40, 50)
PATIENCE_SECONDS = 600
_TEMPORARY = ("/proc", "/sys", "/run", "/tmp", "/var/tmp", "/var/log", "/root")


@pytest.fixture
def bare(net: Network, bundle: Path) -> Iterator[Appliance]:
    """A machine with nothing but Debian, and the bundle unpacked on it."""
    box = net.add("matinee", lab.debian(), [f"{bundle.parent}:{BUNDLES}"])
    yield Appliance(net, box.start())
    net.remove(box)


def test_who_holds_the_port_is_named_and_nothing_is_changed(
    bare: Appliance, bundle: Path
) -> None:
    folder = bare.unpack(bundle)
    bare.box.run("systemd-run --quiet --unit=other-web python3 -m http.server 443")
    bare.box.run("until ss -Hltn | grep -q :443; do sleep 0.1; done")
    before = files_of(bare.box)

    refused, _ = bare.install(folder, check=False)

    assert refused.returncode != 0
    said = " ".join((refused.stdout + refused.stderr).split())
    assert "Port 443 (HTTPS) is held by python3" in said
    assert "systemctl disable --now other-web.service" in said
    assert files_of(bare.box) == before
    looked, _ = bare.install(folder, "--preflight", check=False)
    assert looked.returncode == 3


def test_a_small_disk_is_named_and_nothing_is_changed(
    bare: Appliance, bundle: Path
) -> None:
    folder = bare.unpack(bundle)
    bare.box.small_disk("/opt", 300)
    before = files_of(bare.box)

    refused, _ = bare.install(folder, check=False)

    assert refused.returncode != 0
    said = " ".join((refused.stdout + refused.stderr).split())
    assert "/opt has 300 MiB free" in said
    assert files_of(bare.box) == before


def test_a_damaged_bundle_is_refused(bare: Appliance, bundle: Path) -> None:
    folder = bare.unpack(bundle)
    before = files_of(bare.box)
    bare.box.run(f"echo altered >>{folder}/ansible/site.yml")

    refused, _ = bare.install(folder, check=False)

    assert refused.returncode == 3
    assert "Nothing was changed" in refused.stderr
    assert files_of(bare.box) == before


def test_power_cuts_and_a_second_installer_do_no_harm(
    bare: Appliance, bundle: Path
) -> None:
    folder = bare.unpack(bundle)
    bare.write_answers()
    for number in PULLED_AT:
        with Path(bare.box.place / "cut.log").open("wb") as said:
            trying = bare.box.begin(*bare.command(folder), output=said)
        if not came_to(bare.box, trying, number):
            break
        second = bare.box.run(*bare.command(folder), check=False)
        assert second.returncode == 6, second.stderr
        bare.box.restart(hard=True)

    bare.install(folder)

    bare.await_ready()
    assert bare.failing() == []
    again, _ = bare.install(folder)
    assert "changed=0" in again.stdout


def test_a_disk_that_fills_up_half_way_is_named_and_room_helps(
    bare: Appliance, bundle: Path
) -> None:
    folder = bare.unpack(bundle)
    bare.box.small_disk("/opt", 2600)
    bare.write_answers()
    with Path(bare.box.place / "full.log").open("w+b") as said:
        trying = bare.box.begin(*bare.command(folder), output=said)
        await_path(bare.box, "/opt/matinee/releases")
        bare.box.run("dd if=/dev/zero of=/opt/filling bs=1M status=none", check=False)
        assert trying.wait(PATIENCE_SECONDS) != 0
        said.seek(0)
        assert b"No space left on device" in said.read()

    bare.box.run("rm /opt/filling")
    bare.install(folder)

    bare.await_ready()
    assert bare.failing() == []


def came_to(box: Box, trying: "subprocess.Popen[bytes]", number: int) -> bool:
    """Wait until the try has come to its n-th task; False when it ended before."""
    earlier = tasks_of(box)
    until = time.monotonic() + PATIENCE_SECONDS
    while tasks_of(box) - earlier < number:
        if trying.poll() is not None:
            return False
        assert time.monotonic() < until
        time.sleep(0.1)
    return True


def tasks_of(box: Box) -> int:
    log = box.root / LOG[1:]
    return log.read_text(errors="replace").count("TASK [") if log.exists() else 0


def await_path(box: Box, path: str) -> None:
    box.run(f"until test -e {path}; do sleep 0.1; done", seconds=PATIENCE_SECONDS)


def files_of(box: Box) -> str:
    """List what is on the machine's disk but what is temporary, and when it changed."""
    apart = " -o ".join(f"-path {each}" for each in _TEMPORARY)
    return box.run(
        f"find / -xdev '(' {apart} ')' -prune -o -type f -printf '%p %s %T@\\n' | sort"
    ).stdout

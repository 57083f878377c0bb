"""What an operator does with an appliance later: new answers, a firewall, removal."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host.conftest import Installation, started
from tests.host.installed import ADMINISTRATOR, PASSWORD, Appliance
from tests.host.lab import Network

pytestmark = pytest.mark.host

ANSWERS = "/etc/matinee/answers.yml"
# Where the bundle lies, what tests bring, and what is written on everything that ran.
_APART = ("/proc", "/sys", "/run", "/root", "/srv/bundles", "/var/log/journal")


@pytest.fixture(scope="module")
def machine(
    net: Network, bundle: Path, installation: Installation
) -> Iterator[Appliance]:
    with started(net, bundle, installation) as machine:
        yield machine


def test_changed_answers_are_applied(machine: Appliance) -> None:
    answer(machine, matinee_settings={"portal": {"name": "Kino Babylon"}})

    assert "Kino Babylon" in machine.get("/login").stdout
    assert machine.failing() == []


def test_the_firewall_lets_in_what_is_meant_and_nothing_else(
    machine: Appliance,
) -> None:
    machine.box.run("systemd-run --quiet --unit=other python3 -m http.server 8081")
    machine.box.run("until ss -Hltn | grep -q :8081; do sleep 0.1; done")
    assert reaches(machine, 8081)

    answer(machine, matinee_firewall=True)

    assert [port for port in (22, 80, 443, 8081) if reaches(machine, port)] == [
        *(22, 80, 443)
    ]
    assert machine.status("/-/live") == "200"
    answer(machine, matinee_firewall_trusted=[f"{machine.box.address}/24"])
    assert reaches(machine, 8081)
    machine.box.run("systemctl stop other.service")


def test_removed_its_data_stay_and_installed_again_it_goes_on(
    machine: Appliance, installation: Installation
) -> None:
    machine.matinee("user", "add", "vera", "--password-stdin", said=PASSWORD)

    machine.matinee("uninstall", "--yes")

    assert machine.units() == []
    assert not (machine.box.root / "opt/matinee").exists()
    assert machine.box.run("pgrep -u matinee", check=False).stdout == ""
    assert not reaches(machine, 443)
    machine.install(installation.folder)
    machine.await_ready()
    names = [each["username"] for each in machine.ask("user", "list")]
    assert sorted(names) == sorted([ADMINISTRATOR, "vera"])
    assert machine.failing() == []


def test_who_removes_the_data_too_types_the_name_of_the_machine(
    machine: Appliance,
) -> None:
    wrong = machine.matinee(
        "uninstall", "--purge", "--yes", said="another\n", check=False
    )
    assert wrong.returncode == 1
    assert machine.status("/-/live") == "200"

    machine.matinee("uninstall", "--purge", "--yes", said=f"{machine.box.name}\n")

    apart = " -o ".join(f"-path {each}" for each in _APART)
    left = machine.box.run(
        f"find / -xdev '(' {apart} ')' -prune -o -name '*matinee*' -print"
    ).stdout
    assert left == ""
    assert machine.box.run("id matinee", check=False).returncode != 0


def answer(machine: Appliance, **more: object) -> None:
    """Change the answers of the installation, and apply them."""
    kept = json.loads(machine.box.read(ANSWERS))
    machine.box.write(ANSWERS, json.dumps(kept | more), 0o600)
    machine.matinee("config", "apply", "--yes")


def reaches(machine: Appliance, port: int) -> bool:
    """Say whether a port of the machine takes a call from its network."""
    script = f"exec 3<>/dev/tcp/{machine.box.address}/{port}"
    asking = ("timeout", "2", "bash", "-c", script)
    return machine.net.run(*asking, check=False).returncode == 0

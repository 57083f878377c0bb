"""The operator's seat: Ansible over ssh from the lab's first address, as customers do.

Ansible runs on this machine, in the lab's network, and is the one that a bundle brings.
"""

import json
import tempfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tests.host.lab.network import Network
from tests.host.lab.programs import CLEAN, Done, run


@dataclass(frozen=True)
class Seat:
    """A bundle that lies unpacked beside the boxes, with its Ansible."""

    net: Network
    bundle: Path
    program: Path

    def play(self, name: str, inventory: Path, *more: str, check: bool = True) -> Done:
        """Run a playbook of the bundle on the boxes of an inventory."""
        folder = self.bundle / "ansible"
        command = [str(self.program), "-i", str(inventory), *more, name]
        return run(
            *self.net.inside(*command),
            env=CLEAN | _settings(self.net, folder),
            cwd=folder,
            check=check,
            seconds=1800,
        )


def take(net: Network, bundle: Path) -> Seat:
    """Unpack a bundle, and install its Ansible, on this machine."""
    place = net.place / f"seat-{bundle.parent.name}"
    python = place / "venv" / "bin" / "python"
    program = python.with_name("ansible-playbook")
    if program.exists():
        return Seat(net, _unpacked(place), program)
    place.mkdir()
    run("tar", "-x", "--no-same-owner", "-f", bundle, "-C", place)
    wheels = _unpacked(place) / "wheelhouse"
    run("/usr/bin/python3", "-m", "venv", "--without-pip", place / "venv")
    [pip] = wheels.glob("pip-*.whl")
    offline = ("--quiet", "--no-index", "--no-compile", f"--find-links={wheels}")
    run(python, pip / "pip", "install", *offline, "ansible-core")
    return Seat(net, _unpacked(place), program)


def _unpacked(place: Path) -> Path:
    [folder] = place.glob("matinee-*")
    return folder


def ssh(net: Network, address: str, line: str, words: str = "") -> Done:
    """Run a line of shell on a box the way an operator does."""
    options = [each for pair in _OPTIONS for each in ("-o", pair)]
    target = ["-i", str(net.key), *options, f"root@{address}", line]
    return net.run("ssh", *target, words=words)


def inventory(
    net: Network,
    groups: Mapping[str, Iterable[str]],
    told: Mapping[str, Mapping[str, Any]] = MappingProxyType({}),
) -> Path:
    """Write an inventory of names of boxes by group, and what each group is told.

    It is a folder, as operators have it: what stands in a file of hosts would count
    less than what the playbooks bring themselves.
    """
    folder = Path(tempfile.mkdtemp(prefix="inventory-", dir=net.place))
    said = folder / "group_vars"
    said.mkdir()
    children = {
        group: {"hosts": {e: {"ansible_host": net.boxes[e].address} for e in names}}
        for group, names in groups.items()
    }
    everything: dict[str, Mapping[str, Any]] = {"all": {}, **told}
    for group, values in everything.items():
        more = {"ansible_user": "root"} if group == "all" else {}
        # JSON is YAML
        (said / f"{group}.yml").write_text(json.dumps({**more, **values}, indent=1))
    (folder / "hosts.yml").write_text(json.dumps({"all": {"children": children}}))
    return folder


_OPTIONS = (
    "StrictHostKeyChecking=no",
    "UserKnownHostsFile=/dev/null",
    "LogLevel=ERROR",
)


def _settings(net: Network, folder: Path) -> dict[str, str]:
    ssh_options = [
        *_OPTIONS,
        "ControlMaster=auto",
        "ControlPersist=60s",
        f"ControlPath={net.place}/ssh-%h",
    ]
    found = {
        "ANSIBLE_PRIVATE_KEY_FILE": str(net.key),
        "ANSIBLE_SSH_ARGS": " ".join(f"-o {each}" for each in ssh_options),
        "ANSIBLE_LOCAL_TEMP": str(net.place / "ansible"),
        "ANSIBLE_HOME": str(net.place / "ansible-home"),
    }
    if (config := folder / "ansible.cfg").is_file():
        found["ANSIBLE_CONFIG"] = str(config)
    return found

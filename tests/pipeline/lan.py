"""A small network of its own: machines as network namespaces on one switch.

Nothing of the network of this machine is touched. Needs root.
"""

import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import pytest

_NETWORK = "10.77.0"

needs_lan = pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("ip") is None,
    reason="network namespaces need root and iproute2",
)


@dataclass(frozen=True, slots=True)
class Machine:
    """One namespace with one interface."""

    namespace: str
    address: str

    def command(self, *words: str) -> list[str]:
        """Return the command that runs another one on this machine."""
        return ["nsenter", f"--net=/run/netns/{self.namespace}", "--", *words]


@dataclass
class Lan:
    """A switch; each cable to it can be pulled and plugged in again."""

    tag: str
    machines: dict[str, Machine] = field(default_factory=dict)

    def machine(self, name: str) -> Machine:
        """Plug in another machine."""
        number = len(self.machines) + 1
        found = Machine(f"{self.tag}-{name}", f"{_NETWORK}.{number}")
        _ip("netns", "add", found.namespace)
        self.machines[name] = found
        peer = ("type", "veth", "peer", "name", "eth0", "netns", found.namespace)
        _ip("-n", self.tag, "link", "add", name, *peer)
        _ip("-n", self.tag, "link", "set", name, "master", "switch", "up")
        _ip("-n", found.namespace, "addr", "add", f"{found.address}/24", "dev", "eth0")
        for interface in ("eth0", "lo"):
            _ip("-n", found.namespace, "link", "set", interface, "up")
        return found

    def cut(self, name: str) -> None:
        """Pull the cable of a machine: nobody tells the two ends."""
        _ip("-n", self.tag, "link", "set", name, "down")

    def mend(self, name: str) -> None:
        _ip("-n", self.tag, "link", "set", name, "up")


@contextmanager
def lan() -> Iterator[Lan]:
    """Build a network; take it down with everything that is plugged in."""
    found = Lan(f"matinee-{secrets.token_hex(3)}")
    _ip("netns", "add", found.tag)
    try:
        _ip("-n", found.tag, "link", "add", "switch", "type", "bridge")
        _ip("-n", found.tag, "link", "set", "switch", "up")
        yield found
    finally:
        for machine in found.machines.values():
            _ip("netns", "del", machine.namespace)
        _ip("netns", "del", found.tag)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)

"""A network of boxes: one namespace with a bridge, and if wished a way out.

The machine's own network is left alone: no address, rule or interface of it changes.
Out of the lab leads slirp4netns, in user mode; without it the boxes are cut off.
Whoever runs a command by ``Network.run`` sits on the bridge, at its first address.
"""

import itertools
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from tests.host.lab import cgroups, remains
from tests.host.lab.box import Box
from tests.host.lab.places import PREFIX, RUNS
from tests.host.lab.programs import CLEAN, Done, run

SUBNET = "10.77.0"
_FIRST = 11
_ROOT = Path(__file__).resolve().parents[3]
_counted = itertools.count()


class Network:
    """Boxes that reach one another; ``with`` takes all of it away in the end."""

    def __init__(self) -> None:
        number = next(_counted)
        self.tag = f"{PREFIX}{os.getpid()}" + (f"x{number}" if number else "")
        self.name = f"{self.tag}-wan"
        self.place = RUNS / self.tag
        self.boxes: dict[str, Box] = {}
        self._laid = itertools.count()
        self._way_out: subprocess.Popen[bytes] | None = None
        self._forwards: list[subprocess.Popen[str]] = []
        self._lay()

    def __enter__(self) -> "Network":
        return self

    def __exit__(self, *_: object) -> None:
        self.destroy()

    def add(self, name: str, layers: Sequence[Path], binds: Sequence[str] = ()) -> Box:
        """Lay out a new box; all boxes know it by its name, and by NAME.test."""
        place = self.place / f"{next(self._laid)}-{name}"
        box = Box(self.name, place, self._free_address(), layers, binds)
        self.boxes[name] = box
        box.write(
            "/root/.ssh/authorized_keys", self.key.with_suffix(".pub").read_text()
        )
        self._tell_names()
        return box

    def remove(self, box: Box) -> None:
        """Take a box away."""
        box.destroy()
        if self.boxes.get(box.name) is box:
            del self.boxes[box.name]
            self._tell_names()

    def layers_of(self, box: Box) -> list[Path]:
        """Shut a box down for good; return layers that new boxes can start from.

        They live as long as the network does.
        """
        layers = box.as_layers()
        del self.boxes[box.name]
        self._tell_names()
        return layers

    def run(
        self,
        *argv: str | Path,
        check: bool = True,
        words: str = "",
        seconds: float = 900,
    ) -> Done:
        """Run a program of this machine in the lab's network."""
        entered = self.inside(*argv)
        return run(*entered, check=check, words=words, env=CLEAN, seconds=seconds)

    def inside(self, *argv: str | Path) -> list[str]:
        """Return the command that runs a program in the lab's network."""
        return ["nsenter", f"--net=/run/netns/{self.name}", *map(str, argv)]

    def open(self) -> "Network":
        """Let the boxes reach what this machine reaches: the registries."""
        ready, told = os.pipe()
        with (self.place / "slirp.log").open("wb") as log:
            self._way_out = subprocess.Popen(
                [
                    "slirp4netns",
                    "--configure",
                    "--mtu=1400",
                    "--disable-host-loopback",
                    f"--ready-fd={told}",
                    "--netns-type=path",
                    f"/run/netns/{self.name}",
                    "tap0",
                ],
                pass_fds=[told],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        os.close(told)
        os.read(ready, 1)
        os.close(ready)
        self.run("sysctl", "-qw", "net.ipv4.ip_forward=1")
        self.run("nft", "-f", "-", words=_MASQUERADE)
        return self

    def close(self) -> None:
        """Cut the lab off from everything else."""
        if self._way_out is not None:
            self._way_out.terminate()
            self._way_out.wait()
            self._way_out = None
            self.run("nft", "delete", "table", "ip", "out")

    def forward(self, box: Box, port: int) -> int:
        """Return a port of 127.0.0.1 on this machine that leads to one of a box."""
        module = "tests.host.lab.forwarding"
        process = subprocess.Popen(
            [sys.executable, "-m", module, self.name, box.address, str(port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
            cwd=_ROOT,
        )
        self._forwards.append(process)
        assert process.stdout is not None
        return int(process.stdout.readline())

    @property
    def key(self) -> Path:
        """The key by which ssh opens each box; its public part lies beside it."""
        return self.place / "key"

    def destroy(self) -> None:
        """Take all of it away."""
        for forward in self._forwards:
            forward.terminate()
            forward.wait()
            if forward.stdout is not None:
                forward.stdout.close()
        for box in list(self.boxes.values()):
            self.remove(box)
        self.close()
        for process in run(
            "ip", "netns", "pids", self.name, check=False
        ).stdout.split():
            with suppress(
                ProcessLookupError
            ):  # masters of ssh connections and the like
                os.kill(int(process), signal.SIGTERM)
        run("ip", "netns", "del", self.name)
        cgroups.remove(self.tag)
        run("umount", "-l", self.place)
        shutil.rmtree(self.place, ignore_errors=True)

    def remains(self) -> list[str]:
        """Return what is left of it on this machine."""
        return remains.of(self.tag)

    def cpu_seconds(self) -> float:
        """Return how long processors have worked for all boxes."""
        return cgroups.cpu_seconds(self.tag)

    def _free_address(self) -> str:
        taken = {box.address for box in self.boxes.values()}
        every = (f"{SUBNET}.{number}" for number in itertools.count(_FIRST))
        return next(each for each in every if each not in taken)

    def _lay(self) -> None:
        # What runs write is kept in memory: no waiting for a disk, and one umount
        # takes it away.
        self.place.mkdir(parents=True)
        size = "size=8g,mode=755"
        run("mount", "-t", "tmpfs", "-o", size, self.tag, self.place)
        run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.key)
        run("ip", "netns", "add", self.name)
        for line in (
            "link set lo up",
            "link add br0 type bridge",
            f"addr add {SUBNET}.1/24 dev br0",
            "link set br0 up",
        ):
            run("ip", "-n", self.name, *line.split())

    def _tell_names(self) -> None:
        known = "".join(
            f"{box.address} {name} {name}.test\n" for name, box in self.boxes.items()
        )
        for box in self.boxes.values():
            box.write("/etc/hosts", f"127.0.0.1 localhost\n{known}")


_MASQUERADE = """
table ip out {
  chain after {
    type nat hook postrouting priority 100;
    oifname "tap0" masquerade
  }
}
"""

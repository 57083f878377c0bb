"""One machine of the lab: a real systemd over a cached Debian, in its own namespaces.

It is a systemd-nspawn container with a **user namespace, always**, and it is entered
with one: without it ``nsenter`` keeps the whole machine's rights, and a ``date -s`` in
a box would set the machine's clock. Inside it nobody can set a clock, make a device or
change a kernel setting that is not the box's own.
"""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from tests.host.lab import cgroups
from tests.host.lab.places import FIRST_UID, UIDS
from tests.host.lab.programs import CLEAN, Done, Failed, run

_UP = ("running", "degraded")
_BOOT_SECONDS = 90
_NAMESPACES = ["-m", "-u", "-i", "-n", "-p", "-C", "-r", "-w"]
# Processes put themselves into the box's groups before they become nspawn.
_JOIN = 'while [ "$1" != -- ]; do echo 0 >"$1"; shift; done; shift; exec "$@"'


class Box:
    """A machine; ``with`` starts it and takes it away."""

    def __init__(
        self,
        network: str,
        place: Path,
        address: str,
        layers: Sequence[Path],
        binds: Sequence[str] = (),
    ) -> None:
        """Lay out its file system in a folder called NUMBER-NAME.

        ``binds`` are FROM:TO folders that it may read.
        """
        self.network, self.place, self.address = network, place, address
        self.name = place.name.partition("-")[2]
        self.layers, self.binds = list(layers), list(binds)
        self.tag = network.removesuffix("-wan")
        self.root = self.place / "merged"
        self.boot_seconds = 0.0
        self._leader = 0
        self._cable = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._begun: list[subprocess.Popen[bytes]] = []
        self._mount()
        self._settle_in()

    def __enter__(self) -> "Box":
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.destroy()

    @property
    def is_up(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, seconds: float = _BOOT_SECONDS) -> "Box":
        """Boot, and wait until systemd has started what it should."""
        started = time.monotonic()
        groups = cgroups.make(f"{self.tag}/{self.name}")
        with (self.place / "console.log").open("ab") as console:
            self._process = subprocess.Popen(
                ["sh", "-c", _JOIN, "sh", *map(str, groups), "--", *self._nspawn()],
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=subprocess.STDOUT,
                env=CLEAN
                | {
                    # net.* settings are the box's own; its control groups look as on
                    # a plain Debian.
                    "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "network",
                    "SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1",
                },
            )
        self._await(started + seconds)
        self._cable = self._port()
        self.boot_seconds = time.monotonic() - started
        return self

    def run(
        self, *argv: str, check: bool = True, words: str = "", seconds: float = 900
    ) -> Done:
        """Run a command in the box as root; a single argument is a line of shell."""
        entered = [*self._enter(), *_command(argv)]
        return run(*entered, check=check, words=words, env=CLEAN, seconds=seconds)

    def start_units(self, *units: str) -> None:
        """Have systemd start units; where one fails, what it said is told."""
        said = " ".join(f"-u {each}" for each in units)
        self.run(
            f"systemctl start {' '.join(units)}"
            f" || {{ journalctl --no-pager -n 40 {said} >&2; exit 1; }}"
        )

    def begin(
        self, *argv: str, output: IO[bytes] | int = subprocess.DEVNULL
    ) -> subprocess.Popen[bytes]:
        """Start a command in the box and do not wait for it."""
        self._begun.append(
            subprocess.Popen(
                [*self._enter(), *_command(argv)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=CLEAN,
            )
        )
        return self._begun[-1]

    def ask(self, *argv: str) -> Any:
        """Return the document that a command with ``--json`` prints."""
        return json.loads(self.run(*argv).stdout)

    def stop(self, *, hard: bool = False) -> None:
        """Shut it down in order, or ``hard``: pull the plug."""
        if self._process is not None and self.is_up:
            os.kill(self._leader, signal.SIGKILL if hard else signal.SIGRTMIN + 4)
            try:
                self._process.wait(60)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._leader = 0
        if self._cable:
            # Left to itself the kernel takes its time, and the name is wanted again.
            run("ip", "-n", self.network, "link", "delete", self._cable, check=False)
            self._cable = ""
        for begun in self._begun:
            begun.wait()
        self._begun.clear()

    def restart(self, *, hard: bool = False, seconds: float = _BOOT_SECONDS) -> None:
        """Shut it down, or pull the plug, and boot it with what its disk has."""
        self.stop(hard=hard)
        self.start(seconds)

    def cut(self) -> None:
        """Pull its network cable."""
        run("ip", "-n", self.network, "link", "set", self._cable, "down")

    def mend(self) -> None:
        """Put the network cable back."""
        run("ip", "-n", self.network, "link", "set", self._cable, "up")

    def freeze(self, frozen: bool = True) -> None:
        """Stop all its processes where they are, or let them go on."""
        cgroups.freeze(f"{self.tag}/{self.name}", frozen)

    def small_disk(self, place: str, megabytes: int) -> None:
        """Mount a small disk in the box, which a reboot empties."""
        size = f"size={megabytes}m,mode=755"
        self.run(f"mkdir -p {place}; mount -t tmpfs -o {size} small {place}")

    def write(self, path: str, text: str, mode: int = 0o644) -> None:
        """Write a file of root's, whether the box is up or not."""
        file = self.root / path.lstrip("/")
        made = [each for each in file.parents if not each.exists()]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
        file.chmod(mode)
        for each in (file, *made):
            os.chown(each, FIRST_UID, FIRST_UID)

    def read(self, path: str) -> str:
        return (self.root / path.lstrip("/")).read_text()

    def console(self) -> str:
        """Return the end of what the console showed."""
        return (self.place / "console.log").read_text(errors="replace")[-3000:]

    def as_layers(self) -> list[Path]:
        """Shut it down for good; see ``Network.layers_of``."""
        self.stop()
        cgroups.remove(f"{self.tag}/{self.name}")
        self._unmount()
        return [self.place / "upper", *self.layers]

    def destroy(self) -> None:
        """Take it away with all it has."""
        self.stop(hard=True)
        cgroups.remove(f"{self.tag}/{self.name}")
        self._unmount()
        shutil.rmtree(self.place, ignore_errors=True)

    def _mount(self) -> None:
        for each in ("upper", "work", "merged"):
            (self.place / each).mkdir(parents=True)
        os.chown(self.place / "upper", FIRST_UID, FIRST_UID)
        lower = ":".join(map(str, self.layers))
        upper = f"upperdir={self.place}/upper,workdir={self.place}/work"
        # volatile: what a test wrote is not waited for
        options = f"lowerdir={lower},{upper},volatile"
        run("mount", "-t", "overlay", "overlay", "-o", options, self.root)

    def _unmount(self) -> None:
        if self.root.is_mount():
            run("umount", self.root, check=False)

    def _settle_in(self) -> None:
        """Write what tells one machine from another."""
        gateway = self.address.rsplit(".", 1)[0] + ".1"
        self.write(
            "/etc/systemd/network/10-host0.network",
            f"[Match]\nName=host0\n[Network]\nAddress={self.address}/24\n"
            f"Gateway={gateway}\nDHCP=no\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n",
        )
        self.write("/etc/hostname", f"{self.name}\n")
        self.write("/etc/machine-id", "")
        (self.root / "etc/resolv.conf").unlink(missing_ok=True)
        # the name server that slirp4netns plays
        self.write("/etc/resolv.conf", "nameserver 10.0.2.3\noptions timeout:2\n")

    def _nspawn(self) -> list[str]:
        return [
            "nsenter",
            f"--net=/run/netns/{self.network}",
            "systemd-nspawn",
            "--quiet",
            "--boot",
            f"--private-users={FIRST_UID}:{UIDS}",
            "--private-users-ownership=off",
            "--register=no",
            "--keep-unit",
            "--console=read-only",
            "--resolv-conf=off",
            "--timezone=off",
            "--link-journal=no",
            f"--machine={self.tag}-{self.name}",
            "--network-bridge=br0",
            *(f"--bind-ro={each}" for each in self.binds),
            f"--directory={self.root}",
        ]

    def _enter(self) -> list[str]:
        assert self._leader, f"the box {self.name} is not up"
        # -U first of all, see above
        into = ["-U", "-S", "0", "-G", "0", *_NAMESPACES]
        return ["nsenter", "-t", str(self._leader), *into]

    def _await(self, until: float) -> None:
        assert self._process is not None
        while time.monotonic() < until:
            if self._process.poll() is not None:
                raise Failed(f"the box {self.name} ended:\n{self.console()}")
            children = run("pgrep", "-P", str(self._process.pid), check=False).stdout
            if children:
                self._leader = int(children.split()[-1])
                state = self.run("systemctl", "is-system-running", check=False)
                if state.stdout.strip().splitlines()[-1:] in ([each] for each in _UP):
                    return
            time.sleep(0.05)
        raise Failed(f"the box {self.name} did not come up:\n{self.console()}")

    def _port(self) -> str:
        """Return the bridge's end of the box's cable."""
        peer = int(self.run("cat /sys/class/net/host0/iflink").stdout)
        links = json.loads(run("ip", "-n", self.network, "-j", "link").stdout)
        return next(str(each["ifname"]) for each in links if each["ifindex"] == peer)


def _command(argv: tuple[str, ...]) -> list[str]:
    return ["bash", "-ec", argv[0]] if len(argv) == 1 else list(argv)

"""A virtual machine in qemu, without any help of the processor: slow, and real.

What boxes only pretend to enforce (memory, tasks) a machine of its own enforces.
"""

import base64
import json
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.host.lab.programs import Done, run
from tests.host.served_nginx import free_port

_FIRMWARE = Path("/usr/share/OVMF")
_CREDENTIAL = "io.systemd.credential.binary"


@dataclass
class Virtual:
    """A running machine: its ports 443 and 22 are ours on loopback."""

    place: Path
    https: int
    ssh: int
    process: subprocess.Popen[bytes]
    began: float = field(default_factory=time.monotonic)
    _cable: socket.socket | None = None

    @property
    def console(self) -> str:
        path = self.place / "console.log"
        return path.read_text(errors="replace") if path.is_file() else ""

    def asked(self, path: str, *options: str) -> Done:
        """Ask over TLS as somebody who types its name, films.test."""
        return run(
            *("curl", "--silent", "--show-error", "--insecure", "--max-time", "60"),
            *("--resolve", f"films.test:{self.https}:127.0.0.1", *options),
            f"https://films.test:{self.https}{path}",
            check=False,
        )

    def await_answer(self, path: str, seconds: float) -> float:
        """Wait until a page is there; return how long that was since power on."""
        written = ("--output", "/dev/null", "--write-out", "%{http_code}")
        while self.asked(path, *written).stdout != "200":
            waited = time.monotonic() - self.began
            assert self.process.poll() is None, self.console[-3000:]
            assert waited < seconds, self.console[-6000:]
            time.sleep(1)
        return time.monotonic() - self.began

    def run(self, command: str, *, check: bool = True, seconds: float = 600) -> Done:
        """Run a line of shell as root."""
        options = [
            *("-i", str(self.place / "key"), "-p", str(self.ssh), "-q"),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "ConnectTimeout=60"),
        ]
        asked = ("ssh", *options, "root@127.0.0.1", command)
        return run(*asked, check=check, seconds=seconds)

    def await_words(self, words: str, seconds: float) -> float:
        """Wait until the console has shown words; return when, since power on."""
        while words not in self.console:
            waited = time.monotonic() - self.began
            assert self.process.poll() is None, self.console[-3000:]
            assert waited < seconds, self.console[-6000:]
            time.sleep(0.5)
        return time.monotonic() - self.began

    def type(self, line: str) -> None:
        """Type a line at the console, which is a serial one.

        The cable stays in: the machine takes its time to read what came, and what it
        says must go somewhere.
        """
        if self._cable is None:
            self._cable = socket.socket(socket.AF_UNIX)
            self._cable.connect(str(self.place / "serial"))
            threading.Thread(target=_read, args=(self._cable,), daemon=True).start()
        self._cable.sendall(f"{line}\r".encode())

    def unplug(self) -> None:
        """Take the cable of the console out, if one is in."""
        if self._cable is not None:
            self._cable.close()


def _read(cable: socket.socket) -> None:
    with suppress(OSError):
        while cable.recv(4096):
            pass


def seed_disk(path: Path, name: str, text: str) -> Path:
    """Make a disk with one file, as those that cloud-init reads."""
    with path.open("wb") as file:
        file.truncate(4 * 2**20)
    run("mkfs.vfat", "-n", "CIDATA", path)
    source = path.with_suffix(".file")
    source.write_text(text)
    run("mcopy", "-i", path, source, f"::{name}")
    return path


@contextmanager
def virtual(
    disk: Path,
    place: Path,
    answers: Mapping[str, Any] | None = None,
    seed: Path | None = None,
    memory: int = 2048,
) -> Iterator[Virtual]:
    """Boot a copy of a disk, which is thrown away.

    Answers for the first boot are given by the machine, or lie on a second disk.
    """
    place.mkdir(parents=True, exist_ok=True)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", place / "key")
    shutil.copy(_FIRMWARE / "OVMF_VARS_4M.fd", place / "vars")
    run(
        *("qemu-img", "create", "-q", "-f", "qcow2", "-F", disk.suffix[1:], "-b", disk),
        place / "disk.qcow2",
    )
    https, ssh = free_port(), free_port()
    told = {"ssh.authorized_keys.root": (place / "key.pub").read_text()}
    if answers is not None:
        told["matinee.answers"] = json.dumps(dict(answers))
    handed = [
        f"type=11,value={_CREDENTIAL}:{name}={base64.b64encode(text.encode()).decode()}"
        for name, text in told.items()
    ]
    command = [
        *("qemu-system-x86_64", "-nodefaults", "-display", "none"),
        # Never by chance something faster, which behaves otherwise.
        *("-machine", "q35", "-accel", "tcg,thread=multi,tb-size=512"),
        *("-cpu", "max", "-smp", "2", "-m", str(memory)),
        "-chardev",
        f"socket,id=s,path={place}/serial,server=on,wait=off,logfile={place}/console.log",
        *("-serial", "chardev:s"),
        *("-monitor", f"unix:{place}/monitor,server,nowait"),
        *("-drive", f"file={place}/disk.qcow2,if=virtio,format=qcow2"),
        *("-drive", _flash(_FIRMWARE / "OVMF_CODE_4M.fd", "readonly=on,")),
        *("-drive", _flash(place / "vars")),
        *(("-drive", f"file={seed},if=virtio,format=raw,readonly=on") if seed else ()),
        "-netdev",
        "user,id=n,restrict=on"
        f",hostfwd=tcp:127.0.0.1:{https}-:443,hostfwd=tcp:127.0.0.1:{ssh}-:22",
        *("-device", "virtio-net-pci,netdev=n,romfile=", "-device", "virtio-rng-pci"),
        *(word for each in handed for word in ("-smbios", each)),
    ]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    machine = Virtual(place, https, ssh, process)
    try:
        yield machine
        _power_off(machine)
    finally:
        machine.unplug()
        if process.poll() is None:
            process.terminate()
        process.wait(60)


def _flash(path: Path, more: str = "") -> str:
    return f"if=pflash,format=raw,{more}file={path}"


def _power_off(machine: Virtual) -> None:
    """Press the power button, and wait until it is down."""
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.connect(str(machine.place / "monitor"))
        monitor.sendall(b"system_powerdown\n")
        machine.process.wait(300)

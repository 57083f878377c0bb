#!/usr/bin/env python3
"""Look whether a machine can become a Matinee; nothing of it is changed.

Needs nothing but Python's standard library: the installer runs it on a bare machine,
and `matinee preflight` runs the same file. Prints a line for each finding, or one JSON
document; ends with 1 when something stands in the way, and with 0 otherwise.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

OK, WARN, FAIL = "ok", "warn", "fail"
SYSTEMS = {"debian": ("12",), "ubuntu": ("24.04",)}
MACHINES = ("x86_64",)
NAMES = {80: " (HTTP)", 443: " (HTTPS)"}
AWAY = ("nfs", "cifs", "smb", "9p", "afs", "ceph", "glusterfs", "lustre", "fuse")
ENCODERS = ("libx264", "aac")
GIB = 1024**3
MIB = 1024**2
LEAST_FREE = {"/opt": 2500, "/var/lib": 1000}  # MiB
_LOOK_UP_SECONDS = 5.0
_LISTENS = "0A"


class Finding(NamedTuple):
    """What one check found, as the doctor says it."""

    id: str
    level: str
    sentence: str
    fix: str = ""


class Wanted(NamedTuple):
    """What the machine is meant to become; ``root`` is where its files begin."""

    home: str
    media: str
    name: str
    ports: tuple[int, ...]
    least_memory: float
    least_disk: float
    made_at: float
    version: str = ""
    root: Path = Path("/")


def main(arguments: list[str] | None = None) -> int:
    given = _arguments().parse_args(arguments)
    findings = survey(_wanted(given))
    failed = sum(each.level == FAIL for each in findings)
    if given.json:
        checks = [each._asdict() for each in findings]
        print(json.dumps({"ok": not failed, "checks": checks}, indent=2))
    else:
        print("\n".join(_lines(findings)))
    return 1 if failed else 0


def survey(wanted: Wanted) -> list[Finding]:
    """Run every check; one that breaks is a finding and stops no other."""
    found = []
    for check_id, check in CHECKS.items():
        try:
            level, sentence, fix = check(wanted)
        except Exception as error:  # noqa: BLE001 to find what breaks
            level, sentence, fix = WARN, f"this can't be told: {error}", "look yourself"
        found.append(Finding(check_id, level, sentence, fix))
    return found


def _arguments() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    add = parser.add_argument
    add("--json", action="store_true", help="print one JSON document")
    add("--home", default="/var/lib/matinee", help="where database and keys will lie")
    add("--media", default="/srv/matinee/media", help="where films will lie")
    add("--public-url", default="", help="the address that viewers will use")
    add("--ports", default="80,443", help="the ports that will be listened on")
    add("--small", action="store_true", help="be content with little memory")
    add("--least-memory-gib", type=float, default=1.66, help="what must be there")
    add("--version", default="", help="which release; one that is there needs no room")
    add("--made-at", default="", help="when the release was made, as 2026-02-01")
    return parser


def _wanted(given: argparse.Namespace) -> Wanted:
    name = urlsplit(given.public_url).hostname or ""
    made = datetime.fromisoformat(given.made_at) if given.made_at else None
    ports = tuple(int(each) for each in given.ports.split(",") if each)
    return Wanted(
        given.home,
        given.media,
        name,
        ports,
        0.0 if given.small else given.least_memory_gib,
        1.0,
        made.timestamp() if made else Path(__file__).stat().st_mtime,
        given.version,
    )


def _lines(findings: list[Finding]) -> Iterator[str]:
    width = max(len(each.id) for each in findings)
    for each in findings:
        yield f"{each.level.upper():<4}  {each.id:<{width}}  {each.sentence}"
        if each.fix:
            yield f"      fix: {each.fix}"
    bad = sum(each.level == FAIL for each in findings)
    yield "Nothing was changed. " + (
        f"{bad} of these stand in the way." if bad else "Nothing stands in the way."
    )


Answer = tuple[str, str, str]  # level, sentence, fix


def _version(wanted: Wanted) -> Answer:
    text = (wanted.root / "etc/os-release").read_text(encoding="utf-8")
    told = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', text, re.MULTILINE))
    system, version = told.get("ID", "?"), told.get("VERSION_ID", "?")
    sentence = f"this is {told.get('PRETTY_NAME', f'{system} {version}')}"
    if version in SYSTEMS.get(system, ()):
        return OK, sentence, ""
    return FAIL, f"{sentence}: not one that Matinee knows", "install Debian 12"


def _architecture(_wanted: Wanted) -> Answer:
    sentence = f"the processor is {os.uname().machine}"
    if os.uname().machine in MACHINES:
        return OK, sentence, ""
    return FAIL, sentence, "use a machine with amd64 (x86_64)"


def _systemd(wanted: Wanted) -> Answer:
    if (wanted.root / "run/systemd/system").is_dir():
        return OK, "systemd runs this machine", ""
    return FAIL, "systemd does not run this machine", "take a virtual machine"


def _root(_wanted: Wanted) -> Answer:
    if os.geteuid() == 0:
        return OK, "this runs as root", ""
    return FAIL, "this does not run as root", "begin again with sudo"


def _memory(wanted: Wanted) -> Answer:
    text = (wanted.root / "proc/meminfo").read_text(encoding="utf-8")
    found = re.search(r"^MemTotal:\s+(\d+) kB", text, re.MULTILINE)
    there = int(found.group(1)) * 1024 / GIB if found else 0.0
    sentence = f"{there:.1f} GiB of memory"
    if there < wanted.least_memory:
        fix = "give it 2 GiB, better 4; or matinee_small_machine: true, for few films"
        return FAIL, f"{sentence}: {wanted.least_memory:g} are the least", fix
    if there < 3.5:
        return WARN, f"{sentence}: for few viewers and films", "4 GiB are better"
    return OK, sentence, ""


def _cores(_wanted: Wanted) -> Answer:
    count = len(os.sched_getaffinity(0))
    if count < 2:
        fix = "give the machine 2 cores or more"
        return WARN, "one core: pages will be slow while films are made", fix
    return OK, f"{count} cores", ""


def _free(wanted: Wanted, path: str) -> int:
    return shutil.disk_usage(_there(wanted.root, path)).free


def _system_disk(wanted: Wanted) -> Answer:
    complete = wanted.root / f"opt/matinee/releases/{wanted.version}/.complete"
    for path, least in LEAST_FREE.items():
        free = _free(wanted, path) // MIB
        if free < least and not (path == "/opt" and complete.exists()):
            fix = f"it takes {least} MiB there: make room, or mount a larger disk"
            return FAIL, f"{path} has {free} MiB free", fix
    return OK, f"{' and '.join(LEAST_FREE)} have room", ""


def _disk(wanted: Wanted) -> Answer:
    free = _free(wanted, wanted.media) / GIB
    sentence = f"{free:.1f} GiB are free for {wanted.media}"
    fix = f"an hour of film takes about 5 GiB: mount a larger disk at {wanted.media}"
    if free < wanted.least_disk:
        return FAIL, f"{sentence}: {wanted.least_disk:g} are the least", fix
    return (WARN, sentence, fix) if free < 20 else (OK, sentence, "")


def _local(wanted: Wanted) -> Answer:
    kind, point, _ = _mount(wanted.root, wanted.home)
    if not kind.startswith(AWAY):
        return OK, f"{wanted.home} is on a disk of this machine ({kind})", ""
    told = f"{wanted.home} is on {point}, a {kind} file system: a database there breaks"
    return FAIL, told, f"unmount it, or mount a disk of this machine at {wanted.home}"


def _temporary(wanted: Wanted) -> Answer:
    _, point, options = _mount(wanted.root, "/tmp")  # noqa: S108 what is asked about
    if "noexec" in options:
        fix = f"mount -o remount,exec {point}"
        return FAIL, "programs can't run in /tmp (noexec)", fix
    return OK, "programs can run in /tmp", ""


def _ports(wanted: Wanted) -> Answer:
    held = {port: _holder(port) for port in wanted.ports}
    others = {port: by for port, by in held.items() if by and "matinee" not in by}
    if others:
        told = "; ".join(
            f"Port {port}{NAMES.get(port, '')} is held by {by}"
            for port, by in others.items()
        )
        units = re.findall(r"[\w@.\\-]+\.service", told)
        stop = f"systemctl disable --now {' '.join(units)}" if units else "stop it"
        return FAIL, told, stop
    ours = "held by Matinee" if any(held.values()) else "free"
    return OK, f"port {', '.join(map(str, wanted.ports))}: {ours}", ""


def _clock(wanted: Wanted) -> Answer:
    if time.time() < wanted.made_at - 86400:
        now = time.strftime("%Y-%m-%d %H:%M", time.gmtime())
        fix = "timedatectl set-time 'YYYY-MM-DD HH:MM', then timedatectl set-ntp true"
        return FAIL, f"the clock says {now} UTC: before this release was made", fix
    if _synchronised():
        return OK, "the clock is synchronised", ""
    fix = "apt-get install systemd-timesyncd, then timedatectl set-ntp true"
    return WARN, "nothing synchronises the clock: certificates and tokens need it", fix


def _name(wanted: Wanted) -> Answer:
    name = wanted.name or socket.getfqdn()
    found = _looked_up(name)
    if not found:
        fix = f"enter {name} in DNS with the address of this machine"
        return WARN, f"{name} is no name that can be looked up", fix
    if any(_is_ours(each) for each in found):
        return OK, f"{name} is this machine ({', '.join(found)})", ""
    fix = "correct the entry in DNS; right as it is with a proxy or NAT in front"
    return WARN, f"{name} is {', '.join(found)}, and that is not this machine", fix


def _graphics(wanted: Wanted) -> Answer:
    nodes = sorted((wanted.root / "dev/dri").glob("renderD*"))
    if nodes:
        names = ", ".join(each.name for each in nodes)
        return OK, f"graphics processors: {names}; what they encode is tested later", ""
    return OK, "no graphics processor (/dev/dri): the processor will encode", ""


def _encoders(_wanted: Wanted) -> Answer:
    ffmpeg = shutil.which("ffmpeg")
    if ffmpeg is None:
        return OK, "FFmpeg comes with the installation", ""
    told = _said(ffmpeg, "-hide_banner", "-encoders")
    there = {line.split()[1] for line in told.splitlines() if len(line.split()) > 2}
    missing = [each for each in ENCODERS if each not in there]
    if missing:
        fix = f"apt-get install ffmpeg, and remove {ffmpeg}"
        return FAIL, f"{ffmpeg} does not encode with {', '.join(missing)}", fix
    return OK, f"{ffmpeg} has the encoders that are needed", ""


CHECKS: dict[str, Callable[[Wanted], Answer]] = {
    "system.version": _version,
    "system.architecture": _architecture,
    "system.systemd": _systemd,
    "system.root": _root,
    "machine.memory": _memory,
    "machine.cores": _cores,
    "disk.free": _system_disk,
    "disk.media": _disk,
    "disk.home_is_local": _local,
    "disk.tmp": _temporary,
    "network.ports": _ports,
    "network.name": _name,
    "time.sync": _clock,
    "ffmpeg.encoders": _encoders,
    "gpu.devices": _graphics,
}


def _there(root: Path, path: str) -> Path:
    """Return the folder that is there already, on the way to one that is not."""
    found = root / path.lstrip("/")
    while not found.exists():
        found = found.parent
    return found


def _mount(root: Path, path: str) -> tuple[str, str, str]:
    """Return the kind, the place and the options of the mount that a path is on."""
    real = "/" + str(_there(root, path).resolve().relative_to(root.resolve()))
    best = ("", "", "")
    text = (root / "proc/self/mountinfo").read_text(encoding="utf-8")
    for line in text.splitlines():
        left, _, right = line.partition(" - ")
        fields = left.split()
        point = fields[4].replace("\\040", " ")
        inside = real == point or real.startswith(point.rstrip("/") + "/")
        # Of two mounts at one place the later one covers the earlier.
        if inside and len(point) >= len(best[1]):
            best = (right.split()[0], point, fields[5])
    return best


def _holder(port: int) -> str:
    """Say who listens on a port, as nginx (pid 612, nginx.service); empty: nobody."""
    lines = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        with contextlib.suppress(OSError):
            lines += Path(table).read_text(encoding="utf-8").splitlines()[1:]
    end = f":{port:04X}"
    rows = [fields for fields in map(str.split, lines) if fields[3] == _LISTENS]
    inodes = {f"socket:[{fields[9]}]" for fields in rows if fields[1].endswith(end)}
    if not inodes:
        return ""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            for file in (process / "fd").iterdir():
                if str(file.readlink()) in inodes:
                    return _process(process)
    return "a program of another user (run this as root to see which)"


def _process(process: Path) -> str:
    name = (process / "comm").read_text(encoding="utf-8").strip()
    units = re.findall(
        r"([\w@.\\-]+\.(?:service|scope|socket))",
        (process / "cgroup").read_text(encoding="utf-8"),
    )
    unit = f", {units[-1]}" if units else ""
    return f"{name} (pid {process.name}{unit})"


def _synchronised() -> bool:
    return (
        _said("timedatectl", "show", "--property=NTPSynchronized", "--value") == "yes"
    )


def _said(*command: str) -> str:
    """Return what a program says, and nothing where there is no such program."""
    with contextlib.suppress(OSError, subprocess.TimeoutExpired):
        return subprocess.run(
            command, capture_output=True, text=True, timeout=20, check=False
        ).stdout.strip()
    return ""


def _looked_up(name: str) -> list[str]:
    """Return the addresses of a name; none when no answer comes in good time."""
    found: list[str] = []

    def ask() -> None:
        with contextlib.suppress(OSError):
            answers = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            found.extend(sorted({str(each[4][0]) for each in answers}))

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(_LOOK_UP_SECONDS)
    return list(found)


def _is_ours(address: str) -> bool:
    """Say whether an address is one of this machine's: only those can be bound."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with (
        contextlib.suppress(OSError),
        socket.socket(family, socket.SOCK_DGRAM) as probe,
    ):
        probe.bind((address, 0))
        return True
    return False


if __name__ == "__main__":
    sys.exit(main())

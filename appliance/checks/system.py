"""Checks of the machine around: clock, updates, memory, SSH, firewall, graphics.

They look at files and ask nobody; where the installer did not make the machine, they
leave it to whoever did.
"""

import os
import re
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import wraps
from pathlib import Path

from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.clock import from_text
from appliance.operations.findings import Level
from jobs.tools import process
from jobs.tools.process import ProcessFailed, Run

_AHEAD = timedelta(minutes=5)
_STALE_DAYS = 7
_SECONDS = 60
_LITTLE, _NONE = 0.10, 0.03
_SECURITY = re.compile(r"^Inst (\S+) .*[Ss]ecurity", re.MULTILINE)
_PENDING = re.compile(r"^Inst (\S+) ", re.MULTILINE)


def _ours(check: Callable[[Examined], Answer]) -> Callable[[Examined], Answer]:
    """Look only where the installer made the machine what it is."""

    @wraps(check)
    def looking(examined: Examined) -> Answer:
        if not examined.is_appliance:
            return ok("Matinee did not set this machine up: not looked at")
        return check(examined)

    return looking


@_ours
def _synchronised(examined: Examined) -> Answer:
    if examined.file("/run/systemd/timesync/synchronized").exists():
        return ok("the clock is synchronised")
    try:
        command = ["timedatectl", "show", "--property=NTPSynchronized", "--value"]
        told = process.run(command, Run(timeout=_SECONDS)).out.strip()
    except ProcessFailed as error:
        told = error.message
    if told == "yes":
        return ok("the clock is synchronised")
    fix = "timedatectl set-ntp true; without the internet, name a time server in"
    return (
        Level.WARN,
        "nothing keeps the clock right: certificates and tokens go by it",
        f"{fix} /etc/systemd/timesyncd.conf",
    )


def _clock(examined: Examined) -> Answer:
    """Look for what happened later than now: then the clock was, or is, wrong."""
    now = examined.clock.now()
    with examined.db() as db:
        newest = db.value("select at from events order by id desc limit 1")
    release = examined.file("/opt/matinee/current/release.json")
    made = release.stat().st_mtime if release.is_file() else 0.0
    fix = "timedatectl set-ntp true, and look at timedatectl"
    if newest and from_text(newest) > now + _AHEAD:
        sentence = (
            f"the clock says {now:%Y-%m-%d %H:%M} UTC, and the audit log {newest}"
        )
        return Level.FAIL, f"{sentence}: one of them is wrong", fix
    if made > now.timestamp() + _AHEAD.total_seconds():
        sentence = f"the clock says {now:%Y-%m-%d %H:%M} UTC: before this release came"
        return Level.FAIL, sentence, fix
    return ok(f"it is {now:%Y-%m-%d %H:%M} UTC, later than all that happened")


@_ours
def _updates(examined: Examined) -> Answer:
    lists = examined.file("/var/lib/apt/lists")
    age = (time.time() - lists.stat().st_mtime) / 86400 if lists.exists() else 999.0
    # Without caches it writes nothing, also as root; and it takes no lock.
    command = [
        *("apt-get", "--simulate", "--quiet"),
        *("-o", "Debug::NoLocking=1", "-o", "Dir::Cache::pkgcache="),
        *("-o", "Dir::Cache::srcpkgcache=", "upgrade"),
    ]
    told = process.run(command, Run(timeout=_SECONDS)).out
    fix = "apt-get update && apt-get upgrade, then matinee doctor --only os.reboot"
    if urgent := _SECURITY.findall(told):
        named = ", ".join(urgent[:5])
        sentence = f"{len(urgent)} packages wait for security updates: {named}"
        return Level.FAIL, sentence, fix
    if age > _STALE_DAYS:
        sentence = f"nothing has looked for updates for {age:.0f} days"
        return Level.WARN, sentence, "apt-get install unattended-upgrades"
    if waiting := _PENDING.findall(told):
        return Level.WARN, f"{len(waiting)} packages wait for updates", fix
    return ok("the system is up to date")


@_ours
def _reboot(examined: Examined) -> Answer:
    fix = "systemctl reboot, when few are watching: matinee maintenance on"
    if examined.file("/run/reboot-required").exists():
        return Level.WARN, "an update wants the machine to start again", fix
    running = examined.file("/proc/sys/kernel/osrelease").read_text().strip()
    kernels = sorted(
        (path.name.removeprefix("vmlinuz-") for path in _kernels(examined)),
        key=_in_order,
    )
    if kernels and running in kernels and kernels[-1] != running:
        sentence = f"the kernel {running} runs, and {kernels[-1]} is installed"
        return Level.WARN, sentence, fix
    return ok(f"the newest kernel that is installed runs ({running})")


def _kernels(examined: Examined) -> Iterator[Path]:
    return examined.file("/boot").glob("vmlinuz-*")


def _in_order(version: str) -> list[tuple[int, str]]:
    parts = re.findall(r"\d+|\D+", version)
    return [(int(each), "") if each.isdigit() else (-1, each) for each in parts]


@_ours
def _password(examined: Examined) -> Answer:
    """Read what sshd would: of several lines about the same the first one counts."""
    first: dict[str, str] = {}
    try:
        for key, value in _sshd(examined, examined.file("/etc/ssh/sshd_config")):
            first.setdefault(key, value)
    except FileNotFoundError:
        return ok("there is no SSH server")
    if first.get("passwordauthentication", "yes") == "no":
        return ok("SSH wants keys")
    return (
        Level.WARN,
        "SSH takes passwords, and the whole world tries some",
        "echo 'PasswordAuthentication no' > /etc/ssh/sshd_config.d/10-keys.conf;"
        " systemctl reload ssh, with a key of yours on this machine",
    )


def _sshd(examined: Examined, path: Path) -> Iterator[tuple[str, str]]:
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        words = line.split("#")[0].replace("=", " ").split()
        if len(words) < 2:
            continue
        key, value = words[0].lower(), words[1].lower()
        if key == "match":
            return
        if key != "include":
            yield key, value
            continue
        for pattern in words[1:]:
            whole = pattern if pattern.startswith("/") else f"/etc/ssh/{pattern}"
            for each in sorted(examined.root.glob(whole.lstrip("/"))):
                yield from _sshd(examined, each)


@_ours
def _firewall(examined: Examined) -> Answer:
    ufw = examined.file("/etc/ufw/ufw.conf")
    if ufw.is_file() and re.search(r"^ENABLED=yes", ufw.read_text(), re.MULTILINE):
        return ok("ufw keeps strangers out")
    wanted = examined.file("/etc/systemd/system/sysinit.target.wants/nftables.service")
    rules = examined.file("/etc/nftables.conf")
    if os.path.lexists(wanted) and rules.is_file() and _refuses(examined, rules):
        return ok("nftables keeps strangers out")
    return (
        Level.WARN,
        "no firewall stands between strangers and this machine",
        "set matinee_firewall: true in the answers and run install.sh again; right as"
        " it is behind a firewall of your own",
    )


def _refuses(examined: Examined, rules: Path) -> bool:
    texts = [rules, *examined.file("/etc/nftables.d").glob("*")]
    policy = re.compile(r"hook input .*policy drop", re.DOTALL)
    return any(policy.search(each.read_text(errors="replace")) for each in texts)


def _memory(examined: Examined) -> Answer:
    text = examined.file("/proc/meminfo").read_text(encoding="utf-8")
    found = {
        name: int(kilobytes) * 1024
        for name, kilobytes in re.findall(r"^(\w+):\s+(\d+) kB", text, re.MULTILINE)
    }
    share = found["MemAvailable"] / found["MemTotal"]
    sentence = f"{found['MemAvailable'] / 1024**3:.1f} GiB of memory are free"
    fix = "give the machine more memory, or set queue.slots and web.workers lower"
    if share < _NONE:
        return Level.FAIL, sentence, fix
    if share < _LITTLE:
        return Level.WARN, sentence, fix
    return ok(sentence)


def _graphics(examined: Examined) -> Answer:
    """Look whether the graphics processors can be opened by whoever encodes."""
    there = sorted(examined.file("/dev/dri").glob("renderD*"))
    if not there:
        return ok("no graphics processor is here")
    for node in there:
        try:
            os.close(os.open(node, os.O_RDWR | os.O_CLOEXEC))
        except OSError as error:
            return (
                Level.WARN,
                f"{node} can't be opened: {error.strerror}",
                "adduser matinee render, then systemctl restart matinee-gpu",
            )
    return ok(f"{', '.join(each.name for each in there)} can be used")


CHECKS: Checks = {
    "time.clock": Check(_clock),
    "os.memory": Check(_memory),
    "time.sync": Check(_synchronised, slow=True, seconds=90),
    "os.updates": Check(_updates, slow=True, seconds=90),
    "os.reboot": Check(_reboot, slow=True),
    "ssh.password": Check(_password, slow=True),
    "os.firewall": Check(_firewall, slow=True),
    "gpu.access": Check(_graphics, slow=True),
}

"""Checks of what the installer wrote: units, generated files, and how it sized us."""

import hashlib
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from appliance import machine
from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.operations.findings import Level
from appliance.settings import JOINED, Settings
from appliance.sizing import sizes
from jobs.tools import process
from jobs.tools.process import Run

_UNITS = "/etc/systemd/system"
_WANTED = f"{_UNITS}/matinee.target.wants"
# What a machine that decides can't be without, once it is to start at boot.
_STARTED = f"{_UNITS}/multi-user.target.wants/matinee.target"
_DECIDING = {
    *("matinee-web.socket", "matinee-web.service"),
    *("matinee-control.service", "matinee-nginx.service"),
}
_RELEASES = "/opt/matinee/current/systemd"
_APPLY = "run install.sh of the bundle again"
_NOT_OURS = "Matinee did not set this machine up: not looked at"
_SECONDS = 20.0
_SAID = re.compile(rb"sha256:([0-9a-f]{64})")


def _units(examined: Examined) -> Answer:
    """Ask systemd for each unit that is to run here."""
    if not examined.is_appliance:
        return ok(_NOT_OURS)
    wanted = sorted(each.name for each in examined.file(_WANTED).glob("matinee-*"))
    if not wanted:
        return Level.FAIL, "no unit of Matinee is enabled", _APPLY
    if disabled := " ".join(sorted(_needed(examined) - set(wanted))):
        return (
            Level.FAIL,
            f"will not start again, as they are disabled: {disabled}",
            f"systemctl enable --now {disabled}",
        )
    told = process.run(
        ["systemctl", "show", "--property=Id,ActiveState,ConditionResult", *wanted],
        Run(timeout=_SECONDS),
    )
    fallen = list(fallen_units(told.out))
    if not fallen:
        return ok(f"all {len(wanted)} units are at work")
    return (
        Level.FAIL,
        f"not at work: {', '.join(fallen)}",
        f"journalctl -u {fallen[0]} -n 50, then systemctl start {' '.join(fallen)}",
    )


def _needed(examined: Examined) -> set[str]:
    """Return what must be enabled; machines that joined one have less to do."""
    started = examined.file(_STARTED).is_symlink()
    joined = examined.file(f"/etc/matinee/{JOINED}").exists()
    return _DECIDING if started and not joined else set()


def fallen_units(told: str) -> Iterator[str]:
    """Yield the units that do not run, though nothing says that they need not.

    ``told`` is what ``systemctl show`` says: lines of one unit, an empty one between.
    """
    for paragraph in told.strip().split("\n\n"):
        unit = dict(
            line.split("=", 1) for line in paragraph.splitlines() if "=" in line
        )
        state = unit.get("ActiveState", "")
        if state in ("active", "activating", "reloading"):
            continue
        # As that of graphics processors on a machine without one.
        if state == "inactive" and unit.get("ConditionResult") == "no":
            continue
        yield unit.get("Id", "?")


def _generated(examined: Examined) -> Answer:
    """Find what somebody edited though the installer writes it whole."""
    if not examined.is_appliance:
        return ok(_NOT_OURS)
    files = [
        examined.file("/etc/matinee/matinee.toml"),
        *sorted(examined.file(_UNITS).glob("matinee-*.d/50-*.conf")),
    ]
    edited = [f"/{each.relative_to(examined.root)}" for each in files if _edited(each)]
    if not edited:
        return ok("generated files are as they were written")
    return (
        Level.WARN,
        f"edited by hand: {', '.join(edited)}",
        "say it in /etc/matinee/answers.yml (matinee_settings) instead, and"
        f" {_APPLY}: what was edited is kept beside it as *.edited",
    )


def _edited(path: Path) -> bool:
    """Say whether a generated file is not what its first line says."""
    try:
        first, _, rest = path.read_bytes().partition(b"\n")
    except FileNotFoundError:
        return False
    said = _SAID.search(first)
    return said is None or said[1].decode() != hashlib.sha256(rest).hexdigest()


def _files(examined: Examined) -> Answer:
    """Compare the units of the machine with those of the release in use."""
    released = examined.file(_RELEASES)
    if not examined.is_appliance or not released.is_dir():
        return ok(_NOT_OURS)
    differing = sorted(
        path.name
        for path in released.rglob("*")
        if path.is_file()
        and not _same(path, examined.file(_UNITS) / path.relative_to(released))
    )
    if not differing:
        return ok("the units are those of the release")
    return (
        Level.WARN,
        f"not as in the release: {', '.join(differing)}",
        f"{_APPLY}; for changes of your own say systemctl edit",
    )


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and one.read_bytes() == other.read_bytes()


def _sizes(examined: Examined) -> Answer:
    """Compare the sizes that are set with what the machine has now."""
    if not examined.is_appliance:
        return ok(_NOT_OURS)
    here = machine.this()
    meant = sizes(here).settings()
    differing = list(_differing(examined.settings, meant))
    has = f"{here.cores} cores and {here.memory} MiB"
    if not differing:
        return ok(f"sized for the {has} of this machine")
    return (
        Level.WARN,
        f"{'; '.join(differing)}, for this machine has {has}",
        f"{_APPLY}, or leave these settings out of matinee_settings",
    )


def _differing(
    settings: Settings, meant: Mapping[str, Mapping[str, int | str]]
) -> Iterator[str]:
    """Yield what is more than fits, or less than half of what would."""
    for section, values in meant.items():
        for name, value in values.items():
            set_to, fit = getattr(getattr(settings, section), name), int(value)
            if not str(set_to).isdigit() or not int(set_to):
                continue
            if int(set_to) > fit or int(set_to) * 2 < fit:
                yield f"{section}.{name} is {set_to}, and {fit} would be right"


CHECKS: Checks = {
    "systemd.units": Check(_units, seconds=30.0),
    "systemd.files": Check(_files),
    "config.generated": Check(_generated),
    "machine.sizes": Check(_sizes),
}

"""What a machine needs is broken, file by file, and the doctor says so."""

import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from appliance.catalog import titles
from appliance.checks import CHECKS, Examined, Level
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.permissions import SYSTEM
from tests.unwell import unwell, well

PATH = os.environ["PATH"]


def program(folder: Path, name: str, text: str) -> None:
    """Put a program before those of this machine."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder whose programs are found first."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{PATH}")
    return folder


def test_a_clock_that_nothing_keeps_right(machine: Examined, programs: Path) -> None:
    program(programs, "timedatectl", "echo no")
    well("time.sync", machine)
    machine.file("/run/systemd/timesync/synchronized").unlink()

    unwell("time.sync", machine, Level.WARN)
    program(programs, "timedatectl", "echo yes")
    well("time.sync", machine)


def test_a_clock_that_went_back(machine: Examined, db: Database) -> None:
    titles.create(db, SYSTEM, "Sintel")
    late = db.clock.now() + timedelta(hours=1)
    early = db.clock.now() - timedelta(hours=1)
    os.utime(machine.file("/opt/matinee/current/release.json"), (0, 0))
    well("time.clock", replace(machine, clock=FixedClock(late)))

    found = unwell("time.clock", replace(machine, clock=FixedClock(early)))

    assert "audit log" in found.sentence


def test_a_clock_from_before_the_release(machine: Examined) -> None:
    ahead = time.time() + 86400
    os.utime(machine.file("/opt/matinee/current/release.json"), (ahead, ahead))

    assert "release" in unwell("time.clock", machine, Level.FAIL).sentence


def test_little_memory(machine: Examined) -> None:
    well("os.memory", machine)
    told = machine.file("/proc/meminfo")
    told.write_text("MemTotal: 8000000 kB\nMemAvailable: 700000 kB\n")
    unwell("os.memory", machine, Level.WARN)
    told.write_text("MemTotal: 8000000 kB\nMemAvailable: 100000 kB\n")

    unwell("os.memory", machine, Level.FAIL)


SECURITY = (
    "Inst libssl3 [3.0.15-1] (3.0.17-1 Debian-Security:12/stable-security [amd64])"
)
ORDINARY = "Inst tzdata [2024a-0] (2024b-0 Debian:12.9/stable [all])"


def test_updates_that_wait(machine: Examined, programs: Path) -> None:
    program(programs, "apt-get", "echo 'Reading package lists...'")
    well("os.updates", machine)
    program(programs, "apt-get", f"echo '{ORDINARY}'")
    unwell("os.updates", machine, Level.WARN)
    program(programs, "apt-get", f"echo '{ORDINARY}'; echo '{SECURITY}'")

    found = unwell("os.updates", machine, Level.FAIL)

    assert "1 packages wait for security updates: libssl3" in found.sentence


def test_nobody_looking_for_updates(machine: Examined, programs: Path) -> None:
    program(programs, "apt-get", "true")
    long_ago = time.time() - 30 * 86400
    os.utime(machine.file("/var/lib/apt/lists"), (long_ago, long_ago))

    assert "30 days" in unwell("os.updates", machine, Level.WARN).sentence


def test_apt_is_asked_without_changing_anything(
    machine: Examined, programs: Path, tmp_path: Path
) -> None:
    program(programs, "apt-get", f'echo "$@" > {tmp_path}/asked')

    well("os.updates", machine)

    asked = (tmp_path / "asked").read_text()
    assert "--simulate" in asked
    assert "Dir::Cache::pkgcache= " in asked


def test_a_machine_that_must_start_again(machine: Examined) -> None:
    well("os.reboot", machine)
    newer = machine.file("/boot/vmlinuz-6.1.0-41-amd64")
    newer.touch()
    found = unwell("os.reboot", machine, Level.WARN)
    newer.unlink()
    machine.file("/run/reboot-required").touch()

    assert "6.1.0-41-amd64" in found.sentence
    unwell("os.reboot", machine, Level.WARN)


@pytest.mark.parametrize(
    ("main", "more"),
    [
        ("UsePAM yes\n", ""),
        ("PasswordAuthentication yes\n", "PasswordAuthentication no\n"),
        ("Match User bob\nPasswordAuthentication no\n", ""),
        ("#PasswordAuthentication no\n", ""),
    ],
)
def test_ssh_that_takes_passwords(machine: Examined, main: str, more: str) -> None:
    well("ssh.password", machine)
    folder = machine.file("/etc/ssh")
    include = "Include sshd_config.d/*.conf\n"
    (folder / "sshd_config").write_text(main + include)
    (folder / "sshd_config.d/10-keys.conf").write_text(more)

    unwell("ssh.password", machine, Level.WARN)


def test_a_machine_without_ssh_needs_no_keys(machine: Examined) -> None:
    machine.file("/etc/ssh/sshd_config").unlink()

    well("ssh.password", machine)


def test_no_firewall(machine: Examined) -> None:
    well("os.firewall", machine)
    machine.file("/etc/nftables.conf").write_text("flush ruleset\n")
    unwell("os.firewall", machine, Level.WARN)
    ufw = machine.file("/etc/ufw/ufw.conf")
    ufw.parent.mkdir()
    ufw.write_text("ENABLED=yes\n")

    well("os.firewall", machine)


def test_a_graphics_processor_that_can_not_be_opened(machine: Examined) -> None:
    well("gpu.access", machine)
    folder = machine.file("/dev/dri")
    folder.mkdir(parents=True)
    (folder / "renderD128").symlink_to("/nowhere")

    unwell("gpu.access", machine, Level.WARN)


def test_what_the_installer_did_not_make_is_left_to_whoever_did(
    machine: Examined,
) -> None:
    machine.file("/opt/matinee/current/release.json").unlink()
    machine.file("/opt/matinee/current").rmdir()
    machine.file("/etc/ssh/sshd_config").write_text("PasswordAuthentication yes\n")

    found = well("ssh.password", machine)

    assert "did not set this machine up" in found.sentence
    assert CHECKS["ssh.password"].slow

"""Before an installation: what stands in its way is named, and nothing is changed."""

import json
import os
import runpy
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Matinee
from tests.host.mounts import Mounts

SCRIPT = Path(__file__).resolve().parents[2] / "ansible/files/preflight.py"
OS = 'ID=debian\nVERSION_ID="12"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n'
MOUNTS = """\
22 1 8:1 / / rw,relatime - ext4 /dev/sda1 rw
30 22 0:30 / /tmp rw,nosuid{tmp} - tmpfs tmpfs rw
31 22 0:31 / /srv/matinee/media rw - nfs4 nas:/films rw
32 22 0:32 / /var/lib/matinee rw - {home} thing rw
"""
Look = Callable[..., dict[str, tuple[str, str, str]]]


@pytest.fixture
def machine(tmp_path: Path) -> Path:
    """The files of a machine on which nothing stands in the way."""
    root = tmp_path / "machine"
    for folder in (
        "etc",
        "proc/self",
        "tmp",
        "run/systemd/system",
        "srv/matinee/media",
        "var/lib/matinee",
    ):
        (root / folder).mkdir(parents=True)
    (root / "etc/os-release").write_text(OS)
    (root / "proc/meminfo").write_text("MemTotal:        8000000 kB\n")
    (root / "proc/self/mountinfo").write_text(MOUNTS.format(tmp="", home="ext4"))
    return root


@pytest.fixture
def look(machine: Path) -> Look:
    """``look(name="films.example.com") -> {id: (level, sentence, fix)}``."""
    module: dict[str, Any] = runpy.run_path(str(SCRIPT))

    def survey(**changed: object) -> dict[str, tuple[str, str, str]]:
        wanted = module["Wanted"](
            home="/var/lib/matinee",
            media="/srv/matinee/media",
            name="localhost",
            ports=(),
            least_memory=1.8,
            least_disk=0.0,
            made_at=0.0,
            root=machine,
        )._replace(**changed)
        return {each[0]: each[1:] for each in module["survey"](wanted)}

    return survey


def test_nothing_stands_in_the_way_of_a_sound_machine(look: Look) -> None:
    found = look()

    assert "fail" not in {level for level, _, _ in found.values()}
    assert found["system.version"][0] == "ok"
    assert found["disk.home_is_local"][0] == "ok", "films may lie on a file server"


@pytest.mark.parametrize(
    "release",
    [
        'ID=debian\nVERSION_ID="11"\n',
        'ID=fedora\nVERSION_ID="44"\n',
        "",
    ],
)
def test_a_system_that_is_not_known_is_refused(
    look: Look, machine: Path, release: str
) -> None:
    (machine / "etc/os-release").write_text(release)

    level, _, fix = look()["system.version"]

    assert (level, fix) == ("fail", "install Debian 12")


def test_too_little_memory_is_told(look: Look, machine: Path) -> None:
    (machine / "proc/meminfo").write_text("MemTotal:         900000 kB\n")
    too_little = look()["machine.memory"]
    (machine / "proc/meminfo").write_text("MemTotal:        2500000 kB\n")
    little = look()["machine.memory"]

    assert (too_little[0], little[0]) == ("fail", "warn")
    assert "0.9 GiB" in too_little[1]


def test_too_little_room_for_films_is_told(look: Look) -> None:
    level, sentence, fix = look(least_disk=10.0**9)["disk.media"]

    assert level == "fail"
    assert "/srv/matinee/media" in sentence
    assert "/srv/matinee/media" in fix


@pytest.mark.parametrize("kind", ["nfs4", "cifs", "fuse.sshfs", "9p"])
def test_a_database_on_a_file_server_is_refused(
    look: Look, machine: Path, kind: str
) -> None:
    mounts = MOUNTS.format(tmp="", home=kind)
    (machine / "proc/self/mountinfo").write_text(mounts)

    level, sentence, _ = look()["disk.home_is_local"]

    assert level == "fail"
    assert kind in sentence


def test_a_machine_without_systemd_is_refused(look: Look, machine: Path) -> None:
    (machine / "run/systemd/system").rmdir()

    assert look()["system.systemd"][0] == "fail"


def test_too_little_room_for_the_release_is_told(
    look: Look, machine: Path, mounts: Mounts
) -> None:
    mounts.disk(machine / "opt", kilobytes=300 * 1024)

    level, sentence, _ = look()["disk.free"]

    assert level == "fail"
    assert "/opt has 300 MiB free" in sentence


def test_a_release_that_is_there_already_needs_no_room(
    look: Look, machine: Path, mounts: Mounts
) -> None:
    there = machine / "opt/matinee/releases/1.2.0"
    mounts.disk(machine / "opt", kilobytes=300 * 1024)
    there.mkdir(parents=True)
    (there / ".complete").touch()

    assert look(version="1.2.0")["disk.free"][0] == "ok"
    assert look(version="1.3.0")["disk.free"][0] == "fail"


def test_programs_that_can_not_run_in_tmp_are_told(look: Look, machine: Path) -> None:
    mounts = MOUNTS.format(tmp=",noexec", home="ext4")
    (machine / "proc/self/mountinfo").write_text(mounts)

    assert look()["disk.tmp"][0] == "fail"


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_who_holds_a_port_is_named(look: Look, host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as taken:
        taken.bind((host, 0))
        taken.listen()
        port = taken.getsockname()[1]
        level, sentence, _ = look(ports=(port,))["network.ports"]
    name = Path("/proc/self/comm").read_text().strip()

    assert level == "fail"
    assert f"Port {port} is held by {name} (pid {os.getpid()}" in sentence
    assert look(ports=(port,))["network.ports"][0] == "ok"


def test_a_clock_from_before_the_release_is_told(look: Look) -> None:
    level, sentence, _ = look(made_at=4e9)["time.sync"]

    assert level == "fail"
    assert "before this release was made" in sentence


def test_a_clock_that_nothing_keeps_right_is_told(
    look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "timedatectl"
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    for said, level in (("yes", "ok"), ("no", "warn")):
        program.write_text(f"#!/bin/sh\necho {said}\n")
        program.chmod(0o755)
        assert look()["time.sync"][0] == level


def test_a_name_that_leads_nowhere_is_told(look: Look) -> None:
    level, _, fix = look(name="films.invalid")["network.name"]

    assert level == "warn"
    assert "films.invalid" in fix
    assert look(name="localhost")["network.name"][0] == "ok"


def test_a_name_that_is_another_machine_is_told(look: Look) -> None:
    level, sentence, _ = look(name="192.0.2.7")["network.name"]

    assert level == "warn"
    assert "not this machine" in sentence


def test_an_ffmpeg_without_encoders_is_told(
    look: Look, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    none = look()["ffmpeg.encoders"]
    ffmpeg = tmp_path / "ffmpeg"
    ffmpeg.write_text("#!/bin/sh\necho ' V..... mpeg4  MPEG-4'\n")
    ffmpeg.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    poor = look()["ffmpeg.encoders"]

    assert (none[0], poor[0]) == ("ok", "fail")
    assert "libx264" in poor[1]


def test_graphics_processors_are_named(look: Look, machine: Path) -> None:
    before = look()["gpu.devices"]
    (machine / "dev/dri").mkdir(parents=True)
    (machine / "dev/dri/renderD128").touch()

    assert "no graphics processor" in before[1]
    assert "renderD128" in look()["gpu.devices"][1]


def test_a_check_that_breaks_is_said_and_stops_no_other(
    look: Look, machine: Path
) -> None:
    (machine / "proc/meminfo").unlink()

    found = look()

    assert found["machine.memory"][0] == "warn"
    assert "can't be told" in found["machine.memory"][1]
    assert found["gpu.devices"][0] == "ok"


def test_a_machine_that_is_too_small_ends_with_1(matinee: Matinee) -> None:
    small = matinee("preflight", "--json", "--ports=", "--media=/nowhere/at/all")
    document = json.loads(small.stdout)

    assert document["ok"] is (small.exit_code == 0)
    assert {each["id"] for each in document["checks"]} >= {
        "machine.memory",
        "network.ports",
    }
    assert not Path("/nowhere").exists()


@pytest.mark.skipif(os.getuid() != 0, reason="needs a mount namespace of its own")
def test_nothing_is_written_anywhere() -> None:
    """It runs on a layer above this machine, which stays empty, and with no package."""
    steps = f"""
        mount -t tmpfs layer /mnt && mkdir /mnt/new /mnt/work /mnt/seen
        cd /mnt
        mount -t overlay above -o lowerdir=/,upperdir=new,workdir=work seen
        for each in proc sys dev; do mount --rbind /$each seen/$each; done
        chroot seen {sys.executable} -I -S {SCRIPT} --json --least-memory-gib 9999
        echo "ended with $?"
        find /mnt/new -mindepth 1 -not -path '/mnt/new/tmp*'
    """
    run = subprocess.run(
        ["unshare", "--mount", "sh", "-c", steps], capture_output=True, text=True
    )

    report, _, rest = run.stdout.partition("ended with ")
    assert rest == "1\n", run.stdout + run.stderr
    assert json.loads(report)["ok"] is False

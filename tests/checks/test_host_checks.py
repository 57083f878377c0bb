"""For each check of what the installer wrote: break that very thing, and see it."""

import dataclasses
import hashlib
import os
from pathlib import Path

import pytest

import appliance.checks as checks
from appliance import machine as machines
from appliance.checks.examined import Examined
from appliance.checks.host import fallen_units
from appliance.operations.findings import Finding, Level
from appliance.sizing import Machine, sizes

_RUNNING = "Id=matinee-web.service\nActiveState=active\nConditionResult=yes\n"
_TOML = "/etc/matinee/matinee.toml"


def _look(examined: Examined, check_id: str) -> Finding:
    return next(checks.examine(examined, only=[check_id]))


@pytest.fixture
def installed(examined: Examined, tmp_path: Path) -> Examined:
    """A machine as the installer leaves it: unit files, configuration, a release."""
    root = tmp_path / "machine"
    released = root / "opt/matinee/releases/1/systemd"
    released.mkdir(parents=True)
    (root / "opt/matinee/current").symlink_to("releases/1")
    units = root / "etc/systemd/system"
    for folder in (released, units):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "matinee-web.service").write_text("[Service]\n")
    (units / "matinee.target.wants").mkdir()
    (units / "matinee.target.wants/matinee-web.service").symlink_to("/nowhere")
    (root / "etc/matinee").mkdir()
    rest = "[web]\nworkers = 2\n"
    said = hashlib.sha256(rest.encode()).hexdigest()
    (root / "etc/matinee/matinee.toml").write_text(f"# sha256:{said}\n{rest}")
    return dataclasses.replace(examined, root=root)


def test_a_unit_that_somebody_disabled_is_named(installed: Examined) -> None:
    units = installed.file("/etc/systemd/system")
    (units / "multi-user.target.wants").mkdir()
    (units / "multi-user.target.wants/matinee.target").symlink_to("/nowhere")
    for name in ("matinee-web.socket", "matinee-nginx.service"):
        (units / "matinee.target.wants" / name).symlink_to("/nowhere")

    found = _look(installed, "systemd.units")

    assert found.level is Level.FAIL
    assert found.fix == "systemctl enable --now matinee-control.service"


def test_a_unit_that_fell_over_is_named(
    installed: Examined, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = tmp_path / "bin/systemctl"
    asked.parent.mkdir()
    monkeypatch.setenv("PATH", f"{asked.parent}:{os.environ['PATH']}")
    asked.write_text(f"#!/bin/sh\nprintf '{_RUNNING}'\n")
    asked.chmod(0o755)
    assert _look(installed, "systemd.units").level is Level.OK

    asked.write_text(
        f"#!/bin/sh\nprintf '{_RUNNING.replace('=active', '=failed')}'\n",
    )
    found = _look(installed, "systemd.units")

    assert found.level is Level.FAIL
    assert "matinee-web.service" in found.sentence
    assert "journalctl -u matinee-web.service" in found.fix


def test_a_unit_that_need_not_run_here_is_not_missed() -> None:
    without = "Id=matinee-gpu.service\nActiveState=inactive\nConditionResult=no\n"
    stopped = "Id=matinee-media.service\nActiveState=inactive\nConditionResult=yes\n"

    told = "\n".join((_RUNNING, without, stopped))

    assert list(fallen_units(told)) == ["matinee-media.service"]


def test_a_generated_file_that_was_edited_is_named(installed: Examined) -> None:
    assert _look(installed, "config.generated").level is Level.OK

    with installed.file(_TOML).open("a") as file:
        file.write("threads = 99\n")
    found = _look(installed, "config.generated")

    assert found.level is Level.WARN
    assert _TOML in found.sentence
    assert "matinee_settings" in found.fix


def test_a_generated_file_without_its_first_line_was_edited(
    installed: Examined,
) -> None:
    installed.file(_TOML).write_text("[web]\nworkers = 2\n")

    assert _look(installed, "config.generated").level is Level.WARN


def test_a_unit_that_is_not_as_in_the_release_is_named(installed: Examined) -> None:
    assert _look(installed, "systemd.files").level is Level.OK

    unit = installed.file("/etc/systemd/system/matinee-web.service")
    unit.write_text("[Service]\nUser=root\n")

    found = _look(installed, "systemd.files")
    assert found.level is Level.WARN
    assert "matinee-web.service" in found.sentence


def test_sizes_of_another_machine_are_named(installed: Examined) -> None:
    meant = sizes(machines.this()).settings()
    right = dataclasses.replace(
        installed.settings,
        web=dataclasses.replace(
            installed.settings.web,
            workers=int(meant["web"]["workers"]),
            threads=int(meant["web"]["threads"]),
        ),
    )
    assert (
        _look(dataclasses.replace(installed, settings=right), "machine.sizes").level
        is Level.OK
    )

    far = int(sizes(Machine(64, 512 * 1024)).settings()["web"]["workers"]) * 8
    wrong = dataclasses.replace(right, web=dataclasses.replace(right.web, workers=far))
    found = _look(dataclasses.replace(installed, settings=wrong), "machine.sizes")

    assert found.level is Level.WARN
    assert f"web.workers is {far}" in found.sentence


@pytest.mark.parametrize(
    "check_id",
    ["systemd.units", "systemd.files", "config.generated", "machine.sizes"],
)
def test_a_checkout_is_not_asked_for_what_an_installer_writes(
    examined: Examined, tmp_path: Path, check_id: str
) -> None:
    bare = dataclasses.replace(examined, root=tmp_path)

    assert _look(bare, check_id).level is Level.OK

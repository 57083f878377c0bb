"""Imports run downwards, as the map in CONTRIBUTING says."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def test_imports_run_downwards() -> None:
    lint_imports = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run(
        [lint_imports, "--no-cache"], cwd=ROOT, capture_output=True, text=True
    )

    assert result.returncode == 0, result.stdout


def test_the_core_starts_nothing_and_one_module_of_it_speaks_to_the_network() -> None:
    forbidden = ("import subprocess", "import socket", "import requests", "urllib.req")
    speakers = {
        str(path.relative_to(ROOT))
        for path in (ROOT / "appliance").rglob("*.py")
        if path.parent.name not in ("cli", "checks")
        for word in forbidden
        if word in path.read_text(encoding="utf-8")
    }

    # The second tells systemd by its Unix socket that all is well.
    assert speakers == {"appliance/calls.py", "appliance/supervision.py"}


def test_one_module_runs_other_programs() -> None:
    """And one keeps our own processes running, for a box without systemd."""
    callers = [
        str(path.relative_to(ROOT))
        for package in ("jobs", "web")
        for path in (ROOT / package).rglob("*.py")
        if "import subprocess" in path.read_text(encoding="utf-8")
    ]

    assert sorted(callers) == ["jobs/supervisor.py", "jobs/tools/process.py"]


def test_one_module_opens_transactions() -> None:
    begin = ("begin immediate", ".atomic(", 'execute("begin')
    openers = [
        str(path.relative_to(ROOT))
        for package in ("appliance", "jobs", "web")
        for path in (ROOT / package).rglob("*.py")
        if any(word in path.read_text(encoding="utf-8").lower() for word in begin)
    ]

    assert openers == ["appliance/db.py"]

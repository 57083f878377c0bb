"""Prometheus's own tool, which says whether rules and figures are what it takes."""

import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent


@cache
def path() -> str:
    """Return where it is; fetched from Debian the first time."""
    script = ROOT / "workshop" / "promtool.sh"
    done = subprocess.run([script], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"promtool can't be had here: {done.stderr.strip()[-200:]}")
    return done.stdout.strip()


def run(*args: str | Path, text: str = "") -> subprocess.CompletedProcess[str]:
    """Run it; what it says is in both outputs."""
    command = [path(), *map(str, args)]
    return subprocess.run(
        command, input=text, capture_output=True, text=True, check=False
    )

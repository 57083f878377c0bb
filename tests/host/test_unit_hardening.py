"""What each service is kept from, as systemd itself scores it (0 best, 10 worst)."""

import shutil
import subprocess
from pathlib import Path

import pytest

UNITS = Path(__file__).resolve().parents[2] / "systemd"
SERVICES = sorted(each.name for each in UNITS.glob("*.service"))
WORST = 2.0

pytestmark = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here"
)


@pytest.fixture(scope="module")
def system(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that looks like a system with our units in it."""
    root = tmp_path_factory.mktemp("system")
    shutil.copytree(UNITS, root / "etc/systemd/system")
    return root


@pytest.mark.parametrize("service", SERVICES)
def test_no_service_is_exposed_more_than_a_little(system: Path, service: str) -> None:
    said = asked(system, service)

    score = float(said.strip().splitlines()[-1].split(":")[1].split()[0])
    assert score <= WORST, said


def asked(system: Path, service: str) -> str:
    """Return the table of what is open to a service, and its score in the last line."""
    asking = ["systemd-analyze", "security", "--offline=true", "--no-pager"]
    done = subprocess.run(
        [*asking, f"--root={system}", service],
        capture_output=True,
        text=True,
        check=True,
    )
    return "\n".join(line for line in done.stdout.splitlines() if line[:1] != "✓")

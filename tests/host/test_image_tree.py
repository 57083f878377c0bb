"""What a copy of the image must not have of the machine that it was made on."""

import subprocess
from pathlib import Path

import pytest

IMAGES = Path(__file__).resolve().parents[2] / "images"
_CANARY = "of one machine only"


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A tree as an installed machine leaves it, with a canary in each place."""
    for name in (
        *("var/lib/matinee/keys/media-1.key", "var/lib/matinee/matinee.db"),
        *("var/lib/matinee/.cache/x", "srv/matinee/media/packages/film.m4s"),
        *("etc/matinee/answers.yml", "etc/matinee/tls/key.pem", "root/.ssh/id"),
        *("etc/matinee/matinee.toml", "etc/matinee/nginx/current/secrets.conf"),
        *("etc/ssh/ssh_host_ed25519_key", "etc/machine-id", "root/password"),
        *("var/log/journal/1/system.journal", "var/log/matinee-install.log"),
        *("var/log/matinee/portal.log", "etc/systemd/network/10-host0.network"),
        *("var/lib/systemd/random-seed", "var/lib/systemd/credential.secret"),
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_CANARY)
    kept = tmp_path / "opt/matinee/current/release.json"
    kept.parent.mkdir(parents=True)
    kept.write_text("{}")
    return tmp_path


def test_nothing_of_one_machine_stays(tree: Path) -> None:
    subprocess.run([IMAGES / "strip.sh", tree], check=True)

    left = [
        str(path)
        for path in tree.rglob("*")
        if path.is_file() and _CANARY in path.read_text()
    ]
    assert left == []
    assert (tree / "etc/machine-id").read_text() == ""
    assert (tree / "etc/matinee/first-boot").exists()
    assert (tree / "opt/matinee/current/release.json").exists()
    assert "LABEL=matinee-root" in (tree / "etc/fstab").read_text()


@pytest.mark.parametrize(
    "path",
    [
        *sorted(IMAGES.glob("*.sh")),
        IMAGES / "files/usr/local/lib/matinee/first-boot",
    ],
    ids=lambda path: str(path.name),
)
def test_its_scripts_can_be_read(path: Path) -> None:
    assert path.stat().st_mode & 0o111
    subprocess.run(["bash", "-n", path], check=True)

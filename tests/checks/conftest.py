"""An installation to look at, on a machine whose files a test can change."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.checks import Examined
from appliance.settings import Settings


@pytest.fixture
def examined(settings: Settings) -> Examined:
    """An installation as `matinee init` leaves it."""
    settings.media.mkdir(parents=True, exist_ok=True)
    settings.keys.mkdir(mode=0o700, exist_ok=True)
    return Examined(settings)


@pytest.fixture
def machine(examined: Examined, tmp_path: Path) -> Examined:
    """The same on a machine that the installer made, with nothing wrong about it."""
    root = tmp_path / "machine"
    for path, text in _FILES.items():
        file = root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    wanted = root / "etc/systemd/system/sysinit.target.wants"
    wanted.mkdir(parents=True)
    (wanted / "nftables.service").symlink_to("/lib/systemd/system/nftables.service")
    (root / "var/lib/apt/lists").mkdir(parents=True)
    return replace(examined, root=root)


_FILES = {
    "/opt/matinee/current/release.json": "{}",
    "/run/systemd/timesync/synchronized": "",
    "/proc/meminfo": "MemTotal: 8000000 kB\nMemAvailable: 6000000 kB\n",
    "/proc/sys/kernel/osrelease": "6.1.0-40-amd64\n",
    "/boot/vmlinuz-6.1.0-9-amd64": "",
    "/boot/vmlinuz-6.1.0-40-amd64": "",
    "/etc/ssh/sshd_config": "Include /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\n",
    "/etc/ssh/sshd_config.d/10-keys.conf": "PasswordAuthentication no\n",
    "/etc/nftables.conf": (
        "table inet filter { chain input { type filter hook input priority 0;"
        " policy drop; } }\n"
    ),
}

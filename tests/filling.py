"""A small real disk for films, filled up and freed as a test wants."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from appliance.settings import Disk, Settings
from tests.host.mounts import Mounts

MEGABYTE = 1024**2
# On a disk of 200 MB there is room for films of tests below each of these.
MARKS = Disk(warn_percent=80, pause_percent=70, refuse_percent=60)


@dataclass
class Disks:
    """``settings`` are those of an installation whose films lie on the small disk."""

    settings: Settings
    filler: Path

    def fill(self, percent_free: float) -> None:
        """Leave so much of the disk free."""
        self.free()
        room = os.statvfs(self.filler.parent)
        wanted = int(room.f_blocks * percent_free / 100)
        size = (room.f_bavail - wanted) * room.f_frsize
        with self.filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, size)

    def free(self) -> None:
        self.filler.unlink(missing_ok=True)


def disks(settings: Settings, mounts: Mounts, megabytes: int = 200) -> Disks:
    """Mount a small disk where films lie."""
    mounts.disk(settings.media, kilobytes=megabytes * 1024)
    marked = replace(settings, disk=MARKS)
    return Disks(marked, settings.media / "filler")

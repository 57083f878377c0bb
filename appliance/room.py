"""How full a disk is, and what is refused on it: the marks of the section [disk].

Percentages are of what this user could fill, as `df` counts them: blocks that the file
system keeps for root are neither free nor there.
"""

import shutil
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from appliance.errors import StorageFull
from appliance.host_sections import Disk


class Pressure(IntEnum):
    """What a disk is too full for; each includes those before it."""

    OK = 0
    WARN = 1
    PAUSE = 2
    REFUSE = 3


@dataclass(frozen=True, slots=True)
class Room:
    """The bytes of a disk: free, and in all."""

    free: int
    size: int

    @classmethod
    def of(cls, folder: Path) -> "Room":
        """Return the room of the disk that a folder lies on. Errors: ``OSError``."""
        usage = shutil.disk_usage(folder)
        return cls(usage.free, usage.used + usage.free)

    @property
    def percent(self) -> float:
        """Return how much of it is free."""
        return 100 * self.free / self.size if self.size else 0.0

    def pressure(self, marks: Disk) -> Pressure:
        """Return what it is too full for; a mark of 0 never counts."""
        for pressure, mark in (
            (Pressure.REFUSE, marks.refuse_percent),
            (Pressure.PAUSE, marks.pause_percent),
            (Pressure.WARN, marks.warn_percent),
        ):
            if mark and self.percent < mark:
                return pressure
        return Pressure.OK

    def require(self, marks: Disk, size: int = 0) -> None:
        """Refuse a film of ``size`` bytes that would leave less than the last mark.

        Errors: ``StorageFull`` (``storage.nearly-full``).
        """
        left = Room(max(0, self.free - size), self.size)
        if left.pressure(marks) is not Pressure.REFUSE:
            return
        full = self.pressure(marks) is Pressure.REFUSE
        what = (
            f"Only {self.percent:.1f} % of the disk for films is free, and below"
            f" {marks.refuse_percent} % no film is taken"
            if full
            else f"This film would leave less than {marks.refuse_percent} % of the disk"
            " for films free"
        )
        raise StorageFull(
            "storage.nearly-full",
            f"{what}: remove titles or add a larger disk, and try again. What has"
            " arrived is kept.",
        )

    def said(self, marks: Disk) -> str:
        """Say that no work on films is begun, or nothing while it is."""
        if self.pressure(marks) < Pressure.PAUSE:
            return ""
        return (
            f"Only {self.percent:.1f} % of the disk for films is free: no work on films"
            f" is begun below {marks.pause_percent} %. It goes on by itself when there"
            " is room."
        )

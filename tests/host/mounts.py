"""Real disks and shares for tests, mounted below a temporary folder.

This needs the privilege to mount, as root of a container with it has; where it is
missing the tests that need it are skipped and say so.
"""

import ctypes
import os
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

_libc = ctypes.CDLL(None, use_errno=True)
_READ_ONLY, _REMOUNT, _BIND, _LAZY = 1, 32, 4096, 2


@dataclass
class Mounts:
    """What a test has mounted; all of it is taken away at its end."""

    made: list[Path] = field(default_factory=list)

    def disk(self, place: Path, *, kilobytes: int = 8192) -> Path:
        """Mount a small empty disk there."""
        return self._mount("tmpfs", place, "tmpfs", 0, f"size={kilobytes}k")

    def same(self, disk: Path, place: Path) -> Path:
        """Mount there what is mounted at ``disk``."""
        return self._mount(str(disk), place, "none", _BIND, "")

    def dead_share(self, place: Path) -> Path:
        """Mount a FUSE file system whose server is gone: all it says is ENOTCONN."""
        if not os.access("/dev/fuse", os.R_OK | os.W_OK):
            pytest.skip("there is no /dev/fuse here")
        server = os.open("/dev/fuse", os.O_RDWR)
        try:
            options = f"fd={server},rootmode=40000,user_id=0,group_id=0"
            return self._mount("share", place, "fuse.share", 0, options)
        finally:
            os.close(server)

    def read_only(self, place: Path) -> None:
        """Let a disk turn read-only, as a failing one does."""
        self._mount("tmpfs", place, "tmpfs", _REMOUNT | _READ_ONLY, "")
        self.made.pop()

    def gone(self, place: Path) -> None:
        """Take a disk away; what has files open on it keeps them."""
        self.made.remove(place)
        _libc.umount2(os.fsencode(place), _LAZY)

    def end(self) -> None:
        for place in reversed(list(self.made)):
            self.gone(place)

    def _mount(self, what: str, place: Path, kind: str, flags: int, data: str) -> Path:
        with suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
        arguments = [os.fsencode(each) for each in (what, place, kind)]
        if _libc.mount(*arguments, flags, os.fsencode(data)) != 0:
            reason = os.strerror(ctypes.get_errno())
            pytest.skip(f"a {kind} cannot be mounted here: {reason}")
        self.made.append(place)
        return place

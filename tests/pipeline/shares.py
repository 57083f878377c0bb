"""A share that can vanish in the middle of work: a folder behind a FUSE server."""

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.pipeline.served_home import until

needs_share = pytest.mark.skipif(
    shutil.which("bindfs") is None or not Path("/dev/fuse").exists(),
    reason="bindfs or /dev/fuse is missing",
)


@dataclass
class Share:
    """``behind`` is the folder of the server, ``place`` where it is mounted."""

    behind: Path
    place: Path
    server: "subprocess.Popen[bytes] | None" = None

    def mount(self) -> None:
        self.behind.mkdir(exist_ok=True)
        self.place.mkdir(exist_ok=True)
        self.server = subprocess.Popen(["bindfs", "-f", self.behind, self.place])
        until(lambda: self.place.is_mount())

    def crash(self) -> None:
        """Kill its server: everything there answers with ENOTCONN."""
        assert self.server is not None
        self.server.kill()
        self.server.wait()

    def unmount(self) -> None:
        """Take the dead mount away: an empty folder is left."""
        subprocess.run(["umount", "-l", self.place], check=False, capture_output=True)

    def end(self) -> None:
        if self.server is not None:
            self.server.kill()
            self.server.wait()
        self.unmount()

"""A real S3 server on loopback: the one of rclone, which checks every signature.

It keeps objects as files in a folder, where tests can look at them. It remembers what
it has seen there: what tests change, they change by asking it.
"""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from appliance.sections import Objects
from appliance.settings import Settings

BUCKET = "films"
_ACCESS, _SECRET = "MATINEETESTS", "a-secret-of-the-tests"


@dataclass
class ObjectServer:
    """A running server; ``folder`` is what lies in its bucket.

    One that is not ``signed`` gives everybody what he asks for.
    """

    root: Path
    port: int
    signed: bool = True
    process: "subprocess.Popen[bytes] | None" = field(default=None, repr=False)

    @property
    def folder(self) -> Path:
        return self.root / BUCKET

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def used_by(
        self, settings: Settings, *, secret: str = _SECRET, prefix: str = ""
    ) -> Settings:
        """Return the settings of an installation that uses this server."""
        settings.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = settings.keys / "s3.toml"
        path.touch(mode=0o600)
        path.write_text(credentials(secret), encoding="utf-8")
        objects = Objects(
            bucket=BUCKET, endpoint=self.url, prefix=prefix, timeout_seconds=5
        )
        return replace(settings, objects=objects)

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.process = subprocess.Popen(
            command(self.root, f"127.0.0.1:{self.port}"),
            env=environment() if self.signed else None,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + 20
        while not self._answers():
            assert self.process.poll() is None, "rclone ended at once"
            assert time.monotonic() < until, "rclone does not answer"

    def stop(self) -> None:
        process, self.process = self.process, None
        if process is not None:
            process.kill()
            process.wait()

    def _answers(self) -> bool:
        with socket.socket() as probe:
            probe.settimeout(0.2)
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


def command(root: Path, address: str) -> list[str]:
    """Return the command that serves the buckets of a folder."""
    rclone = str(Path(sys.executable).with_name("rclone"))
    return [rclone, "serve", "s3", "--config", "", "--addr", address, str(root)]


def environment() -> dict[str, str]:
    """Return the environment in which it wants every request signed."""
    return {**os.environ, "RCLONE_AUTH_KEY": f'"{_ACCESS},{_SECRET}"'}


def credentials(secret: str = _SECRET) -> str:
    """Return the file with which an installation opens it."""
    return f'[s3]\naccess_key = "{_ACCESS}"\nsecret_key = "{secret}"\n'


@contextmanager
def serving(root: Path) -> Iterator[ObjectServer]:
    """Serve an empty bucket out of a folder, on a free port."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        server = ObjectServer(root, free.getsockname()[1])
    server.start()
    try:
        yield server
    finally:
        server.stop()

"""A Redis of one's own, with a password, that can be killed and comes back empty."""

import secrets
import shutil
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

from tests.pipeline.served_home import until

needs_redis = pytest.mark.skipif(
    shutil.which("redis-server") is None, reason="redis-server is not installed"
)


class RedisServer:
    """Serves on a free port of 127.0.0.1 as long as the ``with`` lasts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.password = secrets.token_hex(8)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]
        self.url = f"redis://:{self.password}@127.0.0.1:{self.port}/0"
        self.server: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it empty; wait until it answers."""
        self.server = subprocess.Popen(
            ["redis-server", "-"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )
        assert self.server.stdin is not None
        with self.server.stdin as told:
            told.write(self.configuration().encode())
        until(self._answers)

    def configuration(self) -> str:
        return (
            f"bind 127.0.0.1\nport {self.port}\nsave ''\nrequirepass {self.password}\n"
        )

    def kill(self) -> None:
        """Kill -9 it, with all that it knew."""
        if self.server is not None:
            self.server.kill()
            self.server.wait()

    def _answers(self) -> bool:
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
        except OSError:
            return False
        return True

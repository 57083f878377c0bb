"""A whole installation with its real processes, for tests that kill some of them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from appliance import migrations
from appliance import settings as configuration
from appliance.settings import Settings

_T = TypeVar("_T")
_LOOK_SECONDS = 0.02
MATINEE = str(Path(sys.executable).with_name("matinee"))


@dataclass
class ServedHome:
    """One home; ``serve`` may be killed and started again in it."""

    home: Path
    environment: Mapping[str, str]
    process: subprocess.Popen[str] | None = None
    url: str = ""

    @property
    def settings(self) -> Settings:
        return configuration.load(environ=self.environment)

    def start(self) -> None:
        """Start everything and wait for the address."""
        with (self.home / "serve.log").open("a") as log:
            self.process = subprocess.Popen(
                [MATINEE, "serve", "--port", "0"],
                env=self.environment,
                cwd=self.home,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().strip()
        assert self.url, self.log()

    def log(self) -> str:
        return (self.home / "serve.log").read_text()

    def supervisor(self) -> int:
        assert self.process is not None
        return self.process.pid

    def processes(self, part: str) -> list[int]:
        """Return the living processes below the supervisor whose command names part."""
        return [pid for pid in self.everything() if part in _command(pid)]

    def everything(self) -> list[int]:
        """Return every process that belongs to this home, however deep below."""
        mark = f"MATINEE_HOME={self.home}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                if mark in (path / "environ").read_bytes().split(b"\0"):
                    found.append(int(path.name))
        return found

    def kill_supervisor(self) -> None:
        """Kill -9 the supervisor; all the others must follow by themselves."""
        kill(self.supervisor())
        self.close()

    def stop(self) -> int:
        """End it the polite way; return the exit status."""
        os.kill(self.supervisor(), signal.SIGTERM)
        return self.close()

    def close(self) -> int:
        """Wait until the supervisor has ended; return its exit status."""
        if self.process is None:
            return 0
        assert self.process.stdout is not None
        self.process.stdout.close()
        return self.process.wait(20)


@contextmanager
def served_home(home: Path, **environment: str) -> Iterator[ServedHome]:
    """Make a home with an empty database; end whatever was started in it."""
    home.mkdir(parents=True)
    found = {
        **os.environ,
        "MATINEE_HOME": str(home),
        "MATINEE_WEB_WORKERS": "1",
        "MATINEE_WEB_THREADS": "2",
        **environment,
    }
    migrations.migrate(configuration.load(environ=found).database)
    served = ServedHome(home, found)
    try:
        yield served
    finally:
        # What is being started while one looks is found the next time.
        while left := [pid for pid in served.everything() if alive(pid)]:
            for pid in left:
                kill(pid)
        served.close()


def until(look: Callable[[], _T | None], seconds: float = 20) -> _T:
    """Look again and again until there is something to see, and return it."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(_LOOK_SECONDS)


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def alive(pid: int) -> bool:
    """Say whether a process lives; one that only waits to be reaped does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return False
    return state != "Z"


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    except OSError:
        return ""

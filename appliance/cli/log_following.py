"""What is said from now on: by journald, and in files that grow and are turned."""

import queue
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from subprocess import Popen

from appliance.cli import log_lines
from appliance.cli.log_lines import Line, Wanted

_LOOK_SECONDS = 0.3

_Said = queue.SimpleQueue[Line]


def said(wanted: Wanted, grown: "Grown", *, journal: bool) -> Iterator[Line]:
    """Yield lines as they are said, until whoever reads them goes away."""
    lines: _Said = queue.SimpleQueue()
    threading.Thread(target=_watch, args=(grown, lines), daemon=True).start()
    process = None
    if journal:
        command = log_lines.journal_command(wanted, "--follow", "--lines=0")
        process = log_lines.running(command)
        threading.Thread(target=_listen, args=(process, lines), daemon=True).start()
    try:
        while True:
            line = lines.get()
            if wanted.takes(line):
                yield line
    finally:
        if process is not None:
            process.terminate()
            process.wait()


class Grown:
    """The log files of a folder, and how far each was read."""

    def __init__(self, part: str, folder: Path, seen: dict[Path, int]) -> None:
        self._part, self._folder, self._seen = part, folder, seen

    @classmethod
    def of(cls, part: str, folder: Path) -> "Grown":
        """Begin at the ends of the files that are there."""
        found = _growing(part, folder)
        return cls(part, folder, {path: path.stat().st_size for path in found})

    def lines(self) -> Iterator[Line]:
        """Yield the whole lines that were added since; a turned file begins anew."""
        for path in _growing(self._part, self._folder):
            begin = self._seen.get(path, 0)
            if path.stat().st_size < begin:
                begin = 0
            with path.open("rb") as file:
                file.seek(begin)
                whole, end, _ = file.read().rpartition(b"\n")
            self._seen[path] = begin + len(whole) + len(end)
            for text in whole.decode("utf-8", "replace").splitlines():
                if line := log_lines.of_file(f"nginx/{path.stem}", text):
                    yield line


def _growing(part: str, folder: Path) -> list[Path]:
    found = log_lines.files_of(part, folder)
    return [path for path in found if path.suffix == ".log"]


def _watch(grown: Grown, lines: _Said) -> None:
    while True:
        for line in grown.lines():
            lines.put(line)
        time.sleep(_LOOK_SECONDS)


def _listen(process: Popen[str], lines: _Said) -> None:
    assert process.stdout is not None
    for text in process.stdout:
        if line := log_lines.of_journal(text):
            lines.put(line)

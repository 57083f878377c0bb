"""On what kind of file system something lies: SQLite needs one of this machine's own.

Over a network its locks and its shared memory do not hold what they promise: two
processes write over one another, and the database is damaged without an error.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import PreconditionFailed
from appliance.settings import Settings

_NETWORK = frozenset(
    {
        *("nfs", "nfs4", "cifs", "smb3", "smbfs", "9p", "afs", "ceph", "coda"),
        *("glusterfs", "lustre", "beegfs", "gpfs", "ocfs2", "gfs2", "orangefs"),
        *("vboxsf", "virtiofs", "prl_fs", "acfs", "davfs", "ncpfs", "pvfs2"),
    }
)
_FUSE = ("fuse", "fuseblk")
_MOUNTS = Path("/proc/self/mountinfo")
_ESCAPED = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class FileSystem:
    """One that is mounted: its kind as the kernel calls it, where, and from what."""

    kind: str
    place: Path
    source: str

    @property
    def local(self) -> bool:
        """Say whether locks and shared memory hold: it is this kernel's own."""
        return (
            self.kind not in _NETWORK
            and self.kind not in _FUSE
            and not self.kind.startswith("fuse.")
        )


def of(path: Path, mounts: Path = _MOUNTS) -> FileSystem:
    """Return the file system that a path lies on, or would lie on once it is made.

    Errors: ``OSError`` when the list of mounts can't be read.
    """
    real = path.resolve()
    found = FileSystem("", Path("/"), "")
    # Of several mounts at one place the last one counts.
    for each in _mounted(mounts):
        if real.is_relative_to(each.place) and (
            len(each.place.parts) >= len(found.place.parts)
        ):
            found = each
    return found


def require_local(settings: Settings, mounts: Path = _MOUNTS) -> None:
    """Refuse a database, or a queue in files, that lies on a network file system.

    Errors: ``PreconditionFailed`` database.network.
    """
    for what, path in places(settings):
        found = of(path, mounts)
        if not found.local:
            raise PreconditionFailed("database.network", refusal(what, path, found))


def places(settings: Settings) -> Iterator[tuple[str, Path]]:
    """Yield what is SQLite's, with the folder that it lies in."""
    yield "The database", settings.database.parent
    if not settings.queue.url:
        yield "The queue", settings.home / "queue"


def refusal(what: str, path: Path, found: FileSystem) -> str:
    """Return the sentence that says why and what to do."""
    return (
        f"{what} lies in {path}, on the file system {found.place} of the kind"
        f" {found.kind} ({found.source}): over a network, or through FUSE, SQLite's"
        " locks do not hold, and the database would be damaged. Move it to a disk of"
        " this machine; only films (storage.media) may lie on a share."
    )


def _mounted(mounts: Path) -> Iterator[FileSystem]:
    text = mounts.read_text(encoding="utf-8", errors="surrogateescape")
    for line in text.splitlines():
        before, _, after = line.partition(" - ")
        fields, told = before.split(" "), after.split(" ")
        if len(fields) > 4 and len(told) > 1:
            yield FileSystem(told[0], Path(_plain(fields[4])), _plain(told[1]))


def _plain(text: str) -> str:
    """Return what the kernel wrote with octal numbers in place of blanks."""
    return _ESCAPED.sub(lambda found: chr(int(found[1], 8)), text)

"""Tells the disk that holds the media from the empty folder it is mounted on.

A disk or share of its own gets a mark, a file with a random name in it, and the home
remembers which it was. As soon as the mark is not there, nothing is written: films
would lie hidden below the mount point, and the next mount would take them away.
"""

import secrets
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import PreconditionFailed

MARK = ".matinee-media"
REMEMBERED = "media.mark"
_OURS = frozenset({"sources", "packages", "artwork", "work", "uploads"})
# What a new file system holds by itself.
_EMPTY = frozenset({"lost+found"})


@dataclass(slots=True)
class Mounted:
    """The root of a storage, and the home that remembers the mark in it.

    A folder on the same file system as the home cannot vanish alone and needs no mark.
    ``seen`` is what this process has found there, for roots without a home.
    """

    root: Path
    home: Path | None = None
    seen: str = ""

    def require(self) -> None:
        """Refuse when the disk is gone, or another one is in its place.

        A disk that is new here is marked first. Errors: ``PreconditionFailed``.
        """
        found = self._found()
        known = self._known()
        if known and found != known:
            raise self._gone() if not found else self._other()
        if not known and (found or self._begins_here()):
            self._remember(found or self._marked())

    def _found(self) -> str:
        try:
            return (self.root / MARK).read_text(encoding="ascii").strip()
        except (FileNotFoundError, NotADirectoryError):
            return ""
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is damaged"
            raise PreconditionFailed(
                "storage.away",
                f"The storage {self.root} cannot be read ({reason}): see to its disk or"
                " share, and mount it again. Nothing was written.",
            ) from error

    def _known(self) -> str:
        if not self.seen and self.home is not None:
            with suppress(FileNotFoundError):
                path = self.home / REMEMBERED
                self.seen = path.read_text(encoding="ascii").strip()
        return self.seen

    def _begins_here(self) -> bool:
        """Say whether this is a disk of its own that holds nothing yet, or ours."""
        if self.home is None or not self.root.is_dir() or not self.home.is_dir():
            return False
        if self.root.stat().st_dev == self.home.stat().st_dev:
            return False
        names = {path.name for path in self.root.iterdir()} - _EMPTY
        return not names or bool(names & _OURS)

    def _marked(self) -> str:
        """Mark the disk; of two processes at once both keep the mark of the first."""
        with suppress(FileExistsError), (self.root / MARK).open("x") as file:
            file.write(secrets.token_hex(8) + "\n")
        return self._found()

    def _remember(self, mark: str) -> None:
        self.seen = mark
        # A process that may not write there protects itself, and others do theirs.
        if self.home is not None:
            with suppress(OSError):
                (self.home / REMEMBERED).write_text(f"{mark}\n", encoding="ascii")

    def _gone(self) -> PreconditionFailed:
        return PreconditionFailed(
            "storage.vanished",
            f"The disk or share of {self.root} is not mounted: its file {MARK} is"
            f" missing. Mount it again; nothing was written. {self._instead()}",
        )

    def _other(self) -> PreconditionFailed:
        return PreconditionFailed(
            "storage.other",
            f"Another disk or share than before is mounted at {self.root}: mount the"
            f" right one; nothing was written. {self._instead()}",
        )

    def _instead(self) -> str:
        if self.home is None:
            return "If this one is meant, start Matinee again."
        return f"If this one is meant, remove {self.home / REMEMBERED}."

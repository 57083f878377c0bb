"""Source files: checked, named and brought into the storage."""

import hashlib
import os
import re
from pathlib import Path

from appliance.errors import InvalidInput
from appliance.settings import Disk, Settings
from appliance.storage import Storage

_LONGEST_NAME = 120
_LONGEST_FILENAME = 255


def clean_filename(filename: str) -> str:
    """Return a file name that can be stored: bytes that are no text are replaced."""
    text = filename.encode("utf-8", "surrogateescape").decode("utf-8", "replace")
    return text[:_LONGEST_FILENAME] or "unnamed"


def name_of(filename: str) -> str:
    """Make a title of a file name: no path, no extension, words apart."""
    stem = re.split(r"[/\\]", filename)[-1]
    stem = re.sub(r"\.[A-Za-z0-9]{1,8}$", "", stem)
    printable = "".join(letter if letter.isprintable() else " " for letter in stem)
    words = re.sub(r"[\s._]+", " ", printable).strip()
    return words[:_LONGEST_NAME].strip() or "Untitled"


def path_for(public_id: str, filename: str) -> str:
    """Return where the source of an asset lies; no text of a user but a suffix."""
    match = re.search(r"\.([A-Za-z0-9]{1,8})$", filename)
    suffix = f".{match.group(1).lower()}" if match else ""
    return f"sources/{public_id}/source{suffix}"


def check_size(size: int, filename: str, settings: Settings) -> None:
    """Refuse what holds nothing or too much. Errors: ``InvalidInput``."""
    if size <= 0:
        raise InvalidInput(
            "upload.empty", f"“{filename}” is empty: export or copy it once more."
        )
    most = settings.uploads.max_gigabytes
    if size > most * 1_000_000_000:
        raise InvalidInput(
            "upload.too-large",
            f"“{filename}” is larger than the {most} GB that are taken here:"
            " make it smaller or raise uploads.max_gigabytes.",
        )


def bring_in(
    storage: Storage, marks: Disk, source: Path, path: str, *, keep: bool
) -> str | None:
    """Link the source into the storage or copy it; return its hash if it was read.

    A link costs nothing and leaves the original in place until the rows are written;
    where none can be made, or the original stays and may be changed, it is copied.
    The hash of a linked source comes from inspecting it, away from whoever waits.
    Errors: ``StorageFull``; nothing is left behind.
    """
    try:
        if not keep and _linked(source, storage.path(path)):
            return None
        size = source.stat().st_size
        storage.require_room(size)
        storage.require_takes(marks, size)
        digest = hashlib.sha256()
        storage.copy(source, path, digest.update)
    except BaseException:
        storage.remove(Path(path).parent)
        raise
    return digest.hexdigest()


def _linked(source: Path, target: Path) -> bool:
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source.resolve(), target)
    except OSError:  # another file system, or one without links: copying will do
        return False
    return True

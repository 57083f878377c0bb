"""What files are: their sizes and SHA-256, by which copies of them are compared."""

import hashlib
from collections.abc import Mapping
from pathlib import Path

# The size in bytes and the SHA-256 in hexadecimal, by the name in the folder.
Files = Mapping[str, tuple[int, str]]


def of_file(path: Path) -> tuple[int, str]:
    """Return the size and the SHA-256 of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
        return file.tell(), digest.hexdigest()


def of_folder(folder: Path) -> dict[str, tuple[int, str]]:
    """Return what the files of a folder are; what is being written is left out."""
    return {
        path.name: of_file(path)
        for path in sorted(folder.iterdir())
        if path.is_file() and not path.name.startswith(".")
    }

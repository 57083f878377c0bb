"""Where the lab keeps what it makes, and by which names it is found again."""

import os
from pathlib import Path

ROOT = Path(os.environ.get("MATINEE_LAB", "/var/tmp/matinee-lab"))
CACHE = ROOT / "cache"
RUNS = ROOT / "runs"

# User 0 of every box is this user of the machine; 65,536 of them: root in a box is
# nobody outside of it.
FIRST_UID = 0x70000000
UIDS = 65536

# What a run makes carries the process that made it: the next run clears up after one
# that was killed.
PREFIX = "mat"


def owner(tag: str) -> int:
    """Return the process that a tag belongs to."""
    return int(tag.removeprefix(PREFIX).partition("x")[0])


def is_alive(tag: str) -> bool:
    return Path(f"/proc/{owner(tag)}").exists()

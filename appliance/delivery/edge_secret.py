"""What edges show to the origin: files ``edge-secret-<number>.key``.

It opens nothing by itself, as an edge sends its viewer's token too. The origin knows an
edge by it, believes what that says of a viewer's address, and where ``edge.required``
is set gives segments to edges only. Two are taken, so that edges can be told the new
one before the old one is forgotten; an edge shows the newest that it has.
"""

from pathlib import Path

from appliance import keyring

_PREFIX = "edge-secret-"


def known(keys: Path) -> tuple[str, ...]:
    """Return the secrets, the newest first; none where no edge was ever made."""
    return tuple(keyring.read(path).hex() for path in files(keys))


def rotate(keys: Path) -> tuple[Path, ...]:
    """Make a new secret, forget the one before the last, and return their files."""
    before = files(keys)
    newest = _number(before[0]) + 1 if before else 1
    keyring.key(keys, f"{_PREFIX}{newest}")
    kept = files(keys)
    for path in keys.glob(f"{_PREFIX}*.key"):
        if path not in kept:
            path.unlink(missing_ok=True)
    return kept


def files(keys: Path) -> tuple[Path, ...]:
    """Return the files of the secrets that count, the newest first."""
    found = [path for path in keys.glob(f"{_PREFIX}*.key") if _number(path)]
    return tuple(sorted(found, key=_number, reverse=True)[:2])


def _number(path: Path) -> int:
    name = path.stem.removeprefix(_PREFIX)
    return int(name) if name.isascii() and name.isdigit() else 0

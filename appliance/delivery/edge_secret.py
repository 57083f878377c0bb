"""What edges show to the origin: files ``edge-secret-<number>.key``.

Those edges share. One that joined by a token has a secret of its own, which the origin
keeps as ``edge-of-<name>.key`` and forgets when that edge is removed.

It opens nothing by itself, as an edge sends its viewer's token too. The origin knows an
edge by it, believes what that says of a viewer's address, and where ``edge.required``
is set gives segments to edges only. Two are taken, so that edges can be told the new
one before the old one is forgotten; an edge shows the newest that it has.
"""

from pathlib import Path

from appliance import keyring

_PREFIX = "edge-secret-"
_OWN = "edge-of-"
SHOWN = f"{_PREFIX}1.key"
"""What the secret of an edge that joined is called there."""


def known(keys: Path) -> tuple[str, ...]:
    """Return the secrets, the newest that is shared first; none without any edge."""
    own = sorted(keys.glob(f"{_OWN}*.key"))
    return tuple(keyring.read(path).hex() for path in (*files(keys), *own))


def of_edge(keys: Path, name: str) -> bytes:
    """Return the secret of an edge of that name; make it when it is new."""
    return keyring.key(keys, f"{_OWN}{name}")


def forget(keys: Path, name: str) -> bool:
    """Forget the secret of an edge; say whether there was one."""
    path = keys / f"{_OWN}{name}.key"
    there = path.exists()
    path.unlink(missing_ok=True)
    return there


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

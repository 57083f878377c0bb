"""Taking a backup apart, aside: each part is checked before it is believed."""

import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from appliance import __version__, migrations
from appliance.errors import NotFound
from appliance.operations.backups import contents, manifest, sealed, snapshots
from appliance.operations.backups.contents import Secrets
from appliance.operations.backups.manifest import Entry, Manifest, Part
from appliance.operations.backups.places import Place
from appliance.operations.backups.runs import LAST
from appliance.operations.backups.sealed import FileKey
from appliance.settings import Settings

_BLOCK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Opened:
    """A backup that lies open in a folder; ``files`` are those of the storage."""

    manifest: Manifest
    database: Path
    secrets: Secrets = field(repr=False)
    files: tuple[Entry, ...]


def named(place: Place, name: str) -> str:
    """Return the name of a backup that is there; ``last`` is the newest.

    Errors: ``NotFound``.
    """
    names = place.names()
    if name == LAST and names:
        return names[-1]
    if name != LAST and manifest.require_name(name) in names:
        return name
    wanted = "no backup" if name == LAST else f"no backup {name}"
    raise NotFound(
        "backup.missing",
        f"There is {wanted} in {place.name}: `matinee backup list` shows what there"
        " is. Is backup.place right?",
    )


def require_known(found: Manifest) -> None:
    """Refuse a backup of a release that is newer than this.

    Its database may be newer all the same, as after an upgrade was taken back: then
    the migrations say whether this code can work with it.
    Errors: ``PreconditionFailed`` backup.newer.
    """
    unknown = set(found.schema) - set(migrations.names())
    if unknown and found.version != __version__:
        raise manifest.newer(found.name, found.version)


def key_of(
    found: Manifest, settings: Settings, recovery_key: X25519PrivateKey | None
) -> FileKey:
    """Return what opens a backup: the recovery key, else this installation’s own.

    Errors: ``InvalidInput`` backup.key-wrong, ``PreconditionFailed`` backup.key-needed.
    """
    key = (
        sealed.with_own_key(found.sealing, settings)
        if recovery_key is None
        else sealed.with_recovery_key(found.sealing, recovery_key)
    )
    found.require_signed(key)
    return key


def open_aside(
    place: Place,
    found: Manifest,
    key: FileKey,
    folder: Path,
    tell: Callable[[str], object] = lambda _: None,
) -> Opened:
    """Bring a backup into a folder, check it all, and open it.

    Done again in the same folder it goes on where it was interrupted.
    Errors: ``PreconditionFailed`` backup.damaged, ``StorageFull``, ``TryAgain``.
    """
    snapshots.require_room(folder, found.bytes + found.database.bytes)
    tell(f"Bringing {found.name} from {place.name}")
    for part, known in found.parts.items():
        _fetch(place, found.name, part, known, folder / part)
    tell("Opening it")
    with (folder / manifest.SECRETS).open("rb") as file:
        secrets = contents.unpacked(key.open(manifest.SECRETS, file))
    files = tuple(manifest.read_index(folder / manifest.FILES))
    if len(files) != found.files:
        raise sealed.damaged("its list of files is not the one that it was made with")
    database = folder / "matinee.db"
    _unseal(key, folder / manifest.DATABASE, database, found.database)
    snapshots.require_whole(database)
    return Opened(found, database, secrets, files)


def _fetch(place: Place, name: str, part: str, known: Part, target: Path) -> None:
    if target.is_file() and manifest.digest(target) == known:
        return
    try:
        place.fetch(name, part, target)
    except NotFound:
        raise sealed.damaged(f"its {part} is missing") from None
    if manifest.digest(target) != known:
        raise sealed.damaged(f"its {part} is not what was written")


def _unseal(key: FileKey, source: Path, target: Path, known: Part) -> None:
    digest = hashlib.sha256()
    size = 0
    with source.open("rb") as file, target.open("wb") as out:
        target.chmod(0o600)
        for block in _expanded(key.open(manifest.DATABASE, file)):
            size += len(block)
            digest.update(block)
            out.write(block)
    if Part(size, digest.hexdigest()) != known:
        raise sealed.damaged("its database is not what was copied")


def _expanded(blocks: Iterator[bytes]) -> Iterator[bytes]:
    expand = zlib.decompressobj()
    try:
        for block in blocks:
            rest = block
            # A little at a time: what was changed could swell without an end.
            while rest:
                yield expand.decompress(rest, _BLOCK)
                rest = expand.unconsumed_tail
        yield expand.flush()
    except zlib.error:
        raise sealed.damaged("its database can’t be read") from None

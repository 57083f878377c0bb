"""From a folder to one signed file: the manifest, the signature, a sorted tar."""

import hashlib
import tarfile
from pathlib import Path

from appliance.operations.bundle_proof import MANIFEST, SIGNATURE
from workshop.release import signing


def seal(folder: Path, version: str, secret: Path) -> None:
    """Write the sums of everything in the folder, and sign them."""
    lines = [
        f"{hashlib.sha256((folder / name).read_bytes()).hexdigest()}  {name}"
        for name in _names(folder)
        if name not in (MANIFEST, SIGNATURE)
    ]
    (folder / MANIFEST).write_text("\n".join([*lines, ""]))
    signing.sign(folder / MANIFEST, secret, f"matinee {version}")


def pack(folder: Path, target: Path, epoch: int) -> None:
    """Write the folder as a tar that is the same whenever it is written.

    Manifest and signature come first: whoever reads it knows at once whom to believe.
    It is not compressed, as wheels and Debian packages are already.
    """
    aside = target.with_name(f".{target.name}")
    names = [MANIFEST, SIGNATURE]
    names += [each for each in _names(folder) if each not in names]
    with tarfile.open(aside, "w", format=tarfile.PAX_FORMAT) as archive:
        for name in names:
            with (folder / name).open("rb") as file:
                archive.addfile(_member(folder, name, epoch), file)
    aside.replace(target)


def _member(folder: Path, name: str, epoch: int) -> tarfile.TarInfo:
    path = folder / name
    info = tarfile.TarInfo(f"{folder.name}/{name}")
    info.size, info.mtime = path.stat().st_size, epoch
    info.mode = 0o755 if path.stat().st_mode & 0o100 else 0o644
    info.uname = info.gname = "root"
    return info


def _names(folder: Path) -> list[str]:
    return sorted(
        str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()
    )

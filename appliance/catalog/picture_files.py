"""The files of a picture: what it is cut from, and its sizes in every format."""

from pathlib import Path

from PIL import Image

from appliance.catalog import pictures
from appliance.catalog.pictures import Format, Shape
from appliance.errors import NotFound
from appliance.storage import Storage


def keep(
    storage: Storage,
    folder: str,
    image: Path,
    shape: Shape,
    focus: tuple[float, float],
    *,
    original: bool = True,
) -> tuple[int, int]:
    """Write a picture in every width it fills; return the size of the largest.

    With the ``original`` it can be cut anew. Errors: ``InvalidInput``.
    """
    whole = pictures.read(image, shape)
    if original:
        format_, data = pictures.original(whole)
        storage.write(f"{folder}/original.{format_}", data)
    largest = (0, 0)
    for each in pictures.cut(whole, shape, focus):
        ending = Format.PNG if whole.mode == "RGBA" else Format.JPEG
        storage.write(f"{folder}/{each.width}.{ending}", each.data)
        largest = (each.width, each.height)
    return largest


def sized(
    storage: Storage,
    folder: str,
    shape: Shape,
    focus: tuple[float, float],
    width: int,
    format_: Format | None,
) -> Path:
    """Return a file of the picture in ``folder``, and make it when it is not there."""
    kept = _kept(storage.path(folder))
    if not kept:
        raise missing()
    nearest = next((each for each in kept if int(each.stem) >= width), kept[-1])
    if format_ is None or nearest.suffix == f".{format_}":
        return nearest
    wanted = nearest.with_suffix(f".{format_}")
    if wanted.is_file():
        return wanted
    source = _original(storage.path(folder))
    with Image.open(source or kept[-1]) as opened:
        opened.load()
    whole = pictures.crop(opened, shape, focus) if source else opened
    small = pictures.sized(whole, int(nearest.stem), shape)
    return storage.write(f"{folder}/{wanted.name}", pictures.written(small, format_))


def source(storage: Storage, folder: str) -> Path:
    """Return the largest that is kept of a picture, to be cut anew."""
    place = storage.path(folder)
    kept = _original(place) or next(reversed(_kept(place)), None)
    if kept is None:
        raise missing()
    return kept


def missing() -> NotFound:
    return NotFound("artwork.missing", "There is no such picture.")


def _kept(folder: Path) -> list[Path]:
    """Return the files that other formats are made beside, the smallest first."""
    original = _original(folder)
    ending = original.suffix if original is not None else f".{Format.JPEG}"
    files = [each for each in folder.glob(f"*{ending}") if each.stem.isdigit()]
    return sorted(files, key=lambda each: int(each.stem))


def _original(folder: Path) -> Path | None:
    return next(folder.glob("original.*"), None)

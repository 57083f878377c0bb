"""Pictures: read carefully, turned upright, cut to a shape, written in small sizes.

What somebody sends is never passed on: it is decoded, brought to sRGB and written
anew, so that nothing that was hidden in the file reaches a browser.
"""

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from PIL import Image, ImageCms, ImageOps

from appliance.errors import InvalidInput

_FORMATS = ("JPEG", "PNG", "WEBP")
_MOST_PIXELS = 60_000_000
_LEAST_SIDE = 2
# What is kept of a picture to be cut from again: more than any screen shows of it.
_LARGEST_SIDE = 3840
_MIDDLE = (0.5, 0.5)
# What Pillow raises for files that are broken, or only begin like a picture.
_BROKEN = (
    *(OSError, ValueError, SyntaxError, EOFError, LookupError, TypeError),
    *(struct.error, zlib.error, Image.DecompressionBombError),
)


class Format(StrEnum):
    """How a picture is written; the value is the ending of its file."""

    AVIF = "avif"
    WEBP = "webp"
    JPEG = "jpg"
    PNG = "png"


MIMETYPES = {
    Format.AVIF: "image/avif",
    Format.WEBP: "image/webp",
    Format.JPEG: "image/jpeg",
    Format.PNG: "image/png",
}
# AVIF at speed 9 takes 30 ms for a card; at 8 it takes thrice as long to be as large.
_WRITTEN: dict[Format, dict[str, object]] = {
    Format.AVIF: {"quality": 60, "speed": 9, "max_threads": 1},
    Format.WEBP: {"quality": 78, "method": 4},
    Format.JPEG: {"quality": 82, "optimize": True, "progressive": True},
    Format.PNG: {"optimize": True},
}


@dataclass(frozen=True, slots=True)
class Shape:
    """A ratio of sides and the widths a picture of that shape is kept in.

    Without a ratio a picture keeps its own, and what shows through stays so.
    """

    across: int
    down: int
    widths: tuple[int, ...]

    @property
    def free(self) -> bool:
        return not self.across


@dataclass(frozen=True, slots=True)
class Picture:
    """One file that is to be written."""

    width: int
    height: int
    data: bytes


def read(path: Path, shape: Shape) -> Image.Image:
    """Return the picture upright in sRGB, no larger than is ever needed.

    Errors: ``InvalidInput`` when the file is not a whole JPEG, PNG or WebP picture.
    """
    refusal = InvalidInput(
        "artwork.unreadable",
        "This is not a picture that can be used: take a JPEG, PNG or WebP file.",
        {"field": "picture"},
    )
    try:
        with warnings.catch_warnings():
            # A picture that unpacks to gigabytes is refused by its size below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(path, formats=_FORMATS)
    except _BROKEN as error:
        raise refusal from error
    with opened:
        _refuse_size(opened.size)
        try:
            # A photograph of a large camera is not unpacked to more than is kept.
            opened.draft(opened.mode, (_LARGEST_SIDE, _LARGEST_SIDE))
            opened.load()
            small = ImageOps.exif_transpose(opened)
            return _plain(_bounded(small), transparent=shape.free)
        except _BROKEN as error:
            raise refusal from error


def original(image: Image.Image) -> tuple[Format, bytes]:
    """Write a picture that :func:`read` returned, to be cut from again."""
    if image.mode == "RGBA":
        return Format.PNG, _encoded(image, Format.PNG)
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=92, subsampling=0)
    return Format.JPEG, buffer.getvalue()


def cut(
    image: Image.Image, shape: Shape, focus: tuple[float, float] = _MIDDLE
) -> Iterator[Picture]:
    """Yield the picture in every width of the shape that it fills, smallest first.

    ``focus`` is what must be seen, as fractions from the left and the top.
    """
    whole = crop(image, shape, focus)
    format_ = Format.PNG if whole.mode == "RGBA" else Format.JPEG
    for width in widths(whole.width, shape):
        resized = sized(whole, width, shape)
        yield Picture(width, resized.height, _encoded(resized, format_))


def written(image: Image.Image, format_: Format) -> bytes:
    """Return a picture as the file of a format; JPEG shows black where it is clear."""
    if format_ is Format.JPEG and image.mode == "RGBA":
        image = _flat(image)
    return _encoded(image, format_)


def crop(image: Image.Image, shape: Shape, focus: tuple[float, float]) -> Image.Image:
    """Return the largest part of the shape, as near around the focus as it can be."""
    if shape.free:
        seen = image.getchannel("A").getbbox() if image.mode == "RGBA" else None
        return image.crop(seen) if seen else image
    width = min(image.width, round(image.height * shape.across / shape.down))
    height = min(image.height, round(width * shape.down / shape.across))
    width, height = max(1, width), max(1, height)
    left = _beginning(focus[0], image.width, width)
    top = _beginning(focus[1], image.height, height)
    return image.crop((left, top, left + width, top + height))


def sized(whole: Image.Image, width: int, shape: Shape) -> Image.Image:
    """Return a cropped picture in a width."""
    across, down = (whole.size) if shape.free else (shape.across, shape.down)
    height = max(1, round(width * down / across))
    return whole.resize((width, height), Image.Resampling.LANCZOS)


def widths(filled: int, shape: Shape) -> list[int]:
    """Return the widths up to ``filled``, which stands last when it lies between."""
    smaller = [each for each in shape.widths if each < filled]
    return [*smaller, min(filled, shape.widths[-1])]


def _refuse_size(size: tuple[int, int]) -> None:
    if min(size) < _LEAST_SIDE or size[0] * size[1] > _MOST_PIXELS:
        raise InvalidInput(
            "artwork.size",
            f"This picture has {size[0]} × {size[1]} pixels: take one with"
            f" {_MOST_PIXELS // 1_000_000} million at most.",
            {"field": "picture"},
        )


def _bounded(image: Image.Image) -> Image.Image:
    longest = max(image.size)
    if longest <= _LARGEST_SIDE:
        return image
    part = _LARGEST_SIDE / longest
    size = (max(1, round(image.width * part)), max(1, round(image.height * part)))
    if image.mode in ("P", "1"):
        image = image.convert("RGBA" if image.has_transparency_data else "RGB")
    return image.resize(size, Image.Resampling.LANCZOS)


def _plain(image: Image.Image, transparent: bool) -> Image.Image:
    """Return the picture as RGB; what shows through is kept, or becomes black."""
    if not image.has_transparency_data:
        return _in_srgb(image)
    seen = image.convert("RGBA")
    return seen if transparent else _flat(seen)


def _in_srgb(image: Image.Image) -> Image.Image:
    """Return the colours that the profile in the file means, as screens show them."""
    profile = image.info.get("icc_profile")
    if profile and image.mode in ("RGB", "CMYK", "L"):
        try:
            source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
            srgb = ImageCms.createProfile("sRGB")
            turned = ImageCms.profileToProfile(image, source, srgb, outputMode="RGB")
        except (ImageCms.PyCMSError, OSError):
            # A broken profile, or one of another kind of colours, is left out.
            turned = None
        if turned is not None:
            return turned
    return image.convert("RGB")


def _flat(image: Image.Image) -> Image.Image:
    black = Image.new("RGBA", image.size, "black")
    return Image.alpha_composite(black, image).convert("RGB")


def _beginning(focus: float, whole: int, part: int) -> int:
    return min(max(0, round(focus * whole - part / 2)), whole - part)


def _encoded(image: Image.Image, format_: Format) -> bytes:
    buffer = io.BytesIO()
    # Without these, what came in the file would go out again.
    clean = Image.frombytes(image.mode, image.size, image.tobytes())
    name = "JPEG" if format_ is Format.JPEG else format_.value.upper()
    clean.save(buffer, name, **_WRITTEN[format_])
    return buffer.getvalue()

"""Pictures: read carefully, turned upright, cut to a shape, written as JPEG."""

import io
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from appliance.errors import InvalidInput

_FORMATS = ("JPEG", "PNG", "WEBP")
_MOST_PIXELS = 60_000_000
_LEAST_SIDE = 2
_QUALITY = 82


@dataclass(frozen=True, slots=True)
class Shape:
    """A ratio of sides and the widths a picture of that shape is kept in."""

    across: int
    down: int
    widths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """One JPEG file that is to be written."""

    width: int
    height: int
    jpeg: bytes


def cut(image: Path, shape: Shape) -> Iterator[Picture]:
    """Yield the picture in every width of the shape that it fills, smallest first.

    Errors: ``InvalidInput`` when the file is not a whole JPEG, PNG or WebP picture.
    """
    whole = _crop(_read(image), shape)
    for width in _widths(whole.width, shape.widths):
        height = max(1, round(width * shape.down / shape.across))
        resized = whole.resize((width, height), Image.Resampling.LANCZOS)
        buffer = io.BytesIO()
        resized.save(buffer, "JPEG", quality=_QUALITY, optimize=True, progressive=True)
        yield Picture(width, height, buffer.getvalue())


def _read(path: Path) -> Image.Image:
    refusal = InvalidInput(
        "artwork.unreadable",
        "This is not a picture that can be used: take a JPEG, PNG or WebP file.",
        {"field": "image"},
    )
    try:
        with warnings.catch_warnings():
            # A picture that unpacks to gigabytes is refused by its size below.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            opened = Image.open(path, formats=_FORMATS)
    except (UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise refusal from error
    with opened:
        _refuse_size(opened.size)
        try:
            upright = ImageOps.exif_transpose(opened)
            return _flat(upright)
        except (OSError, ValueError, SyntaxError) as error:
            raise refusal from error


def _refuse_size(size: tuple[int, int]) -> None:
    if min(size) < _LEAST_SIDE or size[0] * size[1] > _MOST_PIXELS:
        raise InvalidInput(
            "artwork.size",
            f"This picture has {size[0]} × {size[1]} pixels: take one with"
            f" {_MOST_PIXELS // 1_000_000} million at most.",
            {"field": "image"},
        )


def _flat(image: Image.Image) -> Image.Image:
    """Return the picture as RGB; what shows through becomes black."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    black = Image.new("RGBA", image.size, "black")
    return Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")


def _crop(image: Image.Image, shape: Shape) -> Image.Image:
    width = min(image.width, round(image.height * shape.across / shape.down))
    height = min(image.height, round(width * shape.down / shape.across))
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + max(1, width), top + max(1, height)))


def _widths(filled: int, wanted: tuple[int, ...]) -> list[int]:
    """Return the widths up to ``filled``, which stands last when it lies between."""
    smaller = [each for each in wanted if each < filled]
    return [*smaller, min(filled, wanted[-1])]

"""Lucide's icons, inlined: they take the colour of the text and need no request."""

import re
from functools import lru_cache
from pathlib import Path

from markupsafe import Markup

from appliance.errors import PreconditionFailed

_FOLDER = Path(__file__).parent / "static" / "vendor" / "lucide"
_NAME = re.compile(r"[a-z0-9-]+")
_DRAWING = re.compile(r"<svg[^>]*>(.*)</svg>", re.DOTALL)
_FRAME = (
    '<svg class="icon" aria-hidden="true" width="24" height="24" viewBox="0 0 24 24"'
    ' fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round"'
    ' stroke-linejoin="round">{}</svg>'
)


@lru_cache(maxsize=256)
def icon(name: str) -> Markup:
    """Return the drawing called ``name``, hidden from screen readers.

    The text beside it, or the label of its button, says what it means.
    Errors: ``PreconditionFailed`` when there is no such drawing.
    """
    path = _FOLDER / f"{name}.svg"
    if not _NAME.fullmatch(name) or not path.is_file():
        raise PreconditionFailed(
            "icon.missing",
            f"There is no icon “{name}” in {_FOLDER}: run `make setup`.",
        )
    drawing = _DRAWING.search(path.read_text(encoding="utf-8"))
    shapes = " ".join(drawing.group(1).split()) if drawing else ""
    return Markup(_FRAME.format(shapes))  # noqa: S704 the files are ours

"""What the choices of preferences are called."""

from collections.abc import Mapping
from typing import Any

from flask_babel import lazy_gettext as _

PARTS: Mapping[str, Any] = {
    "size": _("Size"),
    "colour": _("Colour of the letters"),
    "background": _("Background"),
    "edge": _("Edge of the letters"),
    "position": _("Place"),
    "font": _("Letters"),
}
"""The parts of the look of captions."""

CHOICES: Mapping[str, Mapping[str, Any]] = {
    "size": {
        each: f"{each} %" for each in ("100", "50", "75", "125", "150", "175", "200")
    },
    "colour": {
        "white": _("White"),
        "yellow": _("Yellow"),
        "cyan": _("Cyan"),
        "green": _("Green"),
        "magenta": _("Magenta"),
        "black": _("Black"),
    },
    "background": {
        "half": _("See-through"),
        "none": _("None"),
        "solid": _("Solid"),
        "light": _("Light"),
    },
    "edge": {
        "none": _("None"),
        "outline": _("Outline"),
        "shadow": _("Shadow"),
        "raised": _("Raised"),
    },
    "position": {
        "film": _("As in the film"),
        "bottom": _("At the bottom"),
        "top": _("At the top"),
    },
    "font": {
        "sans": _("Plain"),
        "serif": _("With serifs"),
        "mono": _("Typewriter"),
        "casual": _("Handwriting"),
    },
}
"""What can be chosen of each part; a test holds it against what the core takes."""

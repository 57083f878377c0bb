"""Devices as people know them, from what a browser says of itself."""

import re

from flask_babel import gettext
from flask_babel import lazy_gettext as _

# The first that fits names it: every Edge also says Chrome, every Chrome Safari.
_BROWSERS = (
    (r"Edg(?:e|A|iOS)?/", "Edge"),
    (r"OPR/|Opera", "Opera"),
    (r"SamsungBrowser/", "Samsung Internet"),
    (r"Firefox/|FxiOS/", "Firefox"),
    (r"Chrome/|CriOS/|Chromium/", "Chrome"),
    (r"Safari/", "Safari"),
    (r"curl/", "curl"),
    (r"python-requests/|Python-urllib/|httpx/", _("a Python program")),
)
_SYSTEMS = (
    (r"Tizen|SMART-TV|SmartTV|Web0S|webOS|BRAVIA|AFT\w|CrKey", _("a television"), "tv"),
    (r"iPad", "iPad", "tablet"),
    (r"iPhone|iPod", "iPhone", "smartphone"),
    (r"Android.*Mobile", "Android", "smartphone"),
    (r"Android", "Android", "tablet"),
    (r"Windows", "Windows", "monitor"),
    (r"Mac OS X|Macintosh", "macOS", "monitor"),
    (r"CrOS", "ChromeOS", "monitor"),
    (r"Linux|X11", "Linux", "monitor"),
)


def name(user_agent: str) -> str:
    """Return what a device is called: ``Firefox on Windows``, ``Safari on iPhone``."""
    found = browser(user_agent)
    system = next(
        (str(name) for sign, name, _ in _SYSTEMS if re.search(sign, user_agent)), ""
    )
    if found and system:
        return str(gettext("%(browser)s on %(system)s", browser=found, system=system))
    return found or system or str(gettext("Unknown device"))


def browser(user_agent: str) -> str:
    """Return the browser or program; empty when it is none that is known."""
    found = (str(name) for sign, name in _BROWSERS if re.search(sign, user_agent))
    return next(found, "")


def drawing(user_agent: str) -> str:
    """Return the icon of a device."""
    found = (drawing for sign, _, drawing in _SYSTEMS if re.search(sign, user_agent))
    return next(found, "monitor")

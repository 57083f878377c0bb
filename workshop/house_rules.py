"""Check what no linter knows: rules of this house that are easily forgotten.

Prints each breach with its place and ends with 1 when there is one.
"""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TEXT = {".py", ".html", ".css", ".js", ".md", ".cfg", ".toml", ".json", ".sh", ""}

# Names that invite everything in and so say nothing.
GRAB_BAGS = {"utils", "util", "helpers", "common", "base", "misc", "manager"}
LONGEST_MODULE = 400
LONG_FOR_A_REASON = {
    "appliance/migrations.py",  # the whole schema, to be read in one go
}

# Where packages come from is the machine's business, not the project's.
REGISTRY = re.compile(r"\"resolved\":|--(extra-)?index-url|--registry[ =]")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX)\b")
INLINE = re.compile(
    r"<script(?![^>]*\bsrc=)[^>]*>|<style\b|\sstyle=[\"']|\son\w+=[\"']"
)


def main() -> int:
    breaches = [breach for path in _ours() for breach in _breaches(path)]
    for breach in breaches:
        print(breach)
    return 1 if breaches else 0


def _ours() -> Iterator[Path]:
    """Yield what git keeps, or would keep."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in listed.stdout.splitlines():
        if (ROOT / name).is_file():
            yield Path(name)


def _breaches(path: Path) -> Iterator[str]:
    if path.stem in GRAB_BAGS and path.suffix != ".html":
        yield f"{path}: name the file by its one subject"
    if path.suffix not in TEXT or path == Path("workshop/house_rules.py"):
        return
    text = (ROOT / path).read_text(encoding="utf-8")
    lines = text.splitlines()
    ours = path.suffix == ".py" and path.parts[0] != "tests"
    excused = str(path) in LONG_FOR_A_REASON
    if ours and not excused and len(lines) > LONGEST_MODULE:
        yield f"{path}: over {LONGEST_MODULE} lines: are there two subjects in it?"
    for number, line in enumerate(lines, start=1):
        if REGISTRY.search(line):
            yield f"{path}:{number}: no registry host belongs in the repository"
        if UNFINISHED.search(line):
            yield f"{path}:{number}: finish it or leave it out"
        if path.suffix == ".html" and INLINE.search(line):
            yield f"{path}:{number}: the content security policy forbids inline code"


if __name__ == "__main__":
    sys.exit(main())

"""``python -m tests.bench [NAME…]``: print the table and write var/bench.json.

Every ratio is of one run on one machine. Nothing fails when a goal is missed: a shared
machine would make that a coin toss; the table says so instead.
"""

import json
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.bench import (
    backup,
    chunked,
    cluster,
    edge,
    first_frame,
    first_page,
    ingest,
    licence,
    origin,
    packaging,
    pages,
    per_title,
    pickup,
    quick_first,
    storyboard,
    table,
    vod,
)
from tests.bench.figures import Figure
from tests.bench.films import Films

Bench = Callable[[Films, Path], Iterator[Figure]]
BENCHES: Mapping[str, Bench] = {
    "ingest": ingest.whole,
    "peers": ingest.peers,
    "quick-first": quick_first.watchable,
    "killed": ingest.killed,
    "chunks": chunked.cost,
    "per-title": per_title.cost,
    "per-title-bytes": per_title.saved,
    "storyboard": storyboard.cost,
    "packaging": packaging.cost,
    "pickup": pickup.latency,
    "overhead": cluster.overhead,
    "consume": cluster.consuming,
    "machines": cluster.machines,
    "first-page": first_page.seconds,
    "home": pages.home,
    "search": pages.search,
    "table": table.brought,
    "backup": backup.large,
    "licence": licence.door,
    "origin": origin.delivery,
    "edge": edge.hits,
    "vod": vod.packaging,
    "first-frame": first_frame.seconds,
}


def main(names: list[str]) -> int:
    """Run the named benchmarks, or all."""
    unknown = set(names) - set(BENCHES)
    if unknown:
        print(f"There is no {', '.join(unknown)}; there are: {', '.join(BENCHES)}.")
        return 2
    found: list[Figure] = []
    with tempfile.TemporaryDirectory(prefix="matinee-bench-") as temporary:
        folder = Path(temporary)
        films = Films(folder)
        for name in names or BENCHES:
            for figure in BENCHES[name](films, folder / name):
                _show([figure])
                found.append(figure)
            shutil.rmtree(folder / name, ignore_errors=True)
    _show(found)
    target = Path("var/bench.json")
    target.write_text(json.dumps([each.as_json() for each in found], indent=1) + "\n")
    return 0


def _show(found: list[Figure]) -> None:
    table = Table("name", "ours", "reference", "ratio", "goal", "", "note")
    for each in found:
        sign = "≤" if each.better == "lower" else "≥"
        goal = "" if each.goal is None else f"{sign} {each.goal}"
        table.add_row(
            each.name,
            f"{each.ours:g}",
            f"{each.reference:g}",
            f"{each.ratio:.3f}",
            goal,
            each.verdict,
            each.note,
        )
    Console(width=140).print(table)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

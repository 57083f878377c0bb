"""The text format of Prometheus, and what each figure of ours means.

https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from appliance.counts import Series

TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Kind(StrEnum):
    """What Prometheus may do with a figure."""

    COUNTER = "counter"
    GAUGE = "gauge"
    HISTOGRAM = "histogram"


@dataclass(frozen=True, slots=True)
class Family:
    """One figure with its meaning; ``labels`` are all that it may have."""

    kind: Kind
    help: str
    labels: tuple[str, ...] = ()


def text(families: Mapping[str, Family], found: Iterable[tuple[Series, float]]) -> str:
    """Write what was found, each family together; what is in none is left out."""
    by_family: dict[str, list[tuple[Series, float]]] = {name: [] for name in families}
    for what, value in found:
        name = what[0]
        for end in ("", "_bucket", "_sum"):
            family = name.removesuffix(end) if end else name
            if family in by_family:
                by_family[family].append((what, value))
                break
    return "".join(
        f"{line}\n"
        for name, family in families.items()
        for line in _family(name, family, by_family[name])
    )


def _family(
    name: str, family: Family, found: list[tuple[Series, float]]
) -> Iterator[str]:
    if not found:
        return
    yield f"# HELP {name} {family.help}"
    yield f"# TYPE {name} {family.kind}"
    if family.kind is Kind.HISTOGRAM:
        found = list(_cumulated(name, found))
    for (full, labels), value in found:
        yield f"{full}{_labels(labels)} {_number(value)}"


def _cumulated(
    name: str, found: list[tuple[Series, float]]
) -> Iterator[tuple[Series, float]]:
    """Turn values that each stand in one bucket into Prometheus's: all up to it."""
    groups: dict[tuple[tuple[str, str], ...], list[tuple[float, str, float]]] = {}
    sums: dict[tuple[tuple[str, str], ...], float] = {}
    for (full, labels), value in found:
        rest = tuple(each for each in labels if each[0] != "le")
        if full.endswith("_sum"):
            sums[rest] = value
        else:
            edge = dict(labels)["le"]
            groups.setdefault(rest, []).append((float(edge), edge, value))
    for rest, buckets in groups.items():
        total = 0.0
        for bound, edge, value in sorted(buckets):
            total += value
            if bound != float("inf"):
                yield (f"{name}_bucket", (*rest, ("le", edge))), total
        yield (f"{name}_bucket", (*rest, ("le", "+Inf"))), total
        yield (f"{name}_sum", rest), sums.get(rest, 0.0)
        yield (f"{name}_count", rest), total


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(each)}"' for name, each in labels) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)

"""Loudness as EBU R 128 measures it, and the gain that brings sound to a target."""

import re
from dataclasses import dataclass
from typing import Any

from appliance.errors import TryAgain

# The summary comes with the notes, after the warnings.
SAID = ("-loglevel", "level+info")
# What is more silent than the gate of the standard has no loudness.
_SILENT = -70.0
_MOST_GAIN = 20.0
_FIGURES = re.compile(
    r"Integrated loudness:.*?I:\s+(\S+) LUFS.*?LRA:\s+(\S+) LU\b"
    r".*?True peak:.*?Peak:\s+(\S+) dBFS",
    re.DOTALL,
)


@dataclass(frozen=True, slots=True)
class Loudness:
    """Integrated loudness in LUFS, its range in LU, and the true peak in dBTP."""

    integrated: float
    range: float
    peak: float

    @property
    def silent(self) -> bool:
        return self.integrated <= _SILENT


def metered(stream: Any) -> Any:
    """Return the stream with a meter in it; what it says :func:`read` reads."""
    return stream.filter("ebur128", peak="true", framelog="verbose")


def read(log: str) -> Loudness:
    """Read the summary in a log. Errors: ``TryAgain`` when there is none."""
    # A filter that is set up once more leaves a summary of nothing before the real one.
    _, _, last = log.rpartition("Summary:")
    found = _FIGURES.search(last)
    if found is None:
        raise TryAgain("audio.unmeasured", "The loudness could not be measured.")
    integrated, span, peak = (float(each) for each in found.groups())
    return Loudness(integrated, span, peak)


def gain(measured: Loudness, target: float, true_peak: float) -> float | None:
    """Return by how many dB to change it; None for silence, and where it is right.

    Peaks are the limit: what would clip is not compressed but stays less loud, as its
    dynamics are somebody's work.
    """
    if measured.silent:
        return None
    wanted = min(target - measured.integrated, true_peak - measured.peak, _MOST_GAIN)
    if target < measured.integrated:
        wanted = target - measured.integrated
    found = round(wanted, 1)
    return found if abs(found) >= 0.1 else None

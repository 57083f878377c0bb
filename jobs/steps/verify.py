"""Verify: read every packet of what will be served, decode samples, and look at it.

A package that is not whole is a fault of ours, or of a disk: it is made again. What
is whole may still be bad to watch: that is for the quality report to say.
"""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance.cenc import Label, video_label
from appliance.errors import NotFound, TryAgain
from jobs.making import encryption
from jobs.planning.chunks import Grid
from jobs.steps import claims, findings, packets, protected, samples, wholeness
from jobs.steps.checks import Check, Level, verdict
from jobs.steps.clear import Clear
from jobs.steps.findings import Findings
from jobs.steps.wholeness import LookedAt
from jobs.work import Report, Work

Entry = dict[str, Any]

# How much of the time reading the packets takes.
_READING = 0.4


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Return the QC report: what was read, counted, decoded, seen and heard.

    Without ``limits`` in the spec only the packages are looked at. With ``tracks`` it
    is those, installed, that are checked again: what is broken then is a check that
    failed.
    Errors: ``TryAgain`` (``verify.*``) with a sentence on the first thing found wrong.
    """
    begun = time.monotonic()
    film = _Film(spec, work, Grid.from_spec(spec["grid"]))
    film.read_all(work.part(0, _READING if "limits" in spec else 1))
    checks = [*film.broken]
    if not film.broken:
        checks += wholeness.checks(film.grid, film.looked_at, spec)
        checks += claims.checks(spec["facts"]) if spec.get("facts") else []
    found = Findings()
    if "limits" in spec and not film.broken:
        tracks = [each.track for each in film.looked_at]
        found = findings.of_film(spec, film.grid, tracks, film.texts, work, _READING)
    checks += found.checks
    lines = [
        each.line() | found.figures.get(each.track.entry["id"], {})
        for each in film.looked_at
    ]
    return {
        "verdict": verdict(checks),
        "duration": float(film.grid.seconds),
        "frames": film.grid.frames,
        "segments": len(film.grid.segments()),
        "keyframes": len(film.grid.keyframes()),
        "checks": [check.as_entry() for check in checks],
        "tracks": lines,
        "scores": found.scores,
        "seconds": round(time.monotonic() - begun, 1),
    }


@dataclass
class _Film:
    """The tracks of a film, read one after the other."""

    spec: Mapping[str, Any]
    work: Work
    grid: Grid
    looked_at: list[LookedAt] = field(default_factory=list)
    texts: list[Clear] = field(default_factory=list)
    broken: list[Check] = field(default_factory=list)

    def read_all(self, report: Report) -> None:
        """Read every packet of every track; note which can be looked at further."""
        keys = encryption.opened(
            self.spec.get("encryption"), self.work.keys, self.work.job
        )
        opens = self._opening_keys()
        entries = self._entries()
        for number, entry in enumerate(entries, start=1):
            folder = _folder(entry, self.work)
            with self._noted(entry):
                if entry["kind"] not in ("video", "audio"):
                    packets.check_files(entry, folder)
                    if entry["kind"] == "text":
                        self.texts.append(Clear(entry, folder, self.work))
                    continue
                key = keys.of(_label(entry)) if keys else None
                opening = key.key if key else opens.get(entry.get("kid") or "")
                track = Clear(entry, folder, self.work, opening)
                self._read(track)
                if keys is not None and key is not None:
                    protected.check(entry, folder, self.work, keys, key)
            report(number / len(entries))

    def _entries(self) -> list[Entry]:
        if "tracks" in self.spec:
            return list(self.spec["tracks"])
        entries = list(self.work.result("package")["tracks"])
        if self.spec.get("thumbnails", True):
            entries.append(self.work.result("thumbnails"))
        return entries

    def _opening_keys(self) -> Mapping[str, str]:
        sealed = self.spec.get("sealed")
        if not sealed:
            return {}
        return encryption.opened_keys(sealed, self.work.keys, self.work.job)

    def _read(self, track: Clear) -> None:
        everything = self.spec.get("decode") == "all"
        served = None
        if "film" in track.entry["facts"]:
            count = packets.check_film(track, self.grid)
        else:
            served = packets.check(track, self.grid)
            count = len(served.shown)
        decoded = samples.decode(track, everything=everything)
        self.looked_at.append(LookedAt(track, count, decoded, served))

    @contextmanager
    def _noted(self, entry: Entry) -> Iterator[None]:
        """Of tracks that are installed, say what is broken instead of giving up."""
        try:
            yield
        except (TryAgain, NotFound) as error:
            if "tracks" not in self.spec or error.code.startswith("process."):
                raise
            self.broken.append(
                Check("whole", Level.FAIL, error.message, track=entry["name"])
            )


def _folder(entry: Entry, work: Work) -> Path:
    """Return where the files of a track are: installed, or just made."""
    if "path" in entry:
        return work.storage.path(entry["path"])
    made = "thumbnails" if entry["kind"] == "thumbnails" else "package"
    return work.done(made, entry["folder"])


def _label(entry: Entry) -> Label:
    return Label.AUDIO if entry["kind"] == "audio" else video_label(entry["height"])

"""When a certificate is renewed, and how long a server that refused is left alone."""

import json
import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from appliance.clock import from_text, to_text
from appliance.errors import MatineeError
from appliance.operations.certificates.place import Source
from appliance.operations.certificates.reading import Certificate
from appliance.settings import Tls

_FILE = "waiting.json"
_FIRST, _LONGEST = timedelta(hours=1), timedelta(hours=24)
# Of one that lives a few days only, the last third is for trying.
_THIRD = 3


@dataclass(frozen=True, slots=True)
class Waiting:
    """After so many failures nobody is asked before ``until``."""

    failures: int
    until: datetime
    problem: str


def due(found: Certificate, source: Source, tls: Tls, now: datetime) -> bool:
    """Say whether it is time to renew it; an operator's own is never ours to renew."""
    if source is Source.OWN:
        return False
    early = timedelta(days=tls.renew_days)
    third = (found.ends - found.begins) / _THIRD
    return found.ends - now <= min(early, third)


def waiting(folder: Path, now: datetime) -> Waiting | None:
    """Return why nobody is asked yet, if so."""
    found = _read(folder)
    return found if found is not None and now < found.until else None


def last_failure(folder: Path) -> Waiting | None:
    """Return the failure that no success came after; None where nobody may look."""
    return _read(folder)


def failed(folder: Path, error: MatineeError, now: datetime) -> Waiting:
    """Write down that it failed; return until when the server is left alone."""
    before = _read(folder)
    failures = (before.failures if before else 0) + 1
    doubled = _FIRST * math.pow(2, min(failures - 1, 5))
    asked = timedelta(seconds=int(error.details.get("retry_after", 0)))
    until = now + max(min(doubled, _LONGEST), asked)
    document = {"failures": failures, "until": to_text(until), "problem": error.message}
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = folder / f".{_FILE}"
    aside.write_text(json.dumps(document), "utf-8")
    aside.replace(folder / _FILE)
    return Waiting(failures, until, error.message)


def succeeded(folder: Path) -> None:
    (folder / _FILE).unlink(missing_ok=True)


def _read(folder: Path) -> Waiting | None:
    try:
        kept = json.loads((folder / _FILE).read_text("utf-8"))
        return Waiting(kept["failures"], from_text(kept["until"]), kept["problem"])
    except (OSError, ValueError, KeyError, TypeError):
        return None

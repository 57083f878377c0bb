"""What the quick checks found last, for whoever must not wait for them.

The control worker looks every minute and leaves it in a file beside the database:
figures and pages read that, also while nobody looks any more.
"""

import json
import secrets
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from appliance.operations.findings import Finding, Level
from appliance.settings import Settings


@dataclass(frozen=True, slots=True)
class Health:
    """The findings of one look, and when it was."""

    at: str
    findings: tuple[Finding, ...]


def read(settings: Settings) -> Health | None:
    """Return what was found last, or None when nothing was, or it can't be read."""
    try:
        told = json.loads(_path(settings).read_bytes())
        findings = (Finding(**each) for each in told["findings"])
        return Health(told["at"], tuple(_with_level(each) for each in findings))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def keep(settings: Settings, at: str, findings: Iterable[Finding]) -> None:
    """Leave what was found at a time. Errors: ``OSError``."""
    path = _path(settings)
    path.parent.mkdir(parents=True, exist_ok=True)
    told = {"at": at, "findings": [asdict(each) for each in findings]}
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        aside.write_text(json.dumps(told), encoding="utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def _path(settings: Settings) -> Path:
    return settings.home / "state" / "health.json"


def _with_level(each: Finding) -> Finding:
    return Finding(each.id, Level(each.level), each.sentence, each.fix)

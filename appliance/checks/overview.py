"""How an installation is: what quick checks find now, and the others found at night."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from appliance.checks import CHECKS, examine
from appliance.checks.examined import Examined
from appliance.errors import MatineeError
from appliance.operations import check_ups
from appliance.operations.check_ups import CheckUp
from appliance.operations.findings import Finding, Level


@dataclass(frozen=True, slots=True)
class Overview:
    """All findings in their usual order; ``night`` is when the slow ones were made."""

    findings: tuple[Finding, ...]
    night: str

    def of(self, level: Level) -> tuple[Finding, ...]:
        return tuple(each for each in self.findings if each.level is level)

    def get(self, check_id: str) -> Finding | None:
        return next((each for each in self.findings if each.id == check_id), None)


def overview(examined: Examined) -> Overview:
    """Run the quick checks now, and add what the last check-up found of the others."""
    now = {each.id: each for each in examine(examined)}
    night = _noted(examined)
    slow = {each.id: each for each in night.findings}
    found = {**slow, **now}
    return Overview(tuple(found[each] for each in CHECKS if each in found), night.at)


def document(findings: Sequence[Finding]) -> dict[str, Any]:
    """Return what checks found as one JSON document, the same everywhere."""
    return {
        "ok": all(each.level is not Level.FAIL for each in findings),
        "checks": [asdict(each) for each in findings],
    }


def _noted(examined: Examined) -> CheckUp:
    try:
        with examined.db() as db:
            return check_ups.last(db)
    except MatineeError:
        return CheckUp("", ())

"""Stages: where a title stands, derived from its state, windows, review and trash."""

from dataclasses import dataclass
from typing import Any

import pytest

from appliance.catalog.stages import Stage, stage
from tests.builders import Builders

_NOW = "2026-01-02T12:00:00.000000Z"
_PAST, _AHEAD = "2026-01-01T00:00:00.000000Z", "2026-02-01T00:00:00.000000Z"


@dataclass(frozen=True)
class _Window:
    starts_at: str | None = None
    ends_at: str | None = None


@pytest.mark.parametrize(
    ("fields", "windows", "expected"),
    [
        ({"state": "draft"}, (), Stage.DRAFT),
        ({"state": "processing"}, (), Stage.PROCESSING),
        ({"state": "ready"}, (), Stage.READY),
        ({"state": "ready", "review": "asked"}, (), Stage.REVIEW),
        ({"state": "ready", "review": "rejected"}, (), Stage.READY),
        ({"state": "archived"}, (), Stage.ARCHIVED),
        ({"state": "archived", "removed_at": _PAST}, (), Stage.TRASH),
        ({"state": "published"}, (), Stage.PUBLISHED),
        ({"state": "published"}, (_Window(),), Stage.PUBLISHED),
        ({"state": "published"}, (_Window(_AHEAD),), Stage.SCHEDULED),
        ({"state": "published"}, (_Window(None, _PAST),), Stage.EXPIRED),
        ({"state": "published"}, (_Window(None, _NOW),), Stage.EXPIRED),
        ({"state": "published"}, (_Window(_NOW),), Stage.PUBLISHED),
        (
            {"state": "published"},
            (_Window(None, _PAST), _Window(_AHEAD)),
            Stage.SCHEDULED,
        ),
        (
            {"state": "published"},
            (_Window(_PAST, _AHEAD), _Window(_AHEAD)),
            Stage.PUBLISHED,
        ),
    ],
)
def test_the_stage_of_a_title(
    make: Builders,
    fields: dict[str, Any],
    windows: tuple[_Window, ...],
    expected: Stage,
) -> None:
    assert stage(make.title(**fields), windows, _NOW) is expected

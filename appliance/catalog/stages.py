"""Stages: where a title stands, as people say it; derived, never stored."""

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from appliance.catalog.titles import Title, TitleState


class Stage(StrEnum):
    """What lists and pages show of a title's state, windows and review."""

    DRAFT = "draft"
    PROCESSING = "processing"
    READY = "ready"
    REVIEW = "review"
    SCHEDULED = "scheduled"
    PUBLISHED = "published"
    EXPIRED = "expired"
    ARCHIVED = "archived"
    TRASH = "trash"


class Span(Protocol):
    """What is asked here of a window: UTC text, None without a limit."""

    @property
    def starts_at(self) -> str | None: ...
    @property
    def ends_at(self) -> str | None: ...


def stage(title: Title, windows: Iterable[Span], now: str) -> Stage:
    """Return where a title stands at ``now``.

    ``windows`` are its own, or of an episode without any those of its container.
    """
    if title.removed_at is not None:
        return Stage.TRASH
    if title.state is TitleState.READY and title.review == "asked":
        return Stage.REVIEW
    if title.state is not TitleState.PUBLISHED:
        return Stage(title.state.value)
    spans = list(windows)
    open_or_ahead = [
        each for each in spans if each.ends_at is None or each.ends_at > now
    ]
    if not spans or any((each.starts_at or "") <= now for each in open_or_ahead):
        return Stage.PUBLISHED
    return Stage.SCHEDULED if open_or_ahead else Stage.EXPIRED

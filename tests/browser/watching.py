"""Watching in a browser: what the video does, and what the page asked for."""

import re
from functools import partial
from typing import Any

from appliance.catalog.titles import Title
from appliance.permissions import Role
from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor


def watching(
    visit: Visit, film: Title, query: str = "", role: Role = Role.VIEWER
) -> Visitor:
    """Open a film and wait until it plays."""
    visitor = visit(role)
    visitor.go(f"/watch/{film.slug}{query}")
    visitor.until(lambda: after(visitor, 0.5), "it plays")
    return visitor


def state(visitor: Visitor) -> dict[str, Any]:
    """Return what the video element does now."""
    found: dict[str, Any] = visitor.page.evaluate(
        """() => {
            const video = document.querySelector("video");
            const quality = video.getVideoPlaybackQuality();
            return {
                time: video.currentTime, paused: video.paused, muted: video.muted,
                seeking: video.seeking,
                volume: video.volume, rate: video.playbackRate,
                width: video.videoWidth, height: video.videoHeight,
                sound: video.webkitAudioDecodedByteCount,
                frames: quality.totalVideoFrames,
                dropped: quality.droppedVideoFrames,
                fullscreen: document.fullscreenElement !== null,
            };
        }"""
    )
    return found


def after(visitor: Visitor, seconds: float) -> dict[str, Any] | None:
    """Return the state once the film plays beyond a place, else None."""
    found = state(visitor)
    return found if found["time"] > seconds and _moves(found) else None


def plays(visitor: Visitor, title: Title, *, still: bool = False) -> bool:
    """Say whether this title is what plays, or with ``still`` stands there."""
    found = state(visitor)
    loaded = visitor.page.locator(f"#stage[data-plays='{title.slug}']").count()
    return bool(loaded and found["time"] > 0 and (still or _moves(found)))


def _moves(found: dict[str, Any]) -> bool:
    # On the way to a place a film has its time already, and shows nothing of it.
    return not (found["paused"] or found["seeking"])


def moved(visitor: Visitor, seconds: float) -> None:
    """Put the film at a place, as if it had played until there."""
    visitor.page.evaluate(
        """(seconds) => {
            const video = document.querySelector("video");
            video.currentTime = Math.min(seconds, video.duration - 0.6);
        }""",
        seconds,
    )


def choose_quality(visitor: Visitor, words: str) -> None:
    """Choose one as by the menu of the player, and wait until it is shown.

    The lowest is chosen before: what the player has decided for already, with all the
    film buffered, is no choice to it.
    """
    for each in dict.fromkeys(("234p", words)):
        offered = visitor.page.locator(".shaka-resolutions button", has_text=each)
        offered.first.dispatch_event("click")
        height = int(each.rstrip("p"))
        visitor.until(partial(_shows, visitor, height), each)


def _shows(visitor: Visitor, height: int) -> bool:
    return bool(state(visitor)["height"] == height)


def said(visitor: Visitor) -> str:
    """Return what the player's notice says, once it is there; the film stands still."""
    notice = visitor.page.get_by_role("alert")
    visitor.until(notice.is_visible, "the notice")
    assert state(visitor)["paused"]
    return notice.inner_text()


def requested(visitor: Visitor, pattern: str) -> list[str]:
    """Return the addresses that the page fetched and that the pattern finds."""
    names: list[str] = visitor.page.evaluate(
        "() => performance.getEntriesByType('resource').map((each) => each.name)"
    )
    return [name for name in names if re.search(pattern, name)]


def token_in(url: str) -> str:
    """Return the media token of an address."""
    return url.split("/media/")[1].split("/")[0]

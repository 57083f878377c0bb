"""A series of short films that really play, with markers: what there is to skip."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.accounts import profiles
from appliance.catalog.titles import Title
from appliance.db import write
from appliance.media import assets, markers
from appliance.media.markers import MarkerKind, Stretch
from appliance.permissions import SYSTEM, Actor, Role
from tests.browser import films
from tests.browser.catalogue import paint
from tests.browser.live_portal import LivePortal

_NAMES = ("The Key", "The Ledger", "Low Water", "What the Fog Kept", "A Light")
_HUES = ("#1b3a2f", "#3b2a6b", "#6b2f1a", "#12486b", "#5a1b46")
CREDITS = 54.0
CHAPTERS = ((0.0, "The harbour"), (16.0, "Tom & the <ledger>"), (40.0, ""))


@dataclass(frozen=True, slots=True)
class Serial:
    """A series of five episodes in two seasons, and a trailer of it."""

    series: Title
    episodes: tuple[Title, ...]
    trailer: Title


def publish(portal: LivePortal, film: Title, scratch: Path) -> Serial:
    """Publish a series whose episodes, and whose trailer, are all the same film.

    The first episode has chapters, a recap until 4 s and an intro from 6 to 12 s, the
    second one from 2 to 40 s; all but the last have credits from 54 s to the end.
    """
    series = portal.make.title("Harbour Lights", kind="series", genres=("Drama",))
    made = []
    for number, name in enumerate(_NAMES):
        episode = films.again(
            portal,
            film,
            name=name,
            picture=paint(scratch / f"episode-{number}.png", _HUES[number]),
            kind="episode",
            parent_id=series.id,
            season_number=1 + number // 3,
            episode_number=1 + number % 3,
        )
        made.append(episode)
        if number < len(_NAMES) - 1:
            mark(portal, episode, MarkerKind.CREDITS, CREDITS, float(films.SECONDS))
    _mark_first(portal, made[0])
    mark(portal, made[1], MarkerKind.INTRO, 2.0, 40.0)
    trailer = films.again(
        portal, film, name="A first look", kind="trailer", parent_id=series.id
    )
    return Serial(series, tuple(made), trailer)


def mark(
    portal: LivePortal,
    title: Title,
    kind: MarkerKind,
    start: float,
    end: float,
    label: str = "",
) -> None:
    """Set a marker in the film of a title."""
    film = assets.playable(portal.db, title.id)
    assert film is not None
    end = min(end, film.duration or end)
    markers.add(portal.db, SYSTEM, film.id, Stretch(kind, start, end, label))


def viewer(portal: LivePortal) -> Actor:
    """Return the viewer who visits, to look at what was kept of them."""
    row = portal.db.one(
        """
        select accounts.id as account, profiles.id as profile from accounts
        join profiles on profiles.account_id = accounts.id
        where username = 'the-viewer'
        """
    )
    assert row is not None
    return Actor(
        username="the-viewer",
        account_id=row["account"],
        profile_id=row["profile"],
        roles=frozenset({Role.VIEWER}),
    )


def prefer(portal: LivePortal, **changes: Any) -> None:
    """Let the viewer prefer this."""
    profiles.prefer(portal.db, viewer(portal), changes)


def speak(portal: LivePortal, language: str) -> None:
    """Let the viewer read the portal in a language."""
    profile = viewer(portal).profile_id
    with write(portal.db):
        portal.db.conn.execute(
            "update profiles set language = ? where id = ?", (language, profile)
        )


def forget(portal: LivePortal) -> None:
    """Forget what anybody watched and prefers."""
    with write(portal.db):
        portal.db.conn.execute("delete from progress")
        portal.db.conn.execute("update profiles set preferences = '{}', language = ''")


def _mark_first(portal: LivePortal, title: Title) -> None:
    mark(portal, title, MarkerKind.RECAP, 0.0, 4.0)
    mark(portal, title, MarkerKind.INTRO, 6.0, 12.0)
    ends = [start for start, _ in CHAPTERS[1:]] + [float(films.SECONDS)]
    for (start, label), end in zip(CHAPTERS, ends, strict=True):
        mark(portal, title, MarkerKind.CHAPTER, start, end, label)

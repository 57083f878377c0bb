"""An evening in a portal, always the same: who watches what, and what is worked on.

Its clock stands still, so that pages look the same whenever they are opened.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from appliance.access import availability
from appliance.accounts import pins, profiles, sessions, tokens
from appliance.catalog import collections, imports, people, titles
from appliance.catalog.titles import Title
from appliance.clock import FixedClock
from appliance.db import write
from appliance.discovery import arranging, indexing
from appliance.media import assets
from appliance.objects import Stores
from appliance.operations import announcements, brand, mail, webhooks
from appliance.permissions import SYSTEM, Actor, Role
from appliance.playback import progress, switching
from tests.browser import catalogue, frozen, live_portal
from tests.browser.live_portal import LivePortal
from tests.builders import PASSWORD

FAMILY, PARENT, CHILD, LOCKED = "the-family", "Family", "Kids", "Bo"
_TABLE = """external_id,name,kind,year,rating,genres
f1,The Long Way Down,film,2024,12,Drama
f2,Low Tide,film,long ago,12,Drama
f3,,film,2023,6,Nature
f4,A Room in Lisbon,film,2020,16,Drama
"""
_TOKENS = (
    ("Nightly import", ("title:create", "title:edit"), 90),
    ("Figures for the board", ("system:see",), 7),
)
_RECIPIENTS = {
    "title:state": ("ines@example.com",),
    "job:*": ("night-shift@example.com", "ines@example.com"),
}
_LETTERS = (
    ("sent", ""),
    ("failed", "The server refused the address: 550 no such mailbox."),
    ("waiting", ""),
)


@contextmanager
def begun(home: Path, scratch: Path) -> Iterator[LivePortal]:
    """Start the portal, with everything in it that pages show."""
    clock = FixedClock(frozen.EVENING - timedelta(days=40))
    application = "tests.browser.frozen:application()"
    with live_portal.running(home, application, clock) as portal:
        for role in (Role.VIEWER, Role.ADMINISTRATOR):
            portal.make.account(f"the-{role}", roles=(role,), display_name=role.title())
        films = catalogue.fill(portal, scratch)
        _series(portal)
        _described(portal, films)
        clock.at = frozen.EVENING - timedelta(days=1)
        _household(portal)
        _watched(portal, films)
        _worked_on(portal, films)
        clock.at = frozen.EVENING
        indexing.catch_up(portal.db, Stores(portal.storage, portal.settings))
        yield portal


def token(portal: LivePortal, who: str) -> str:
    """Sign somebody in; after a stroke stands the profile that watches."""
    username, _, profile = who.partition("/")
    signed, signed_in = sessions.sign_in(
        *(portal.db, portal.settings, username, PASSWORD, None),
        address="127.0.0.1",
        user_agent="test",
    )
    if profile:
        chosen = profiles.named(portal.db, username, profile)
        switching.switch(
            portal.db, portal.settings, signed_in.actor(""), chosen.public_id
        )
    return signed


def slugs(portal: LivePortal) -> dict[str, str]:
    """Return what stands in addresses, by what it is of."""
    titles_of = {"film": "The Glass Orchard", "series": "Harbour Lights"}
    named = "select slug from titles where name = ?"
    return {
        **{kind: portal.db.value(named, (name,)) for kind, name in titles_of.items()},
        "kids": profiles.named(portal.db, FAMILY, CHILD).public_id,
        "locked": profiles.named(portal.db, FAMILY, LOCKED).public_id,
        "table": portal.db.value("select public_id from imports"),
    }


def _series(portal: LivePortal) -> None:
    series = portal.make.title("Harbour Lights", kind="series", genres=("Drama",))
    for number, name in enumerate(("The Key", "The Ledger", "Low Water"), 1):
        episode = portal.make.title(
            name,
            kind="episode",
            parent_id=series.id,
            season_number=1,
            episode_number=number,
            runtime_seconds=1500.0,
        )
        portal.make.asset(episode)


def _described(portal: LivePortal, films: list[Title]) -> None:
    """Say who is in the films, and put some of them together."""
    db = portal.db
    told = "Born in Faro; came to film by way of the theatre."
    people.add(db, SYSTEM, "Inês Faro", biography=told)
    cast = ({"name": "Inês Faro", "job": "actor", "character": "Marta"},)
    for film in films[:3]:
        titles.edit(db, SYSTEM, film.slug, credits=cast, tags=("slow burn",))
    collections.add(
        *(db, SYSTEM, "Quiet evenings"),
        synopsis="For when it has been loud enough.",
        members=[film.slug for film in films[:4]],
    )
    brand.change(
        *(db, portal.settings, SYSTEM),
        texts={"imprint": {"en": "Harbour Films\nMill Lane 7\nPort Ellis"}},
    )


def _household(portal: LivePortal) -> None:
    """An account with a child, and somebody behind a PIN."""
    account = portal.make.account(FAMILY, display_name=PARENT)
    add = (portal.db, portal.settings, SYSTEM, account.id)
    profiles.add(*add, CHILD, avatar="fox", kids=True, rating_limit=6)
    profiles.add(*add, LOCKED, avatar="owl")
    _signed, signed_in = sessions.start(
        portal.db, portal.settings, account.id, address="", user_agent="", kind="api"
    )
    locked = profiles.named(portal.db, FAMILY, LOCKED)
    pins.set_of_profile(
        *(portal.db, portal.settings, signed_in.actor("")),
        *(locked.public_id, "1234", PASSWORD),
    )


def _watched(portal: LivePortal, films: list[Title]) -> None:
    profile = profiles.named(portal.db, "the-viewer")
    roles = frozenset({Role.VIEWER})
    viewer = Actor("the-viewer", profile.account_id, profile.id, roles)
    for film, position in ((films[1], 4.0), (films[5], 7.0), (films[3], 9.9)):
        asset = assets.playable(portal.db, film.id)
        assert asset is not None
        progress.save(portal.db, portal.settings, viewer, asset, position)


def _worked_on(portal: LivePortal, films: list[Title]) -> None:
    """Leave in the Studio what somebody has begun."""
    db, settings, make = portal.db, portal.settings, portal.make
    draft = make.title("Salt and Iron", state="draft")
    make.job(make.asset(draft, state="uploaded"), public_id="5a17")
    broken = make.asset(make.title("Ebb", state="draft"), state="failed")
    make.job(broken, state="failed", public_id="ebb0")
    for film, days in ((films[0], 12), (films[2], 200)):
        availability.add(db, SYSTEM, film.slug, ends_at=db.now(days=days))
    arranging.add(db, SYSTEM, "rule", "Safety first", rule={"genre": "training"})
    announcements.add(
        *(db, SYSTEM, "On Sunday the portal is closed for an hour."),
        starts_at=db.now(days=3),
    )
    webhooks.add(db, settings, SYSTEM, "https://example.com/hooks", ("title:*",))
    kept = profiles.named(db, "the-administrator")
    roles = frozenset({Role.ADMINISTRATOR})
    manager = Actor("the-administrator", kept.account_id, kept.id, roles)
    imports.keep(db, portal.storage, manager, "autumn.csv", _TABLE.encode())
    for name, scopes, days in _TOKENS:
        tokens.create(db, manager, manager.username, name, scopes, days)
    _told(portal)


def _told(portal: LivePortal) -> None:
    """Say who is written to, and leave letters: sent, waiting and given up."""
    db = portal.db
    for event, recipients in _RECIPIENTS.items():
        mail.set_rule(db, SYSTEM, event, recipients)
    facts = {"portal": "Matinee", "by": "the-administrator"}
    for state, problem in _LETTERS:
        letter = mail.queue(db, "ines@example.com", "test", facts)
        changes = {"state": state, "problem": problem}
        key = db.value("select id from mails where public_id = ?", (letter,))
        with write(db):
            db.table("mails").update(key, changes)

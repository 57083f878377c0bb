"""A live portal with a catalogue, Chromium, and visitors who notice every error."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from appliance.accounts import sessions
from appliance.catalog.titles import Title
from appliance.cenc import Scheme
from appliance.permissions import Role
from tests.browser import catalogue, episodes, films, live_portal
from tests.browser.episodes import Serial
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor
from tests.builders import PASSWORD
from web import guard

Visit = Callable[..., Visitor]


@pytest.fixture(scope="session")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LivePortal]:
    """A running portal with a published catalogue and one account for each role."""
    home = tmp_path_factory.mktemp("portal")
    with live_portal.running(home) as portal:
        for role in Role:
            portal.make.account(f"the-{role}", roles=(role,), display_name=role.title())
        catalogue.fill(portal, tmp_path_factory.mktemp("pictures"))
        yield portal


@pytest.fixture(scope="session")
def film(portal: LivePortal, tmp_path_factory: pytest.TempPathFactory) -> Title:
    """A published title whose film really plays."""
    return films.publish(portal, tmp_path_factory.mktemp("film"))


@pytest.fixture(scope="session")
def serial(
    portal: LivePortal, film: Title, tmp_path_factory: pytest.TempPathFactory
) -> Serial:
    """A series whose episodes really play."""
    return episodes.publish(portal, film, tmp_path_factory.mktemp("serial"))


@pytest.fixture(scope="session")
def locked(portal: LivePortal, tmp_path_factory: pytest.TempPathFactory) -> Title:
    """A film that is encrypted by cbcs: keys for sound, SD and HD."""
    return films.publish(portal, tmp_path_factory.mktemp("cbcs"), protected=True)


@pytest.fixture(scope="session")
def old(portal: LivePortal, tmp_path_factory: pytest.TempPathFactory) -> Title:
    """A film that is encrypted by cenc, for old devices."""
    return films.publish(
        portal,
        tmp_path_factory.mktemp("cenc"),
        protected=True,
        scheme=Scheme.CENC,
        name="The Old Lock",
    )


@pytest.fixture(scope="session")
def slug(film: Title) -> str:
    return film.slug


@pytest.fixture
def visit(portal: LivePortal, chromium: Browser) -> Iterator[Visit]:
    """``visit(role, width, height) -> Visitor``; None is somebody not signed in.

    A problem that the test did not expect fails it in the end.
    """
    visitors: list[Visitor] = []

    def open_as(
        role: Role | None = Role.VIEWER,
        width: int = 1440,
        height: int = 900,
        **options: Any,
    ) -> Visitor:
        # What a worker fetches for a page, a test could neither see nor hold back.
        options.setdefault("service_workers", "block")
        context = chromium.new_context(
            viewport={"width": width, "height": height}, **options
        )
        if role is not None:
            context.add_cookies(
                [
                    {
                        "name": guard.COOKIE,
                        "value": _token(portal, role),
                        "url": portal.url,
                    }
                ]
            )
        visitors.append(Visitor(context.new_page(), portal.url))
        return visitors[-1]

    yield open_as
    for visitor in visitors:
        visitor.page.context.close()
    assert [problem for each in visitors for problem in each.problems] == []


def _token(portal: LivePortal, role: Role) -> str:
    token, _ = sessions.sign_in(
        portal.db,
        portal.settings,
        f"the-{role}",
        PASSWORD,
        None,
        address="127.0.0.1",
        user_agent="test",
    )
    return token

"""Films play in Chromium through a CDN on another host, that checks its own tokens."""

import base64
import json
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Route

from appliance.accounts import sessions
from appliance.catalog.titles import Title
from appliance.delivery import shield, tokens
from appliance.delivery.cdn.fastly import Fastly
from appliance.delivery.cdn.signed import Grant
from appliance.permissions import Role
from tests.browser import films
from tests.browser.visitor import Visitor
from tests.browser.watching import after, requested, state
from tests.builders import PASSWORD
from tests.host.cdn_nginx import Cdn
from tests.host.served_nginx import Stack, free_port, stack
from web import guard

pytestmark = [pytest.mark.browser, pytest.mark.media]
KEY = b"k" * 32


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    port = str(free_port())
    with stack(
        tmp_path_factory.mktemp("through") / "home",
        MATINEE_NGINX_HTTP_PORT=port,
        MATINEE_PORTAL_PUBLIC_URL=f"http://127.0.0.1:{port}",
        MATINEE_CDN_URL=f"http://127.0.0.1:{free_port()}",
        MATINEE_CDN_NAME="fastly",
    ) as running:
        running.portal.make.account("viewer", roles=(Role.VIEWER,))
        secrets = running.portal.settings.keys / "cdn.toml"
        secrets.write_text(f'[fastly]\nkey = "{base64.b64encode(KEY).decode()}"\n')
        secrets.chmod(0o600)
        yield running


@pytest.fixture(scope="module")
def cdn(served: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cdn]:
    settings = served.portal.settings
    keys = tokens.load(settings.keys)
    found = Cdn(
        home=tmp_path_factory.mktemp("cdn"),
        origin=settings.portal.public_url,
        secret=shield.secrets(settings.keys)[0],
        token_key=base64.b64encode(KEY).decode(),
        media_secret=keys.secrets[keys.current].hex(),
        port=int(settings.cdn.url.rpartition(":")[2]),
    )
    with found.running():
        yield found


@pytest.fixture(scope="module")
def film(served: Stack, tmp_path_factory: pytest.TempPathFactory) -> Title:
    return films.publish(served.portal, tmp_path_factory.mktemp("film"), seconds=64)


@pytest.fixture(scope="module")
def locked(served: Stack, tmp_path_factory: pytest.TempPathFactory) -> Title:
    return films.publish(
        served.portal, tmp_path_factory.mktemp("locked"), protected=True, seconds=16
    )


@pytest.fixture
def watch(
    served: Stack, cdn: Cdn, chromium: Browser
) -> Iterator[Callable[[Title, str], Visitor]]:
    """``watch(title, query)`` opens a film and waits until it plays."""
    context = chromium.new_context(viewport={"width": 1280, "height": 720})
    portal = served.portal
    token, _ = sessions.sign_in(
        portal.db,
        portal.settings,
        "viewer",
        PASSWORD,
        None,
        address="127.0.0.1",
        user_agent="test",
    )
    context.add_cookies([{"name": guard.COOKIE, "value": token, "url": served.url}])
    visitor = Visitor(context.new_page(), served.url, others=(cdn.url,))

    def open_film(title: Title, query: str = "") -> Visitor:
        visitor.go(f"/watch/{title.slug}?from=0{query}")
        visitor.until(lambda: after(visitor, 1), "it plays")
        return visitor

    yield open_film
    context.close()


@pytest.mark.parametrize("query", ["", "&format=hls"])
def test_a_film_comes_through_the_cdn(
    served: Stack,
    cdn: Cdn,
    film: Title,
    watch: Callable[[Title, str], Visitor],
    query: str,
) -> None:
    visitor = watch(film, query)

    fetched = requested(visitor, r"/media/")
    assert len(fetched) > 4
    assert all(each.startswith(f"{cdn.url}/media/") for each in fetched)
    assert all(re.search(r"\?token=\d{10}_[0-9a-f]{40}$", each) for each in fetched)
    assert state(visitor)["frames"] > 12
    assert visitor.problems == []


@pytest.mark.parametrize("query", ["", "&format=hls"])
def test_the_keys_of_a_protected_film_come_from_the_portal(
    served: Stack,
    cdn: Cdn,
    locked: Title,
    watch: Callable[[Title, str], Visitor],
    query: str,
) -> None:
    visitor = watch(locked, query)

    keys = requested(visitor, r"/key/|/licence/")
    assert keys
    assert all(each.startswith(served.url) for each in keys)
    assert any(each.startswith(cdn.url) for each in requested(visitor, r"/tracks/"))
    assert visitor.problems == []


def test_heartbeats_swap_the_signature(
    served: Stack, cdn: Cdn, film: Title, watch: Callable[[Title, str], Visitor]
) -> None:
    visitor = watch(film, "")
    ends = int(time.time()) + 100

    def swap(route: Route) -> None:
        answer = route.fetch()
        body: dict[str, Any] = answer.json()
        if not body["hosts"]:
            route.fulfill(response=answer)
            return
        path = body["hosts"][0]["path"]
        signed = Fastly(KEY).sign(Grant(cdn.url, path, ends))
        body["hosts"][0]["query"] = signed.query
        route.fulfill(response=answer, body=json.dumps(body))

    visitor.page.route("**/heartbeat", swap)
    with visitor.page.expect_response("**/heartbeat"):
        pass
    visitor.page.evaluate("() => { document.querySelector('video').currentTime = 50; }")
    visitor.until(lambda: after(visitor, 51), "it plays on from elsewhere")

    # One may be under way, which goes on when the page is gone.
    visitor.page.unroute_all(behavior="wait")
    assert f"?token={ends}_" in requested(visitor, r"/tracks/")[-1]
    assert visitor.problems == []

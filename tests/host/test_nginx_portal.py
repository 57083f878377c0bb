"""The whole portal behind nginx: pages, media, keys, and who is turned away."""

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import pytest
import requests

from appliance.catalog.titles import Title
from appliance.permissions import Role
from tests.browser import films
from tests.builders import PASSWORD
from tests.host.served_nginx import Stack, stack
from web import create_app

pytestmark = pytest.mark.media
_REFUSED = (401, 403, 404)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with stack(tmp_path_factory.mktemp("portal") / "home") as running:
        running.portal.make.account("viewer", roles=(Role.VIEWER,))
        running.portal.make.account("other", roles=(Role.VIEWER,))
        yield running


@pytest.fixture(scope="module")
def film(served: Stack, tmp_path_factory: pytest.TempPathFactory) -> Title:
    return films.publish(served.portal, tmp_path_factory.mktemp("film"), seconds=8)


@pytest.fixture(scope="module")
def locked(served: Stack, tmp_path_factory: pytest.TempPathFactory) -> Title:
    return films.publish(
        served.portal, tmp_path_factory.mktemp("locked"), protected=True, seconds=8
    )


def _bearer(served: Stack, username: str = "viewer") -> dict[str, str]:
    answer = requests.post(
        f"{served.url}/api/v1/auth/token",
        json={"username": username, "password": PASSWORD},
        timeout=30,
    )
    assert answer.status_code in (200, 201), answer.text
    return {"Authorization": f"Bearer {answer.json()['token']}"}


def _opened(served: Stack, title: Title, username: str = "viewer") -> dict[str, Any]:
    answer = requests.post(
        f"{served.url}/api/v1/playback",
        json={"title": title.slug, "device": "test"},
        headers=_bearer(served, username),
        timeout=30,
    )
    assert answer.status_code in (200, 201), answer.text
    found: dict[str, Any] = answer.json()
    return found


def _segments(served: Stack, opened: dict[str, Any]) -> list[str]:
    """Return the addresses of all that the manifests of HLS name."""
    master = opened["manifests"]["hls"]
    base = master.rsplit("/", 1)[0]
    found: list[str] = []
    for name in re.findall(r"hls/[0-9a-f]{16}\.m3u8", served.nginx.get(master).text):
        text = served.nginx.get(f"{base}/{name}").text
        for part in re.findall(r'^[^#\s].*$|(?<=URI=")[^"]+', text, re.MULTILINE):
            found.append(requests.compat.urljoin(f"{base}/{name}", part))
    return list(dict.fromkeys(found))


def test_every_part_of_a_film_comes_through_nginx(served: Stack, film: Title) -> None:
    opened = _opened(served, film)

    assert opened["media_token"].startswith("2.")
    assert opened["token"].startswith("1.")
    parts = _segments(served, opened)
    assert len(parts) > 8
    for part in parts:
        answer = served.nginx.get(part)
        assert answer.status_code == 200, part
        assert "immutable" in answer.headers["Cache-Control"]
    for manifest in (*opened["manifests"].values(), opened["thumbnails"]):
        answer = served.nginx.get(manifest)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "private, max-age=10"
        # Once each, whoever sent them.
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_no_line_of_python_runs_for_a_segment(served: Stack, film: Title) -> None:
    part = _segments(served, _opened(served, film))[0]
    served.stop_web()
    try:
        assert served.nginx.get(part).status_code == 200
    finally:
        served.start_web()


def test_two_viewers_share_a_manifest_and_their_tokens_stay_theirs(
    served: Stack, film: Title
) -> None:
    one, two = _opened(served, film), _opened(served, film, "other")

    # No other test asks for this playlist, so that nginx has no older copy to renew.
    master = one["manifests"]["hls"]
    name = re.findall(r"hls/[0-9a-f]+-iframes\.m3u8", served.nginx.get(master).text)[0]

    first = served.nginx.get(urljoin(master, name))
    second = served.nginx.get(urljoin(two["manifests"]["hls"], name))

    assert first.text == second.text
    assert one["media_token"] not in first.text
    lines = served.nginx.logged("media.log", 1, session=two["session"])
    assert lines[-1]["cache"] == "HIT"


def test_a_line_of_the_media_log_leads_to_the_viewer(
    served: Stack, film: Title
) -> None:
    opened = _opened(served, film, "other")
    part = _segments(served, opened)[0]
    served.nginx.get(part)
    served.nginx.logged("media.log", 1, session=opened["session"])
    log = Path(served.portal.settings.nginx.log) / "media.log"
    line = next(
        each for each in log.read_text().splitlines() if opened["session"] in each
    )

    (found,) = served.command("playback", "trace", line)

    assert (found["account"], found["title"]) == ("other", film.slug)


def test_films_go_on_while_the_application_is_away(served: Stack, film: Title) -> None:
    opened = _opened(served, film)
    parts = _segments(served, opened)
    manifests = list(opened["manifests"].values())
    for manifest in manifests:
        served.nginx.get(manifest)
    served.stop_web()
    try:
        kept = [served.nginx.get(each).status_code for each in manifests]
        files = [served.nginx.get(each).status_code for each in parts]
        page = served.nginx.get("/", headers={"Accept": "text/html"})
        call = served.nginx.get("/api/v1/titles")
        unknown = served.nginx.get(
            opened["thumbnails"].replace("thumbnails.vtt", f"hls/{'f' * 16}.m3u8")
        )
    finally:
        served.start_web()

    assert kept == [200, 200]
    assert set(files) == {200}
    for answer in (page, call):
        assert answer.status_code == 503
        assert int(answer.headers["Retry-After"]) > 0
    assert page.headers["Content-Type"].startswith("text/html")
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    told = page.content.decode()
    assert "Back in a moment" in told
    assert 'lang="de" dir="ltr">Das Portal wird gerade gestartet.' in told
    assert 'lang="ar" dir="rtl">' in told
    assert call.headers["Content-Type"] == "application/problem+json"
    assert call.json()["status"] == 503
    assert (unknown.status_code, unknown.json()["code"]) == (503, "media.away")
    (line,) = served.nginx.logged("portal.log", 1, status=503, path="/api/v1/titles")
    assert line["upstream"] == "502"


def test_keys_of_content_are_never_kept(served: Stack, locked: Title) -> None:
    opened = _opened(served, locked)
    base = opened["manifests"]["hls"].rsplit("/", 1)[0]
    (asset,) = served.portal.db.rows(
        "select t.kid from tracks t where t.kid is not null limit 1"
    )

    first = served.nginx.get(f"{base}/key/{asset['kid']}")

    assert (first.status_code, len(first.content)) == (200, 16)
    assert first.headers["Cache-Control"] == "no-store"
    kept = Path(served.portal.settings.nginx.run) / "manifests"
    assert not [
        each
        for each in kept.rglob("*")
        if each.is_file() and first.content in each.read_bytes()
    ]
    served.stop_web()
    try:
        assert served.nginx.get(f"{base}/key/{asset['kid']}").status_code == 503
    finally:
        served.start_web()


def test_licences_are_never_kept(served: Stack, locked: Title) -> None:
    opened = _opened(served, locked)
    kids = served.portal.db.rows(
        "select distinct kid from tracks where kid is not null"
    )

    answer = requests.post(
        served.url + opened["drm"]["org.w3.clearkey"],
        json={"kids": [_base64(each["kid"]) for each in kids], "type": "temporary"},
        headers={"Authorization": f"Bearer {opened['token']}"},
        timeout=30,
    )

    assert answer.status_code == 200, answer.text
    assert "no-store" in answer.headers["Cache-Control"]


def _base64(kid: str) -> str:
    return base64.urlsafe_b64encode(bytes.fromhex(kid)).decode().rstrip("=")


def _files(served: Stack) -> Iterator[str]:
    """Yield where somebody might look for each file of a film."""
    packages = served.portal.settings.media / "packages"
    for file in sorted(packages.rglob("*")):
        inside = file.relative_to(packages)
        asset, _, rest = str(inside).partition("/")
        yield f"/media/{inside}"
        yield f"/media/x/{inside}"
        yield f"/media/{asset}/all/{rest}"  # as a CDN asks, which knows a secret
        yield f"/packages/{inside}"
        yield f"/static/packages/{inside}"


def _named(served: Stack) -> Iterator[str]:
    """Yield what is not a file: lists, keys, mappings, and everything with a rule."""
    db = served.portal.db
    names = ["master.m3u8", "manifest.mpd", "steered.m3u8", "steered.mpd"]
    names += ["thumbnails.vtt", "steering.json", f"key/{'0' * 32}"]
    assets = [str(row["public_id"]) for row in db.rows("select * from assets")]
    tracks = db.rows(
        """
        select assets.public_id as asset, tracks.public_id as track, tracks.kid
        from tracks
        join assets on assets.id = tracks.asset_id
        """
    )
    for asset in assets:
        yield from (f"/media/x/{asset}/{name}" for name in names)
        yield from (f"/media/{asset}/all/{name}" for name in names)
        yield f"/internal/map/{asset}"
    for row in tracks:
        base = f"/media/x/{row['asset']}"
        yield from (f"{base}/hls/{row['track']}{end}" for end in _LISTS)
        yield f"{base}/key/{row['kid'] or '0' * 32}"
        yield from (
            f"{door}/{row['asset']}/{row['track']}"
            for door in ("/internal/map", "/internal/clear", "/internal/drm")
        )
        yield f"/media/-makings/drm/{row['asset']}/{row['track']}"


_LISTS = (".m3u8", "-iframes.m3u8")


def _hidden(served: Stack) -> Iterator[str]:
    """Yield ways to what lies beside the folders that are served."""
    settings = served.portal.settings
    inside = [str(file.relative_to(settings.home)) for file in settings.keys.iterdir()]
    assert any("media" in each for each in inside)
    inside += ["nginx/current/secrets.conf", "nginx/current/nginx.conf"]
    for name in (*inside, "matinee.db", "web.log", "log/media.log"):
        yield f"/{name}"
        yield f"/static/{name}"
        yield f"/static../{name}"
        yield f"/static/vendor/..%2f..%2f{name}"
        yield f"/media/x/{'f' * 16}/tracks/{'f' * 16}/..%2f{name}"
    for name in ("/media", "/media/", "/static", "/static/", "/packages", "/packages/"):
        yield name
    for name in ("", "/", "/map/x", "/drm/x/1"):
        yield from (f"{door}{name}" for door in _INSIDE)
    yield "/metrics/x"


_INSIDE = ("/internal", "//internal", "/%69nternal", "/x/../internal")


def test_a_crawl_finds_no_door_open(served: Stack, film: Title, locked: Title) -> None:
    """Of nobody, of somebody who may see neither film, and by a token for another."""
    locked_asset = _opened(served, locked)["asset"]
    foreign = _opened(served, film, "other")["media_token"]
    other = _bearer(served, "other")
    assert _opened(served, film)["asset"] != locked_asset

    paths = [*_files(served), *_named(served), *_hidden(served)]

    assert len(paths) > 300
    for path in paths:
        assert served.nginx.status(path) in _REFUSED, path
        # Where nothing is ever posted to, nginx says that and does not look.
        assert served.nginx.status(path, "POST") in (*_REFUSED, 405), path
        answer = served.nginx.get(path, headers=other, allow_redirects=False)
        assert answer.status_code in _REFUSED, path
        # A token for one film opens no other.
        if locked_asset in path and path.startswith("/media/x/"):
            used = path.replace("/x/", f"/{foreign}/")
            assert served.nginx.status(used) in _REFUSED, used


def test_a_crawl_finds_no_licence(served: Stack, locked: Title) -> None:
    """Nor a certificate, where no service is set that would have one."""
    other = _bearer(served, "other")
    app = create_app(served.portal.settings)
    rules = [each for each in app.url_map.iter_rules() if "/licence/" in each.rule]
    assert {each.rule for each in rules} >= {
        *("/licence/clearkey", "/licence/widevine", "/licence/playready"),
        *("/licence/widevine/certificate", "/licence/fairplay/certificate"),
    }

    for rule in rules:
        for method in (rule.methods or set()) - {"OPTIONS"}:
            for headers in ({}, other, {"Authorization": "Bearer x"}):
                answer = requests.request(
                    method, served.url + rule.rule, headers=headers, timeout=30
                )
                assert answer.status_code in _REFUSED, (method, rule.rule)
                assert "no-store" in answer.headers.get("Cache-Control", "no-store")
    for path in ("/licence", "/licence/", "/licence/x", "/licence/clearkey/x"):
        assert served.nginx.status(path) in _REFUSED, path


def test_only_machines_of_the_house_see_how_it_goes(tmp_path: Path) -> None:
    with stack(
        tmp_path / "home", MATINEE_NGINX_INTERNAL_NETWORKS="10.99.0.0/16"
    ) as outside:
        assert outside.nginx.get("/-/live").status_code == 200
        for path in ("/metrics", "/-/ready", "//-/ready", "/-/./ready"):
            assert outside.nginx.status(path) == 403, path


def test_the_house_itself_may_ask(served: Stack) -> None:
    assert served.nginx.get("/-/ready").status_code == 200


def test_static_files_are_kept_for_a_year_by_what_is_in_them(served: Stack) -> None:
    page = served.nginx.get("/login").text
    addresses = re.findall(r'/static/[^"\s]+', page)

    named = [each for each in addresses if each.endswith(".woff2") is False]
    assert named
    for address in named:
        assert re.search(r"\?v=[0-9a-f]{12}$", address), address
        answer = served.nginx.get(address)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        plain = served.nginx.get(address.split("?")[0])
        assert plain.headers["Cache-Control"] == "no-cache"
        assert "default-src 'none'" in plain.headers["Content-Security-Policy"]
    for path in ("/static/", "/static/css/", "/static", "/static/nothing.css"):
        assert served.nginx.status(path) in _REFUSED, path


def test_pages_carry_each_security_header_once(served: Stack) -> None:
    answer = served.nginx.raw(
        b"GET /login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"
    ).lower()

    head = answer.split(b"\r\n\r\n")[0]
    for name in (b"content-security-policy:", b"x-frame-options:", b"server: nginx"):
        assert head.count(name) == 1


def test_the_application_hears_the_address_of_the_client_not_what_it_claims(
    served: Stack,
) -> None:
    served.nginx.get("/login", headers={"X-Forwarded-For": "203.0.113.9"})
    bearer = _bearer(served)
    requests.post(
        f"{served.url}/api/v1/auth/token",
        json={"username": "viewer", "password": "wrong"},
        headers={"X-Forwarded-For": "203.0.113.9"},
        timeout=30,
    )

    events = served.portal.db.rows("select * from events order by id desc limit 5")

    assert bearer
    assert "203.0.113.9" not in str(events)
    assert "127.0.0.1" in str(events)


def test_a_flood_is_told_to_wait_and_others_are_served(served: Stack) -> None:
    with requests.Session() as session:
        statuses = [
            session.post(
                f"{served.url}/api/v1/auth/token", data=b"{", timeout=30
            ).status_code
            for _ in range(120)
        ]
        refused = session.post(f"{served.url}/api/v1/auth/token", timeout=30)

    assert 429 in statuses
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert served.nginx.get("/-/live").status_code == 200


def test_uploads_may_be_large_and_other_calls_may_not(served: Stack) -> None:
    large = b"x" * 2_000_000

    api = requests.post(f"{served.url}/api/v1/playback", data=large, timeout=30)
    part = requests.patch(f"{served.url}/studio/uploads/none", data=large, timeout=30)

    assert (api.status_code, api.json()["code"]) == (413, "http.413")
    assert part.status_code != 413

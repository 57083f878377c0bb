"""Calls go out by the way that the settings say, and by no other."""

import ast
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from appliance import calls, outbound
from appliance.cenc import KeySystem, Label, Scheme
from appliance.delivery import tokens
from appliance.delivery.cdn import purge
from appliance.delivery.cdn.visitor import Visitor
from appliance.delivery.routes import Route
from appliance.delivery.tokens import Algorithm
from appliance.errors import MatineeError, TryAgain
from appliance.objects import ObjectStore
from appliance.operations.certificates import acme_account
from appliance.outbound import Ways
from appliance.protection import speke, widevine
from appliance.sections import Cdn, Objects
from appliance.settings import Outbound, Protection, Settings, Tls
from jobs import connecting
from tests.doubles.authority import Authority
from tests.doubles.proxy import Proxy, proxy
from tests.doubles.server import Service, served
from tests.doubles.ways import STRAIGHT

ROOT_FOLDER = Path(__file__).resolve().parent.parent.parent
NAME = "service.test"


@dataclass
class Outside:
    """A service that only the proxy finds, and an installation that is to ask it."""

    service: Service
    proxy: Proxy
    settings: Settings
    url: str
    port: int

    @property
    def ways(self) -> Ways:
        return outbound.of(self.settings)

    def secret(self, name: str, text: str) -> None:
        path = self.settings.keys / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)


@pytest.fixture
def outside(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Outside]:
    now = datetime.now(UTC)
    lasting = now - timedelta(days=1), now + timedelta(days=30)
    root = Authority("Company Root", begins=lasting[0], ends=lasting[1])
    leaf, key = root.issue(NAME, begins=lasting[0], ends=lasting[1])
    (tmp_path / "root.pem").write_bytes(root.pem)
    (tmp_path / "both.pem").write_bytes(key + leaf)
    # What the machine's environment says is for others.
    for name in ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere.pem")
    with served(_answer, tmp_path / "both.pem") as service, proxy() as between:
        port = int(service.url.rpartition(":")[2])
        used = replace(
            settings,
            outbound=Outbound(proxy=between.url, ca_bundle=str(tmp_path / "root.pem")),
        )
        yield Outside(service, between, used, f"https://{NAME}:{port}", port)


def _answer(_request: Request) -> Response:
    return Response("{}")


def ask(ways: Ways, url: str) -> calls.Answer:
    return calls.ask(
        "POST",
        url,
        ways=ways,
        headers={},
        body=b"x",
        timeout=5,
        service="The service",
        code="service",
    )


def _keys_of_speke(outside: Outside) -> None:
    outside.secret("drm.toml", "[speke]\n")
    wanted = Protection(keys_from="speke", keys_url=outside.url)
    speke.of_settings(replace(outside.settings, protection=wanted)).keys(
        "content", [Label.SD], Scheme.CBCS, [KeySystem.WIDEVINE]
    )


def _keys_of_widevine(outside: Outside) -> None:
    outside.secret(
        "drm.toml",
        f'[widevine]\nprovider = "us"\nkey = "{"00" * 32}"\niv = "{"00" * 16}"',
    )
    wanted = Protection(keys_from="widevine", keys_url=outside.url)
    widevine.of_settings(replace(outside.settings, protection=wanted)).keys(
        "content", [Label.SD], Scheme.CBCS, [KeySystem.WIDEVINE]
    )


def _purge(outside: Outside) -> None:
    outside.secret("cdn.toml", f'[bunny]\napi = "{outside.url}"\napi_key = "k"\n')
    wanted = Cdn(name="bunny", url="https://films.example")
    purge.purge(replace(outside.settings, cdn=wanted), [], datetime.now(UTC), "a" * 32)


def _visit(outside: Outside) -> None:
    Visitor(
        Route("cdn", outside.url),
        "0" * 16,
        tokens.load(outside.settings.keys),
        Algorithm.MD5,
        outside.ways,
    ).ask("/")


def _objects(outside: Outside) -> None:
    outside.secret("s3.toml", '[s3]\naccess_key = "a"\nsecret_key = "b"\n')
    wanted = Objects(bucket="films", endpoint=outside.url, timeout_seconds=2)
    ObjectStore(replace(outside.settings, objects=wanted)).check()


def _acme(outside: Outside) -> None:
    wanted = replace(
        outside.settings, tls=Tls(acme_directory=f"{outside.url}/directory")
    )
    server = acme_account.server(wanted, outside.ways)
    network = acme_account.network(server, outside.settings.home / "acme")
    network.get(server.directory)


def _film(outside: Outside) -> None:
    target, by = connecting.target(f"{outside.url}/film.mp4", outside.ways, ())
    connection = connecting.connection(target, by, outside.ways)
    connection.request("GET", target.path)
    assert connection.getresponse().status == 200
    connection.close()


def _any_call(outside: Outside) -> None:
    assert ask(outside.ways, outside.url).status == 200


CALLERS: tuple[Callable[[Outside], None], ...] = (
    *(_any_call, _keys_of_speke, _keys_of_widevine, _purge, _visit),
    *(_objects, _acme, _film),
)


@pytest.mark.parametrize("caller", CALLERS)
def test_each_that_calls_out_goes_through_the_proxy(
    outside: Outside, caller: Callable[[Outside], None]
) -> None:
    # What the service answers means nothing to most of them.
    with suppress(MatineeError):
        caller(outside)

    assert set(outside.proxy.asked) == {f"CONNECT {NAME}:{outside.port}"}
    assert outside.service.seen


def test_a_film_without_tls_is_asked_for_by_its_whole_address(
    outside: Outside,
) -> None:
    with served(_answer) as plain:
        port = plain.url.rpartition(":")[2]
        target, by = connecting.target(f"http://a.test:{port}/f", outside.ways, ())
        connection = connecting.connection(target, by, outside.ways)
        connection.request("GET", target.url)
        assert connection.getresponse().status == 200
        connection.close()

    assert outside.proxy.asked == [f"GET http://a.test:{port}/f"]


def test_a_password_is_shown_to_the_proxy_and_to_nobody_else(outside: Outside) -> None:
    outside.proxy.password = "matinee:p@ss word"
    with pytest.raises(TryAgain, match="through the proxy") as caught:
        ask(outside.ways, outside.url)
    outside.secret(
        "proxy.toml", '[proxy]\nusername = "matinee"\npassword = "p@ss word"\n'
    )

    assert ask(outside.ways, outside.url).status == 200
    _film(outside)
    assert caught.value.code == "service-proxy"
    assert "p@ss" not in repr(outside.ways)
    assert "Proxy-Authorization" not in outside.service.seen[-1].headers


def test_a_proxy_that_lets_nothing_pass_is_named(outside: Outside) -> None:
    outside.proxy.closed = True

    with pytest.raises(TryAgain, match=r"outbound\.proxy"):
        ask(outside.ways, outside.url)


@pytest.mark.parametrize(
    ("direct", "host", "through"),
    [
        ("", "example.org", True),
        ("", "localhost", False),
        ("", "127.0.0.1", False),
        ("", "::1", False),
        ("example.org", "example.org", False),
        ("example.org", "s3.example.org", False),
        (".example.org, 10.0.0.0/8", "S3.EXAMPLE.ORG.", False),
        ("*.example.org", "s3.example.org", False),
        ("example.org", "notexample.org", True),
        ("10.0.0.0/8", "10.1.2.3", False),
        ("10.0.0.0/8", "11.1.2.3", True),
        ("fd00::/8", "[fd00::1]", False),
    ],
)
def test_some_hosts_need_no_proxy(direct: str, host: str, through: bool) -> None:
    ways = replace(
        STRAIGHT,
        proxy="http://p:3128",
        direct=tuple(outbound.listed(direct)),
    )

    assert bool(ways.proxy_for(host)) is through


def test_without_settings_nothing_of_the_environment_counts(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(_answer) as service, proxy() as between:
        for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
            monkeypatch.setenv(name, between.url)
        assert ask(outbound.of(settings), service.url).status == 200

    assert between.asked == []


def test_an_authority_of_the_company_is_believed_beside_the_others(
    outside: Outside, tmp_path: Path
) -> None:
    root = Path(outside.settings.outbound.ca_bundle)
    usual = replace(outside.settings, outbound=Outbound(proxy=outside.proxy.url))
    ways = outbound.of(usual)
    with pytest.raises(MatineeError, match="cannot be trusted"):
        ask(ways, outside.url)

    ways.authorities.mkdir()
    (ways.authorities / "company.pem").write_bytes(root.read_bytes())

    assert ask(ways, outside.url).status == 200
    assert Path(ways.trusted).stat().st_size > 100_000
    (ways.authorities / "company.pem").unlink()
    with pytest.raises(MatineeError, match="cannot be trusted"):
        ask(ways, outside.url)


def test_a_private_name_is_refused_also_where_a_proxy_would_go_there(
    outside: Outside,
) -> None:
    with pytest.raises(MatineeError, match="private network"):
        connecting.target("https://192.168.7.7/film.mp4", outside.ways, ())
    assert outside.proxy.asked == []


_SPEAKERS = {
    "appliance/calls.py",
    "appliance/objects.py",
    "appliance/operations/certificates/acme_account.py",  # types; acme_calls sends
    "appliance/operations/certificates/acme_calls.py",  # over appliance.calls
    "appliance/operations/mail.py",  # a server of the house, never by a proxy
    "appliance/operations/pinned_call.py",  # another Matinee, by its fingerprint
    "appliance/delivery/cdn/cloudfront.py",  # signs only
    "appliance/operations/certificates/acme_order.py",  # messages
    "appliance/checks/cluster.py",  # edges of our own
    "appliance/checks/front.py",  # our own front
    "appliance/checks/release.py",  # our own portal
    "jobs/connecting.py",
    "jobs/fetching.py",
}
_NETWORK = ("requests", "urllib.request", "http.client", "botocore", "smtplib", "acme")


def test_who_speaks_to_the_network_is_known() -> None:
    """A new one takes its way from appliance.outbound, and is entered here."""
    found = set()
    for package in ("appliance", "jobs", "web", "nginx"):
        for path in (ROOT_FOLDER / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                names = (
                    [each.name for each in node.names]
                    if isinstance(node, ast.Import)
                    else [node.module or ""]
                    if isinstance(node, ast.ImportFrom)
                    else []
                )
                if any(
                    f"{name}.".startswith(f"{each}.")
                    for name in names
                    for each in _NETWORK
                ):
                    found.add(str(path.relative_to(ROOT_FOLDER)))

    assert found - _SPEAKERS == set()

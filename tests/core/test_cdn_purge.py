"""CDNs forget what they are told to: through their APIs, rightly signed."""

import json
from dataclasses import replace
from datetime import datetime

import pytest
from werkzeug.wrappers import Request, Response

from appliance.clock import FixedClock
from appliance.delivery.cdn import purge
from appliance.delivery.cdn.vendors import PURGES, SIGNERS
from appliance.errors import ConfigError, MatineeError, PreconditionFailed
from appliance.settings import Cdn, Settings
from tests.core.test_cdn_signers import RSA, pem
from tests.doubles.cdn_apis import (
    AkamaiApi,
    Api,
    BunnyApi,
    CloudflareApi,
    CloudFrontApi,
    FastlyApi,
    GoogleApi,
)
from tests.doubles.server import Application, Mood, served

ONE, TWO = "ab" * 8, "cd" * 8
CANARY = "canary-51c9"
FIELDS = {
    "bunny": 'api_key = "{secret}"',
    "cloudflare": 'zone = "zone1"\napi_token = "{secret}"',
    "fastly": 'service = "service1"\napi_token = "{secret}"',
    "cloudfront": 'distribution = "E1"\naccess_key = "AKIDEXAMPLE"\n'
    'secret_key = "{secret}"',
    "akamai": 'client_token = "akab-client"\nclient_secret = "{secret}"\n'
    'access_token = "akab-access"\ncp_code = "12345"',
    "google": 'project = "films"\nurl_map = "map1"\ntoken_api = "{url}/token"\n'
    'service_account = "account.json"',
}
SECRETS = {
    "bunny": "account-key",
    "cloudflare": "api-token",
    "fastly": "api-token",
    "cloudfront": "wJalrXUtnFEMI/K7MDENG",
    "akamai": "client-secret",
    "google": "",
}
EXPECTED = {
    "bunny": [f"https://films.example/media/{each}/*" for each in (ONE, TWO)],
    "cloudflare": [f"films.example/media/{each}/" for each in (ONE, TWO)],
    "fastly": [ONE, TWO],
    "cloudfront": [f"/media/{each}/*" for each in (ONE, TWO)],
    "akamai": [f"tag {ONE}", f"tag {TWO}"],
    "google": [f"films.example/media/{each}/*" for each in (ONE, TWO)],
}
EVERYTHING = {
    "bunny": ["https://films.example/media/*"],
    "cloudflare": ["films.example"],
    "fastly": ["everything"],
    "cloudfront": ["/media/*"],
    "akamai": ["cpcode 12345"],
    "google": ["films.example/media/*"],
}


def double(name: str, now: datetime) -> tuple[Application, Api]:
    api = {
        "bunny": BunnyApi(),
        "cloudflare": CloudflareApi(),
        "fastly": FastlyApi(),
        "cloudfront": CloudFrontApi(),
        "akamai": AkamaiApi(),
        "google": GoogleApi(public=RSA.public_key(), now=now),
    }[name]
    assert callable(api)
    return api, api


def behind(settings: Settings, name: str, url: str, secret: str = "") -> Settings:
    """Return settings with that CDN, and write its secrets."""
    settings.keys.mkdir(parents=True, exist_ok=True)
    account = {"client_email": GoogleApi.email, "private_key": pem(RSA).decode()}
    fields = FIELDS[name].format(secret=secret or SECRETS[name], url=url)
    for file, text in (
        ("cdn.toml", f'[{name}]\napi = "{url}"\n{fields}\n'),
        ("account.json", json.dumps(account)),
    ):
        (settings.keys / file).write_text(text)
        (settings.keys / file).chmod(0o600)
    return replace(settings, cdn=Cdn(name=name, url="https://films.example"))


@pytest.mark.parametrize("name", PURGES)
def test_a_title_is_forgotten_and_so_is_everything(
    settings: Settings, clock: FixedClock, name: str
) -> None:
    application, api = double(name, clock.now())
    with served(application) as service:
        set_up = behind(settings, name, service.url)
        purge.purge(set_up, (ONE, TWO), clock.now(), "nonce-1")
        assert api.forgotten == EXPECTED[name]
        api.forgotten.clear()
        purge.purge(set_up, (), clock.now(), "nonce-2")

    assert api.forgotten == EVERYTHING[name]


@pytest.mark.parametrize("name", [each for each in PURGES if each != "google"])
def test_wrong_words_are_refused_and_not_repeated(
    settings: Settings, clock: FixedClock, name: str
) -> None:
    application, api = double(name, clock.now())
    with served(application) as service:
        set_up = behind(settings, name, service.url, CANARY)
        with pytest.raises(PreconditionFailed) as caught:
            purge.purge(set_up, (ONE,), clock.now(), "nonce-1")

    assert caught.value.code == "cdn.service-refused"
    assert CANARY not in f"{caught.getrepr(showlocals=False)}"
    assert api.forgotten == []


@pytest.mark.parametrize("name", PURGES)
@pytest.mark.parametrize(
    ("mood", "code"),
    [
        (Mood.FAILS, "cdn.service-failed"),
        (Mood.REFUSES, "cdn.service-refused"),
        (Mood.MOVED, "cdn.service-moved"),
        (Mood.FLOODS, "cdn.service-too-large"),
        (Mood.HANGS_UP, "cdn.service-unreachable"),
    ],
)
def test_an_api_in_trouble_is_told_plainly(
    settings: Settings, clock: FixedClock, name: str, mood: Mood, code: str
) -> None:
    application, _ = double(name, clock.now())
    with served(application) as service:
        set_up = behind(settings, name, service.url)
        service.mood = mood
        with pytest.raises(MatineeError) as caught:
            purge.purge(set_up, (ONE,), clock.now(), "nonce-1")

    assert caught.value.code == code
    assert SECRETS[name] == "" or SECRETS[name] not in str(caught.value)


def test_many_titles_are_told_in_bundles(settings: Settings, clock: FixedClock) -> None:
    many = tuple(f"{number:016x}" for number in range(70))
    for name, calls in (("cloudflare", 3), ("fastly", 1), ("cloudfront", 1)):
        application, api = double(name, clock.now())
        with served(application) as service:
            purge.purge(behind(settings, name, service.url), many, clock.now(), "n")
            assert len(service.seen) == calls
        assert len(api.forgotten) == 70


def test_cloudflare_must_say_that_it_did_it(
    settings: Settings, clock: FixedClock
) -> None:
    for body in (b'{"success": false}', b"<html>", b"[]", b""):

        def half(request: Request, body: bytes = body) -> Response:
            return Response(body, 200)

        with served(half) as service, pytest.raises(MatineeError) as caught:
            purge.purge(
                behind(settings, "cloudflare", service.url), (ONE,), clock.now(), "n"
            )
        assert caught.value.code == "cdn.service-refused"


def test_google_needs_the_key_file_of_an_account(
    settings: Settings, clock: FixedClock
) -> None:
    application, api = double("google", clock.now())
    with served(application) as service:
        set_up = behind(settings, "google", service.url)
        for text in ("", "{}", f'{{"private_key": "{CANARY}"}}', "[1]"):
            (settings.keys / "account.json").write_text(text)
            with pytest.raises(ConfigError) as caught:
                purge.purge(set_up, (ONE,), clock.now(), "n")
            assert CANARY not in f"{caught.getrepr(chain=True)}"

        def stingy(request: Request) -> Response:
            return Response("{}", 200)

        service.answer = stingy
        with pytest.raises(MatineeError, match="no access token"):
            purge.purge(behind(settings, "google", service.url), (), clock.now(), "n")
    assert api.forgotten == []


def test_without_a_cdn_or_an_api_nothing_is_promised(
    settings: Settings, clock: FixedClock
) -> None:
    with pytest.raises(PreconditionFailed, match="No CDN") as none:
        purge.purge(settings, (), clock.now(), "n")
    own = replace(settings, cdn=Cdn(name="own", url="https://films.example"))
    with pytest.raises(PreconditionFailed, match="no API") as no_api:
        purge.purge(own, (), clock.now(), "n")

    assert (none.value.code, no_api.value.code) == ("cdn.none", "cdn.no-purge")
    assert set(PURGES) == set(SIGNERS) == set(purge.NAMES)

"""The secrets of CDNs: read from their file, checked, and never shown."""

from dataclasses import replace

import pytest

from appliance.delivery.cdn import vendors
from appliance.errors import ConfigError, MatineeError, PreconditionFailed
from appliance.settings import Cdn, Settings
from tests.conftest import Matinee

CANARY = "canary-9d1e"
URL = "https://films.example"


def written(settings: Settings, text: str, mode: int = 0o600) -> Settings:
    settings.keys.mkdir(parents=True, exist_ok=True)
    path = settings.keys / "cdn.toml"
    path.write_text(text)
    path.chmod(mode)
    return settings


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("bunny", ""),
        ("bunny", 'key = ""'),
        ("google", f'key_name = "k"\nkey = "{CANARY}"'),
        ("google", 'key_name = "k"\nkey = "a2tra2tr"'),
        ("google", 'key = "a2tra2tra2tra2tra2traw=="'),
        ("fastly", f'key = "{CANARY}"'),
        ("fastly", 'key = "a2tr"'),
        ("akamai", f'key = "{CANARY}"'),
        ("akamai", f'key = "{"ab" * 16}"'),
        ("cloudflare", f'zone = "{CANARY}"'),
        ("cloudfront", 'key_pair_id = "K1"'),
    ],
)
def test_a_secret_that_cannot_be_used_is_named_and_not_quoted(
    settings: Settings, name: str, fields: str
) -> None:
    written(settings, f"[{name}]\n{fields}\n")

    with pytest.raises(ConfigError) as caught:
        vendors.signer(settings, name)

    assert caught.value.code == "cdn.credentials-field"
    assert f"[{name}]" in caught.value.message
    assert "canary" not in f"{caught.getrepr(chain=True, showlocals=False)}"


@pytest.mark.parametrize("content", ["", CANARY, "-----BEGIN PRIVATE KEY-----\nAA"])
def test_cloudfront_needs_an_rsa_key(settings: Settings, content: str) -> None:
    fields = 'key_pair_id = "K1"\nprivate_key = "cloudfront.pem"'
    written(settings, f"[cloudfront]\n{fields}\n")
    with pytest.raises(PreconditionFailed, match=r"cloudfront\.pem"):
        vendors.signer(settings, "cloudfront")
    pem = settings.keys / "cloudfront.pem"
    pem.write_text(content)
    pem.chmod(0o600)

    with pytest.raises(ConfigError, match="RSA") as caught:
        vendors.signer(settings, "cloudfront")

    assert "canary" not in f"{caught.getrepr(chain=True, showlocals=False)}"


def test_a_file_that_others_may_read_is_refused(settings: Settings) -> None:
    written(settings, f'[bunny]\nkey = "{CANARY}"\n', 0o640)

    with pytest.raises(PreconditionFailed) as caught:
        vendors.signer(settings, "bunny")

    assert caught.value.code == "cdn.credentials-open"
    assert "the CDN" in caught.value.message


def test_another_file_can_be_named(settings: Settings) -> None:
    elsewhere = settings.keys / "elsewhere.toml"
    written(settings, "")
    elsewhere.write_text('[bunny]\nkey = "k"\n')
    elsewhere.chmod(0o600)
    named = replace(
        settings, cdn=Cdn(name="bunny", url=URL, credentials=str(elsewhere))
    )

    assert vendors.signer(named, "bunny")
    with pytest.raises(MatineeError, match="no section"):
        vendors.signer(settings, "bunny")


def test_the_doctor_says_when_the_cdn_cannot_be_signed_for(
    matinee: Matinee, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def line() -> str:
        told = matinee("doctor").stdout.splitlines()
        return next(each for each in told if "delivery.cdn" in each)

    assert line().startswith("OK")
    monkeypatch.setenv("MATINEE_CDN_NAME", "bunny")
    monkeypatch.setenv("MATINEE_CDN_URL", URL)
    assert line().startswith("FAIL")
    assert "cdn.toml" in line()
    written(settings, '[bunny]\nkey = "k"\n')
    assert line().startswith("OK")
    assert URL in line()

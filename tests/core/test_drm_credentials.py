"""The file with the providers' secrets: found, guarded, and never shown."""

from dataclasses import replace
from pathlib import Path

import pytest

from appliance.errors import ConfigError, MatineeError, PreconditionFailed
from appliance.protection import credentials, providers
from appliance.protection.local import LocalKeys
from appliance.settings import Protection, Settings

CANARY = "canary-3f7a"
NOWHERE: dict[str, str] = {}


def write(path: Path, text: str, mode: int = 0o600) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    path.chmod(mode)
    return path


def test_a_section_is_read_from_the_folder_of_keys(settings: Settings) -> None:
    write(settings.keys / "drm.toml", '[axinom]\nkey_id = "1"\nkey = "two"\n')

    found = credentials.section(settings, "axinom", NOWHERE)

    assert dict(found) == {"key_id": "1", "key": "two"}
    assert found.get("region", "eu") == "eu"
    assert found.get("region") == ""
    assert "region" not in found


def test_the_file_that_the_settings_name_comes_first(
    settings: Settings, tmp_path: Path
) -> None:
    write(settings.keys / "drm.toml", '[speke]\nuser = "folder"\n')
    named = write(tmp_path / "named.toml", '[speke]\nuser = "named"\n')
    protection = Protection(credentials=str(named))

    found = credentials.section(
        replace(settings, protection=protection), "speke", NOWHERE
    )

    assert found["user"] == "named"


def test_a_credential_of_systemd_comes_before_the_folder_of_keys(
    settings: Settings, tmp_path: Path
) -> None:
    write(settings.keys / "drm.toml", '[speke]\nuser = "folder"\n')
    # Where access lists guard the folder, its files look readable for the group.
    given = write(tmp_path / "given/drm.toml", '[speke]\nuser = "systemd"\n', 0o440)
    environ = {"CREDENTIALS_DIRECTORY": str(given.parent)}

    assert credentials.section(settings, "speke", environ)["user"] == "systemd"
    given.unlink()
    assert credentials.section(settings, "speke", environ)["user"] == "folder"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o666, 0o610])
def test_a_file_that_others_may_open_is_refused(settings: Settings, mode: int) -> None:
    path = write(settings.keys / "drm.toml", f'[speke]\nuser = "{CANARY}"\n', mode)

    with pytest.raises(PreconditionFailed, match=f"chmod 600 {path}") as caught:
        credentials.section(settings, "speke", NOWHERE)

    assert caught.value.code == "protection.credentials-open"
    assert CANARY not in str(caught.value)


def test_without_a_file_the_error_says_what_to_write(settings: Settings) -> None:
    with pytest.raises(PreconditionFailed, match=r"drm\.toml.*\[speke\]") as caught:
        credentials.section(settings, "speke", NOWHERE)

    assert caught.value.code == "protection.credentials-missing"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        (f'[speke]\nuser = "{CANARY}', "syntax"),
        (f'[speke]\nuser = {CANARY}\n"', "syntax"),
        (f"{CANARY}\n[speke]", "syntax"),
        (f'[other]\nuser = "{CANARY}"', "section"),
        (f'speke = "{CANARY}"', "section"),
        (f'[speke]\npassword = ["{CANARY}"]', "field"),
        ("[speke]\npassword = 17", "field"),
    ],
)
def test_a_damaged_file_is_named_but_never_quoted(
    settings: Settings, text: str, code: str
) -> None:
    path = write(settings.keys / "drm.toml", text)

    with pytest.raises(ConfigError) as caught:
        credentials.section(settings, "speke", NOWHERE)

    assert caught.value.code == f"protection.credentials-{code}"
    assert str(path) in caught.value.message
    assert "canary" not in f"{caught.getrepr(chain=True)}"
    assert caught.value.__context__ is None


def test_text_that_is_not_utf_8_is_not_quoted_either(settings: Settings) -> None:
    path = write(settings.keys / "drm.toml", "")
    path.write_bytes(b'[speke]\nuser = "\xff' + CANARY.encode() + b'"')

    with pytest.raises(ConfigError, match="not UTF-8") as caught:
        credentials.section(settings, "speke", NOWHERE)

    assert caught.value.__context__ is None


def test_a_missing_field_is_an_error_with_its_name(settings: Settings) -> None:
    write(settings.keys / "drm.toml", f'[speke]\nuser = "{CANARY}"\npassword = ""\n')
    found = credentials.section(settings, "speke", NOWHERE)

    for field in ("password", "token"):
        with pytest.raises(ConfigError, match=rf"\[speke\] has no “{field}”"):
            found[field]
    assert CANARY not in repr(found)
    assert CANARY not in str(found)


@pytest.mark.parametrize("value", [CANARY, "ab" * 31, "zz" * 32, "ab " * 32, ""])
def test_a_secret_of_the_wrong_form_is_not_quoted(
    settings: Settings, value: str
) -> None:
    write(settings.keys / "drm.toml", f'[widevine]\nkey = "{value}"\n')
    found = credentials.section(settings, "widevine", NOWHERE)

    with pytest.raises(ConfigError) as caught:
        found.secret_bytes("key", 32)

    assert not value or value not in caught.value.message
    assert caught.value.__context__ is None


def test_a_private_file_has_to_be_private_too(settings: Settings) -> None:
    write(settings.keys / "drm.toml", '[speke]\ndocument_key = "speke.pem"\n')
    found = credentials.section(settings, "speke", NOWHERE)

    with pytest.raises(PreconditionFailed, match=r"speke\.pem.*“document_key”"):
        found.private_file("document_key")
    pem = write(settings.keys / "speke.pem", "inside", 0o644)
    with pytest.raises(PreconditionFailed, match="chmod 600"):
        found.private_file("document_key")
    pem.chmod(0o600)
    assert found.private_file("document_key") == b"inside"


def test_keys_made_here_need_no_credentials(settings: Settings) -> None:
    assert isinstance(providers.provider(settings), LocalKeys)


@pytest.mark.parametrize("name", ["widevine", "speke"])
def test_services_need_them(settings: Settings, name: str) -> None:
    protection = Protection(keys_from=name, keys_url="https://keys.example/")
    chosen = replace(settings, protection=protection)

    with pytest.raises(MatineeError) as caught:
        providers.provider(chosen)

    assert caught.value.code == "protection.credentials-missing"

"""Rendering: whole, the same each time, and no setting becomes syntax of nginx."""

import random
import re
import string
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from appliance import browser_policy
from appliance.errors import ConfigError
from appliance.settings import Settings
from nginx import PRIVATE, render, trial, words
from nginx.roles import ROLES, chosen
from nginx.secrets import Secrets
from tests.doubles.certificates import certified
from tests.host.served_nginx import changed

_SECRETS = Secrets({"1": "ab" * 32, "2": "cd" * 32}, "ef" * 32)
_MARK = "zyx"
_ATTACKS = (
    f"; {_MARK} on;",
    f'"; {_MARK} on; "',
    f"'; {_MARK} on; '",
    f"}} {_MARK} {{",
    f"\n{_MARK} on;\n",
    f"\r{_MARK}",
    f"x # {_MARK}",
    f"${_MARK}",
    f"${{{_MARK}}}",
    f"\\{_MARK}",
    f"{{{{ {_MARK} }}}}",
    f"{{% raw %}}{_MARK}",
    f"\0{_MARK}",
    f"a {_MARK}",
    f"a\t{_MARK}",
    f"a\u2028{_MARK};",
    f"a\x0b{_MARK}",
    f"~{_MARK}",
    f"*.{_MARK}",
    f"https://films.example/;{_MARK}",
    f"https://films.example;{_MARK} on;",
    f"https://a b{_MARK}",
    f"https://[::1]{_MARK};",
    f"10.0.0.0/8; {_MARK}",
    f"/srv/x;{_MARK}",
    f"/srv/x {_MARK}",
    f"/srv/$host{_MARK}",
    f"/srv/{{{_MARK}",
    f"https://a.example, https://b.example; {_MARK}",
)
_SECTIONS = ("portal", "web", "nginx", "origin", "edge", "cdn", "storage", "uploads")


@pytest.fixture
def plain(tmp_path: Path) -> Settings:
    """Settings for nginx on free ground, with TLS left out."""
    found = Settings(home=tmp_path / "home")
    place = str(tmp_path)
    return changed(
        found, "nginx", run=place, log=place, cache=place, http_port=8180, user=""
    )


def _texts() -> Iterator[tuple[str, str]]:
    for name in _SECTIONS:
        kind = get_type_hints(Settings)[name]
        for field, hint in get_type_hints(kind).items():
            if hint is str:
                yield name, field


def _rendered(settings: Settings, *roles: str) -> dict[str, str]:
    return dict(render(settings, _SECRETS, roles or tuple(ROLES)[:2]))


@pytest.mark.parametrize(("section", "field"), list(_texts()))
def test_no_text_of_a_setting_becomes_syntax(
    plain: Settings, section: str, field: str
) -> None:
    known = _known(plain)

    for attack in _ATTACKS:
        try:
            hostile = _rendered(changed(plain, section, **{field: attack}))
        except ConfigError:
            continue
        assert _MARK not in "".join(hostile.values()), attack
        assert _directives(hostile) <= known, attack


def test_no_random_text_becomes_syntax(plain: Settings) -> None:
    """Whatever is let through: nginx reads the directives that templates name."""
    chance = random.Random(20260102)
    alphabet = string.ascii_letters + "/.:-_[]" + "\"'\\;{}$#~*%,@ \t\n\r\0é"
    known, taken = _known(plain), 0

    for _ in range(300):
        section, field = chance.choice(list(_texts()))
        text = "".join(chance.choices(alphabet, k=chance.randint(1, 9)))
        for start in ("", "/", "https://films.example/", "10.0.0.0/"):
            try:
                found = _rendered(changed(plain, section, **{field: start + text}))
            except ConfigError:
                continue
            taken += 1
            assert _directives(found) <= known, (section, field, start + text)
    assert taken > 20


_TOKEN = re.compile(r"""#[^\n]*|"(?:\\.|[^"])*"|'(?:\\.|[^'])*'|[;{}]|[^\s;{}"']+""")


def _known(plain: Settings) -> set[str]:
    """Return all directives that the templates name, whatever the settings."""
    full = changed(plain, "nginx", tls_certificate="/a", tls_key="/b", user="www-data")
    full = changed(full, "portal", public_url="https://films.example")
    return _directives(_rendered(full)) | _directives(_rendered(plain))


def _directives(files: dict[str, str]) -> set[str]:
    """Return the names of the directives, as nginx itself splits a text into words."""
    found: set[str] = set()
    for name, text in files.items():
        first = True
        for word in _TOKEN.findall(text) if name.endswith(".conf") else ():
            if word.startswith("#"):
                continue
            # In maps and types any word may come first; it is one of ours there too.
            if first and word not in "{}" and not word.startswith('"http'):
                found.add(word)
            first = word in ";{}"
    return found


@pytest.mark.parametrize(
    "value",
    [f"a{c}b" for c in ";{}\"'\\$ \t\n\r\0#~*%,@()|<>&?=!^`"] + ["", True, None],
)
def test_templates_can_put_in_nothing_but_plain_words(value: Any) -> None:
    if value in (True, None):
        assert words.harmless(value) in ("True", "None")
        return
    with pytest.raises(ConfigError):
        words.harmless(value)


def test_text_is_quoted_or_refused() -> None:
    assert words.quoted("a; b{c} 'd'") == "\"a; b{c} 'd'\""
    for wrong in ('"', "\\", "$host", "a\nb", "\0"):
        with pytest.raises(ConfigError):
            words.quoted(wrong)


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("nginx", {"roles": "portal, landlord"}),
        ("nginx", {"roles": ""}),
        ("nginx", {"workers": "many"}),
        ("nginx", {"workers": "0"}),
        ("nginx", {"http_port": 0}),
        ("nginx", {"http_port": 70000}),
        ("nginx", {"address": "here"}),
        ("nginx", {"address": "fe80::1%eth0"}),
        ("nginx", {"run": "relative/path"}),
        ("nginx", {"internal_networks": "everybody"}),
        ("nginx", {"tls_certificate": "/etc/a.pem"}),
        ("origin", {"cors_origins": "shop.example"}),
        ("origin", {"cors_origins": "*"}),
        ("origin", {"cors_origins": "https://a.example/path"}),
        ("portal", {"public_url": "https://films_of.example/"}),
        ("portal", {"public_url": "https://films.example:99999/"}),
        ("web", {"socket": "web.sock"}),
    ],
)
def test_what_nginx_cannot_be_given_is_refused_in_a_sentence(
    plain: Settings, section: str, values: dict[str, Any]
) -> None:
    named = changed(plain, section, **values)

    with pytest.raises(ConfigError) as refused:
        render(named, _SECRETS)

    assert refused.value.message.endswith(".")


def test_the_same_settings_give_the_same_text(plain: Settings) -> None:
    assert _rendered(plain) == _rendered(plain)


def test_secrets_stand_in_private_files_only(plain: Settings) -> None:
    for token in ("md5", "hmac-sha256"):
        files = _rendered(changed(plain, "origin", token=token))
        for name, text in files.items():
            holds = any(each in text for each in (*_SECRETS.media.values(), "ef" * 32))
            # It is empty without an object storage: see test_nginx_objects.
            assert holds == (name in PRIVATE - {"object_secrets.conf"}), name
    assert "abab" not in repr(_SECRETS)


@pytest.mark.parametrize("roles", [("portal",), ("origin",), ("portal", "origin")])
@pytest.mark.parametrize("token", ["md5", "hmac-sha256"])
@pytest.mark.parametrize(
    "url",
    ["", "http://films.example", "http://[::1]:8180", "https://films.example"],
)
def test_nginx_and_gixy_take_every_mixture(
    plain: Settings, tmp_path: Path, roles: tuple[str, ...], token: str, url: str
) -> None:
    settings = changed(plain, "origin", token=token, cors_origins="https://a.example")
    if url.startswith("https"):
        pem = tmp_path / "tls.pem"
        pem.write_bytes(certified("films.example"))
        settings = changed(
            settings, "nginx", tls_certificate=str(pem), tls_key=str(pem)
        )
    settings = changed(settings, "portal", public_url=url)
    folder = tmp_path / "rendered"

    trial.write(_rendered(settings, *roles), folder)
    found = trial.examine(folder)

    grave = [each for each in found if each.grave]
    assert grave == []
    if url:
        assert [each for each in found if each.source == "gixy"] == []


def test_every_file_is_rendered_for_somebody() -> None:
    templates = Path(words.__file__).parent / "templates"
    there = {
        str(path.relative_to(templates)).removesuffix(".j2")
        for path in templates.rglob("*.conf.j2")
    }
    used = {
        name
        for role in ROLES.values()
        for name in (role.server, role.media, *role.http, *role.includes)
    }

    everywhere = set(chosen(Settings(Path("/")), ("portal",)).files)

    assert sorted(there - used - everywhere) == []


def test_the_headers_are_those_of_the_application(plain: Settings) -> None:
    text = _rendered(plain)["headers/security.conf"]

    for name, value in browser_policy.headers():
        assert f'add_header {name} "{value}" always;' in text

"""Takes secrets out of texts that leave the house: those known here, and lookalikes.

What is known to be secret is replaced wherever it stands. What only looks like it goes
by the words before it, and by its shape: too much is hidden rather than too little.
"""

import os
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from appliance.settings import Settings

HIDDEN = "[hidden]"
_SHORTEST = 6
_NAMES = (
    r"pass(?:word|wd|phrase)?|pwd|secret|token|api[_-]?key|access[_-]?key|credential"
    r"|signature|private[_-]?key|authori[sz]ation|cookie|otp|recovery|bearer|hdnts"
)
_NOT_YET = r"(?!\[hidden\])"
_SHAPES = (
    # Private keys, whole.
    re.compile(
        r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.DOTALL
    ),
    # Headers, to the end of their line or of the text that they are quoted in.
    re.compile(
        r"(?i)((?:proxy-)?authorization|(?:set-)?cookie"
        r"|x-[a-z-]*(?:secret|token|key|auth)[a-z-]*)(\"?\s*[:=]\s*\"?)"
        rf"{_NOT_YET}[^\r\n]*?(?=\\r|\\n|\"[,}}\]]|'[,}}\]]|[\r\n]|\Z)"
    ),
    re.compile(r"(?i)\b(bearer|basic|digest)(\s+)[A-Za-z0-9+/_.=~-]{6,}"),
    # name=value and "name": "value", whatever stands around the name.
    re.compile(
        rf"(?i)([\"']?\b[\w.-]*(?:{_NAMES})[\w.-]*[\"']?)(\s*[:=]\s*){_NOT_YET}"
        r"(?:\"(?:[^\"\\]|\\.)*\"|'[^']*'|[^\s,;&\"'})\]]+)"
    ),
    # What stands before the host of an address, and after its path.
    re.compile(rf"(\b[a-z][a-z0-9+.-]*://)(){_NOT_YET}[^/\s@\"']+(?=@)"),
    re.compile(rf"((?:https?://|/)[^\s?\"'<>]*)(\?){_NOT_YET}[^\s\"'<>]+"),
    # Tokens: in paths, those that sign films, and those of other houses (JWT).
    re.compile(rf"(/media|/setup|/invite|/reset)(/){_NOT_YET}[A-Za-z0-9._~-]{{16,}}"),
    re.compile(r"()()\b\d\.\d+\.\d{10}\.[\w-]+\.\w+\.[\w-]{16,}"),
    re.compile(r"()()\beyJ[\w-]{8,}\.[\w-]+\.[\w-]+"),
)
# Nobody writes such words; ids of requests, and of what we keep, are shorter.
_RANDOM = re.compile(r"(?<![\w+-])(?=[\w+-]*\d)[A-Za-z0-9_+-]{40,}={0,2}(?![\w+-])")
_VARIABLE = re.compile(
    r"(?i)passw|secret|token|api_?key|credential|_key$|_url$|proxy|^matinee_"
)
_MAIL = re.compile(r"\b[\w.+-]+@(?=[\w-]+\.[\w.-]+)")


class Redactor:
    """Takes out of texts what is secret here."""

    def __init__(self, known: Iterable[str]) -> None:
        # Longer ones first: one may be a part of another.
        usable = {each for each in known if len(each) >= _SHORTEST}
        forms = {form for each in usable for form in (each, quote(each, safe=""))}
        self._known = sorted(forms, key=len, reverse=True)

    def text(self, text: str) -> str:
        """Return the text with ``[hidden]`` in the place of every secret."""
        for secret in self._known:
            text = text.replace(secret, HIDDEN)
        for shape in _SHAPES:
            text = shape.sub(_without_value, text)
        return _MAIL.sub(f"{HIDDEN}@", _RANDOM.sub(HIDDEN, text))

    def document(self, value: Any) -> Any:
        """Return a JSON value with its texts redacted."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, dict):
            return {key: self.document(each) for key, each in value.items()}
        if isinstance(value, list | tuple):
            return [self.document(each) for each in value]
        return value


def _without_value(found: re.Match[str]) -> str:
    return "".join([*(each or "" for each in found.groups()), HIDDEN])


def known(settings: Settings, environ: Mapping[str, str] | None = None) -> set[str]:
    """Return what is secret on this machine, as far as this process may read it."""
    found = os.environ if environ is None else environ
    texts = [
        value
        for name, value in found.items()
        if _VARIABLE.search(name) and not value.startswith("/")
    ]
    texts += _of_settings(settings)
    folders = [
        settings.keys,
        Path(found.get("CREDENTIALS_DIRECTORY") or "/nonexistent"),
    ]
    paths = [path for folder in folders for path in _files(folder)]
    paths += [Path(path) for path in _named(settings)]
    texts += [word for path in paths for word in _words(path)]
    return {word for text in texts for word in _parts(text.strip())}


def _of_settings(settings: Settings) -> Iterator[str]:
    for section in fields(settings):
        values = getattr(settings, section.name)
        if is_dataclass(values):
            for each in fields(values):
                value = getattr(values, each.name)
                if isinstance(value, str) and (not each.repr or "@" in value):
                    yield value


def _named(settings: Settings) -> Iterator[str]:
    for section in fields(settings):
        named = getattr(getattr(settings, section.name), "credentials", "")
        if isinstance(named, str) and named:
            yield named


def _files(folder: Path) -> list[Path]:
    try:
        return [path for path in folder.rglob("*") if path.is_file()]
    except OSError:
        return []


def _words(path: Path) -> list[str]:
    """Return what is secret in a file: its lines, or the values of its sections."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return []
    try:
        return list(_strings(tomllib.loads(text)))
    except tomllib.TOMLDecodeError:
        return text.splitlines()


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    for each in value.values() if isinstance(value, dict) else ():
        yield from _strings(each)


def _parts(text: str) -> Iterator[str]:
    """Yield the secret of a text: of an address only what opens it."""
    if "://" not in text:
        yield text
        return
    try:
        password = urlsplit(text).password or ""
    except ValueError:
        yield text
        return
    yield from (password, unquote(password))

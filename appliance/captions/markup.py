"""The text of a cue: what SubRip, players and people put into it, made harmless.

What remains are the tags of WebVTT that say how a word is spoken or set: ``i`` ``b``
``u`` ``c`` ``v`` ``lang`` ``ruby`` ``rt``. Everything else goes; of scripts and style
sheets what is in them goes too. A lone ``<`` stays as a character.
"""

import html
import re
from collections.abc import Iterator

LONGEST_TEXT = 2_000

_TAG = re.compile(
    r"<(?P<end>/?)(?P<name>[A-Za-z][A-Za-z0-9]{0,15})"
    r"(?P<classes>(?:\.[\w-]{1,40}){0,8})(?P<rest>[\s/][^<>]{0,300})?>",
    re.ASCII,
)
_COMMENT = re.compile(r"<(?:!|\?|\d{1,4}:)[^<>]{0,300}>")
_SILENT = re.compile(r"<(script|style)\b[^<>]*>", re.IGNORECASE)
_PLAIN = frozenset({"i", "b", "u", "c", "ruby", "rt"})
_SAID_WITH = frozenset({"v", "lang"})
_SAME = {"em": "i", "strong": "b"}
_BREAK = re.compile(r"<br\s{0,4}/?>|\\N|\r\n|\r|\u2028|\u2029", re.IGNORECASE)
# Only line feeds are left of control characters, and no marks that turn text around.
_CONTROL = re.compile(r"[\0-\x09\x0b-\x1f\x7f-\x9f\ufeff\u202a-\u202e\ufff9-\ufffb]")
_OVERRIDE = re.compile(r"\{\\[^{}]{0,200}\}")
_SPACES = re.compile(r"[ \t\u00a0]+")
_WORDS = re.compile(r"[^\w \-.’'&,()]+")


def clean(text: str) -> str:
    """Return the payload of a cue in WebVTT; empty when nothing can be seen."""
    text = _without_silent(_BREAK.sub("\n", text[: 2 * LONGEST_TEXT]))
    text = _COMMENT.sub("", _OVERRIDE.sub("", text))
    return _lines("".join(_parts(text))[: LONGEST_TEXT * 2])


def plain(text: str) -> str:
    """Return what a viewer reads of a payload, without tags."""
    return html.unescape(_TAG.sub("", text))


def escaped(text: str) -> str:
    """Return plain text as a payload."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _without_silent(text: str) -> str:
    """Drop scripts and style sheets with all that is in them."""
    kept, at = [], 0
    while opened := _SILENT.search(text, at):
        kept.append(text[at : opened.start()])
        end = re.compile(rf"</{opened[1]}\s*>", re.IGNORECASE).search(
            text, opened.end()
        )
        at = end.end() if end else len(text)
    return "".join([*kept, text[at:]])


def _parts(text: str) -> Iterator[str]:
    """Yield text and tags; every tag that is opened is closed, in the right order."""
    open_tags: list[str] = []
    at = 0
    for found in _TAG.finditer(text):
        yield _words(text[at : found.start()])
        at = found.end()
        name = found["name"].lower()
        name = _SAME.get(name, name)
        if not found["end"]:
            tag = _opening(name, found["classes"], found["rest"] or "")
            if tag:
                open_tags.append(name)
                yield tag
        elif name in open_tags:
            while True:
                last = open_tags.pop()
                yield f"</{last}>"
                if last == name:
                    break
    yield _words(text[at:])
    for name in reversed(open_tags):
        yield f"</{name}>"


def _opening(name: str, classes: str, rest: str) -> str:
    if name in _PLAIN:
        return f"<{name}{classes}>"
    said = " ".join(_WORDS.sub("", html.unescape(rest)).split())[:80]
    if name in _SAID_WITH and said:
        return f"<{name}{classes} {escaped(said)}>"
    return ""


def _words(text: str) -> str:
    return escaped(_CONTROL.sub("", html.unescape(text)))


def _lines(text: str) -> str:
    """Trim the lines; an empty one would end the cue."""
    lines = [_SPACES.sub(" ", line).strip() for line in text.split("\n")]
    kept = "\n".join(line for line in lines if line)
    return kept if plain(kept).strip() else ""

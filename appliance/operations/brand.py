"""The brand of an installation: its name, logo and colour, and its own texts."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from appliance import preferences
from appliance.catalog import pictures
from appliance.catalog.pictures import Format, Shape
from appliance.db import Database, write
from appliance.errors import InvalidInput, NotFound
from appliance.events import Event, record
from appliance.operations import colours
from appliance.permissions import Action, Actor, check
from appliance.settings import Settings
from appliance.storage import Storage

_KEY = "brand"
_FOLDER = "brand"
_LOGO_SIZE = (640, 160)
_LONGEST_NAME = 60
_LOGO = Shape(0, 0, (_LOGO_SIZE[0],))
_LOGO_NAME = re.compile(r"[0-9a-f]{16}")
_LANGUAGE = re.compile(r"[a-z]{2,3}")


class Text(StrEnum):
    """What an installation says of itself; each may stand in several languages."""

    WELCOME = "welcome"
    IMPRINT = "imprint"
    PRIVACY = "privacy"


LONGEST: Mapping[Text, int] = {
    Text.WELCOME: 500,
    Text.IMPRINT: 20_000,
    Text.PRIVACY: 100_000,
}


@dataclass(frozen=True, slots=True)
class Brand:
    """How an installation looks; ``colour`` is ``#rrggbb``, empty as it comes.

    ``logo`` names its picture, ``texts`` hold for each kind the words by language.
    """

    name: str
    colour: str = ""
    logo: str = ""
    texts: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    revision: int = 0

    def text(self, kind: Text | str, language: str = "") -> str:
        """Return a text in a language, else in the first that it was written in."""
        said = self.texts.get(kind, {})
        return said.get(language) or next(iter(said.values()), "")


def read(db: Database, settings: Settings) -> Brand:
    """Return the brand; a name that nobody changed is that of the settings."""
    kept = preferences.read(db, _KEY)
    value = kept.value
    return Brand(
        name=value.get("name") or settings.portal.name,
        colour=value.get("colour", ""),
        logo=value.get("logo", ""),
        texts=value.get("texts", {}),
        revision=kept.revision,
    )


def change(
    db: Database,
    settings: Settings,
    actor: Actor,
    *,
    name: str | None = None,
    colour: str | None = None,
    texts: Mapping[str, Mapping[str, str]] | None = None,
    revision: int | None = None,
) -> Brand:
    """Change what is given; of ``texts`` the kinds and languages that are named.

    An empty name, colour or text goes back to what comes with Matinee.
    Errors: ``InvalidInput``, ``Conflict``, ``Forbidden``.
    """
    check(actor, Action.PORTAL_BRAND)
    changes: dict[str, Any] = {}
    if name is not None:
        changes["name"] = _name(name)
    if colour is not None:
        changes["colour"] = _colour(colour)
    with write(db):
        kept = preferences.read(db, _KEY).value
        if texts is not None:
            changes["texts"] = _merged(kept.get("texts", {}), texts)
        return _store(db, settings, actor, dict(kept), changes, revision)


def set_logo(
    db: Database,
    storage: Storage,
    settings: Settings,
    actor: Actor,
    image: Path | None,
    revision: int | None = None,
) -> Brand:
    """Put a picture in the place of the name, or with None take it away.

    Errors: ``InvalidInput`` when it is no picture, ``Conflict``, ``Forbidden``.
    """
    check(actor, Action.PORTAL_BRAND)
    logo = "" if image is None else _keep(storage, image)
    with write(db):
        kept = preferences.read(db, _KEY).value
        return _store(db, settings, actor, dict(kept), {"logo": logo}, revision)


def logo_file(storage: Storage, name: str) -> Path:
    """Return the file of a logo, a PNG. Errors: ``NotFound``."""
    if not _LOGO_NAME.fullmatch(name):
        raise NotFound("brand.logo", "There is no such logo.")
    return storage.existing(_place(name))


def style(brand: Brand) -> str:
    """Return the style sheet that sets the colours; empty as they come."""
    if not brand.colour:
        return ""
    dark, light = colours.palettes(brand.colour)
    return (
        "@layer tokens {\n"
        + "".join(
            f"  {where} {{ --accent: {each.accent}; --accent-solid: {each.solid};"
            f" --accent-hover: {each.hover}; --progress: {each.progress}; }}\n"
            for where, each in ((":root", dark), (':root[data-theme="light"]', light))
        )
        + "}\n"
    )


def _store(
    db: Database,
    settings: Settings,
    actor: Actor,
    kept: Mapping[str, Any],
    changes: Mapping[str, Any],
    revision: int | None,
) -> Brand:
    changed = sorted(each for each in changes if changes[each] != kept.get(each))
    if changed:
        preferences.change(db, actor, _KEY, {**kept, **changes}, revision)
        record(db, actor, Event.BRAND_CHANGE, "brand/portal", fields=changed)
    return read(db, settings)


def _name(text: str) -> str:
    name = " ".join(text.split())
    if len(name) > _LONGEST_NAME or not name.isprintable():
        raise _refusal("name", f"The name may have {_LONGEST_NAME} characters at most.")
    return name


def _colour(text: str) -> str:
    colour = text.strip().lower()
    if not colour:
        return ""
    if not colours.is_colour(colour):
        raise _refusal("colour", "Write the colour as #rrggbb, such as #3d5afe.")
    if not colours.readable(colour):
        nearest = colours.nearest_readable(colour)
        raise _refusal(
            "colour",
            f"White text can’t be read on {colour}: take {nearest} or a darker one.",
        )
    return colour


def _merged(
    kept: Mapping[str, Mapping[str, str]], texts: Mapping[str, Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    merged = {kind: dict(said) for kind, said in kept.items()}
    for kind, said in texts.items():
        if kind not in tuple(Text):
            raise _refusal("texts", f"The texts are: {', '.join(Text)}.")
        for language, text in said.items():
            merged.setdefault(kind, {})[language] = _text(Text(kind), language, text)
    return {
        kind: {language: text for language, text in said.items() if text}
        for kind, said in merged.items()
    }


def _text(kind: Text, language: str, text: str) -> str:
    if not _LANGUAGE.fullmatch(language):
        raise _refusal(kind, "The language is a code such as “en” or “de”.")
    cleaned = text.replace("\r\n", "\n").replace("\0", "").strip()
    if len(cleaned) > LONGEST[kind]:
        raise _refusal(
            kind, f"This text may have {LONGEST[kind]:,} characters at most."
        )
    return cleaned


def _keep(storage: Storage, image: Path) -> str:
    whole = pictures.crop(pictures.read(image, _LOGO), _LOGO, (0.5, 0.5))
    whole.thumbnail(_LOGO_SIZE)
    png = pictures.written(whole, Format.PNG)
    name = hashlib.sha256(png).hexdigest()[:16]
    storage.write(_place(name), png)
    return name


def _place(name: str) -> str:
    return f"{_FOLDER}/logo-{name}.png"


def _refusal(field_name: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"brand.{field_name}", sentence, {"field": field_name})

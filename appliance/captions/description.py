"""What is told of captions besides their text, in menus and in the rows of tracks."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from appliance.captions import languages
from appliance.captions.cues import Captions
from appliance.errors import InvalidInput

FILE = "text.vtt"
AUTO = " (auto)"
_LONGEST_NAME = 60


class Origin(StrEnum):
    SOURCE = "source"
    UPLOAD = "upload"
    AUTO = "auto"


class Role(StrEnum):
    """For whom captions are; ``caption`` also tells what is heard besides speech."""

    SUBTITLE = "subtitle"
    CAPTION = "caption"
    FORCED = "forced-subtitle"


@dataclass(frozen=True, slots=True)
class Description:
    """What is told of captions besides their text; an empty name is the language's."""

    language: str
    name: str
    role: Role

    @classmethod
    def of(cls, language: str, name: str = "", role: str = "subtitle") -> "Description":
        """Check what somebody typed. Errors: ``InvalidInput``."""
        tag = languages.tag(language)
        said = " ".join(name.replace('"', "'").split())
        if len(said) > _LONGEST_NAME or not said.isprintable():
            raise InvalidInput(
                "captions.name",
                f"The name of captions has at most {_LONGEST_NAME} characters.",
                {"field": "name"},
            )
        if role not in frozenset(Role):
            raise InvalidInput(
                "captions.role",
                f"Captions are one of: {', '.join(Role)}.",
                {"field": "role"},
            )
        return cls(tag, said or languages.name(tag), Role(role))


def entry(
    public_id: str,
    described: Description,
    captions: Captions,
    facts: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what the row of a track says, besides where its file is."""
    auto = facts.get("origin") == Origin.AUTO and not facts.get("reviewed_at")
    told = {
        "captions": public_id,
        **{name: value for name, value in facts.items() if value},
        "file": FILE,
        "name": described.name,
        "cues": len(captions.cues),
    }
    return {
        "id": public_id,
        "kind": "text",
        "name": f"text-{described.language}",
        "codec": "wvtt",
        "language": described.language,
        "label": described.name + (AUTO if auto else ""),
        "role": described.role.value,
        "facts": told,
    }

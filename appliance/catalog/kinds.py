"""Kinds of titles, and which of them belongs to which.

What belongs to something is one level deep: episodes and extras hang on a title that
hangs on nothing, so no title can be a part of itself.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

from appliance.errors import InvalidInput


class Kind(StrEnum):
    """What a title is."""

    FILM = "film"
    DOCUMENTARY = "documentary"
    TRAINING = "training"
    SERIES = "series"
    COURSE = "course"
    EPISODE = "episode"
    TRAILER = "trailer"
    EXTRA = "extra"


WORDS: Mapping[Kind, str] = {
    Kind.FILM: "film",
    Kind.DOCUMENTARY: "documentary",
    Kind.TRAINING: "training video",
    Kind.SERIES: "series",
    Kind.COURSE: "course",
    Kind.EPISODE: "episode",
    Kind.TRAILER: "trailer",
    Kind.EXTRA: "extra",
}
"""What each kind is called in a sentence."""

_ONE = {
    kind: f"{'An' if word[0] in 'aeiou' else 'A'} {word}"
    for kind, word in WORDS.items()
}

CONTAINERS = frozenset({Kind.SERIES, Kind.COURSE})
"""Kinds that have episodes and no film of their own."""

EXTRAS = frozenset({Kind.TRAILER, Kind.EXTRA})
"""Kinds that accompany another title."""

PARTS = EXTRAS | {Kind.EPISODE}
"""Kinds that belong to another title, and stand in no list without it."""


class Placed(Protocol):
    """What is asked here of a title."""

    @property
    def kind(self) -> Kind: ...
    @property
    def name(self) -> str: ...
    @property
    def parent_id(self) -> int | None: ...


def require_place(
    kind: Kind, parent: Placed | None, season: int | None, episode: int | None
) -> None:
    """Refuse a title of ``kind`` that does not fit where it is put.

    Errors: ``InvalidInput``, with the name of the field in its details.
    """
    word = WORDS[kind]
    if kind not in PARTS:
        if parent is not None:
            raise refusal("parent", f"{_ONE[kind]} does not belong to another title.")
    elif parent is None:
        raise refusal("parent", f"Say what the {word} belongs to.")
    elif parent.parent_id is not None:
        raise refusal(
            "parent",
            f"“{parent.name}” belongs to another title itself: choose the film,"
            " series or course that it belongs to.",
        )
    elif kind is Kind.EPISODE and parent.kind not in CONTAINERS:
        raise refusal(
            "parent",
            f"“{parent.name}” is a {WORDS[parent.kind]}: an episode belongs to a"
            " series or a course.",
        )
    if kind is not Kind.EPISODE and episode is not None:
        raise refusal("episode_number", f"{_ONE[kind]} has no number of an episode.")
    if kind not in PARTS and season is not None:
        raise refusal("season_number", f"{_ONE[kind]} is in no season.")


def refusal(field: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"title.{field}", sentence, {"field": field})

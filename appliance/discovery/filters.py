"""What a list of titles is filtered by and how it is sorted.

A filter is plain words, so that the address of a page, a rule of the home page, the API
and a command carry the same.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Self

from appliance.catalog import slugs
from appliance.catalog.kinds import PARTS, Kind
from appliance.errors import InvalidInput

KINDS = tuple(kind.value for kind in Kind if kind not in PARTS)
SORTS = ("newest", "oldest", "name", "year", "shortest", "longest")
_LONGEST = 100
_MINUTES = re.compile(r"(\d{0,4})-(\d{0,4})")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class Filters:
    """Empty: not filtered by it.

    ``genre`` and ``tag`` are slugs; ``language`` is one that is spoken, ``captions``
    one of captions, or ``any``; ``rating`` an age up to which a title is suitable;
    ``minutes`` a span as ``-30``, ``30-90``, ``90-``.
    """

    kind: str = ""
    genre: str = ""
    tag: str = ""
    language: str = ""
    captions: str = ""
    rating: str = ""
    year_from: str = ""
    year_to: str = ""
    minutes: str = ""
    sort: str = "newest"

    @classmethod
    def read(cls, given: Mapping[str, object]) -> Self:
        """Read what somebody asked for. Errors: ``InvalidInput`` names the field."""
        known = set(cls.names())
        words = {
            name: str(value).strip()
            for name, value in given.items()
            if value not in (None, "")
        }
        for name in words.keys() - known:
            raise _wrong(
                name, f"There is no filter “{name[:40]}”: {', '.join(sorted(known))}."
            )
        read = cls(**{name: value for name, value in words.items() if value})
        for name, check in _CHECKS.items():
            value = getattr(read, name)
            if value:
                check(name, value)
        return read

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Return what can be filtered by, and the sorting."""
        return tuple(each.name for each in fields(cls))

    @property
    def empty(self) -> bool:
        """Whether everything is listed, in whatever order."""
        return not any(name != "sort" for name in self.as_words())

    def as_words(self) -> dict[str, str]:
        """Return what is set, as an address or a rule holds it."""
        return {
            name: value
            for name, value in asdict(self).items()
            if value and (name, value) != ("sort", "newest")
        }

    def where(self) -> tuple[list[str], dict[str, object]]:
        """Return conditions on the table titles, with their parameters."""
        words = self.as_words()
        clauses = [_WHERE[name] for name in words if name in _WHERE]
        params: dict[str, object] = {
            f"filter_{name}": int(words[name]) if name in _NUMBERS else words[name]
            for name in words
            if name in _WHERE
        }
        if self.minutes:
            least, most = _span(self.minutes)
            clauses.append("titles.runtime_seconds >= :filter_least")
            clauses.append("titles.runtime_seconds < :filter_most")
            params |= {"filter_least": least * 60, "filter_most": most * 60}
        return clauses, params

    def order(self) -> str:
        """Return what a list is ordered by; each is one index or a part of one."""
        return _ORDER[self.sort]


def _one_of(allowed: tuple[str, ...]) -> Callable[[str, str], None]:
    def check(name: str, value: str) -> None:
        if value not in allowed:
            raise _wrong(name, f"This is one of: {', '.join(allowed)}.")

    return check


def _year(name: str, value: str) -> None:
    if not (value.isascii() and value.isdigit() and 1800 <= int(value) <= 2200):
        raise _wrong(name, "A year is a number as 1994.")


def _age(name: str, value: str) -> None:
    if not (value.isascii() and value.isdigit() and int(value) <= 21):
        raise _wrong(name, "An age is a number from 0 to 21.")


def _some_minutes(name: str, value: str) -> None:
    least, most = _span(value)
    if least >= most:
        raise _wrong(name, "A length is written in minutes, as -30, 30-90 or 90-.")


def _short(name: str, value: str) -> None:
    if len(value) > _LONGEST or slugs.slug(value) != value:
        raise _wrong(name, "This is the short name that stands in addresses.")


def _tongue(name: str, value: str) -> None:
    if not _LANGUAGE.fullmatch(value) and (name, value) != ("captions", "any"):
        raise _wrong(name, "A language is written as en or pt-BR.")


_CHECKS = {
    "kind": _one_of(KINDS),
    "genre": _short,
    "tag": _short,
    "language": _tongue,
    "captions": _tongue,
    "rating": _age,
    "year_from": _year,
    "year_to": _year,
    "minutes": _some_minutes,
    "sort": _one_of(SORTS),
}


def _wrong(name: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"filter.{name[:40]}", sentence, {"field": name})


def _span(text: str) -> tuple[int, int]:
    """Return the minutes from and to before; (0, 0) is no span."""
    found = _MINUTES.fullmatch(text)
    if not found or text == "-":
        return 0, 0
    return int(found[1] or 0), int(found[2] or 100_000)


_NUMBERS = frozenset({"rating", "year_from", "year_to"})
_TRACKS = """exists (
    select 1 from assets
    join tracks on tracks.asset_id = assets.id
    where assets.title_id in (
        select titles.id
        union all select part.id from titles part where part.parent_id = titles.id
    )
    and assets.state = 'ready' and tracks.retired_at is null
    and tracks.kind = '{kind}' and {language}
)"""
# “en” is also found as en-GB, which sorts between “en” and “en.”.
_TONGUE = (
    "tracks.language >= :filter_{name} and tracks.language < :filter_{name} || '.'"
)
_WHERE: Mapping[str, str] = {
    "kind": "titles.kind = :filter_kind",
    "genre": """titles.id in (
        select title_id from title_genres where genre_id = (
            select id from genres where slug = :filter_genre
        )
    )""",
    "tag": """titles.id in (
        select title_id from title_tags where tag_id = (
            select id from tags where slug = :filter_tag
        )
    )""",
    "language": _TRACKS.format(kind="audio", language=_TONGUE.format(name="language")),
    "captions": _TRACKS.format(
        kind="text",
        language=f"(:filter_captions = 'any' or {_TONGUE.format(name='captions')})",
    ),
    "rating": "titles.age <= :filter_rating",
    "year_from": "titles.year >= :filter_year_from",
    "year_to": "titles.year <= :filter_year_to",
}
_ORDER: Mapping[str, str] = {
    "newest": "titles.published_at desc, titles.id desc",
    "oldest": "titles.published_at, titles.id",
    "name": "titles.name collate nocase, titles.id",
    "year": "titles.year desc, titles.id desc",
    "shortest": "coalesce(titles.runtime_seconds, 1e9), titles.id",
    "longest": "titles.runtime_seconds desc, titles.id desc",
}

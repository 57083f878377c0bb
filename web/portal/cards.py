"""Titles as the cards that grids and rows show."""

from collections.abc import Iterable

from appliance.catalog.titles import Title
from appliance.discovery.home import Card


def of_titles(titles: Iterable[Title]) -> tuple[Card, ...]:
    return tuple(_card(title) for title in titles)


def _card(title: Title) -> Card:
    return Card(
        slug=title.slug,
        name=title.name,
        synopsis=title.synopsis,
        year=title.year,
        rating=title.rating,
        genres=title.genres,
        minutes=round(title.runtime_seconds / 60) if title.runtime_seconds else None,
        art=title.backdrop,
        poster=title.poster,
        progress=None,
        minutes_left=None,
        new=False,
    )

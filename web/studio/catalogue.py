"""The pages that describe titles and people, as a table of addresses."""

from collections.abc import Callable
from typing import Any

from web.studio import artwork, credits, describing, people, seasons, translations

_TITLE = "/titles/<slug>"
_PICTURE = f"{_TITLE}/pictures/<picture>"
_PERSON = "/people/<slug>"

PAGES: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("/new", "new_title", describing.new),
    (f"{_TITLE}/credits", "credits", credits.page),
    (f"{_TITLE}/translations", "translations", translations.page),
    (f"{_TITLE}/seasons", "seasons", seasons.page),
    (f"{_TITLE}/artwork", "artwork", artwork.page),
    (f"{_PICTURE}/source.jpg", "artwork_source", artwork.source),
    ("/people", "people", people.index),
    ("/people.json", "suggest_people", credits.suggest),
    (_PERSON, "person", people.show),
    (f"{_PERSON}/remove", "confirm_removing_person", people.confirm_removal),
)

ACTS: tuple[tuple[str, str, Callable[..., Any]], ...] = (
    ("/new", "create_title", describing.create),
    (f"{_TITLE}/credits", "save_credits", credits.save),
    (f"{_TITLE}/translations", "save_translations", translations.save),
    (f"{_TITLE}/seasons", "add_season", seasons.add),
    (f"{_TITLE}/seasons/order", "arrange_seasons", seasons.arrange),
    (f"{_TITLE}/seasons/<int:number>", "save_season", seasons.save),
    (f"{_TITLE}/artwork", "add_artwork", artwork.add),
    (f"{_TITLE}/artwork/<candidate>", "choose_artwork", artwork.choose),
    (f"{_PICTURE}/focus", "focus_artwork", artwork.focus),
    (f"{_PICTURE}/remove", "drop_artwork", artwork.drop),
    ("/people", "add_person", people.add),
    (_PERSON, "save_person", people.save),
    (f"{_PERSON}/portrait", "save_portrait", people.save_portrait),
    (f"{_PERSON}/remove", "remove_person", people.remove),
)

"""People of the cast and crew: for viewers as far as they see their work."""

from typing import Any

from appliance.catalog import filmography, people, portraits
from appliance.catalog.people import Person
from appliance.permissions import Action
from web import context, guard
from web.api import catalogue_schemas as schemas
from web.api.catalogue import body_as_file
from web.api.endpoint import SEE, STUDIO, Endpoint


def list_people(query: dict[str, Any]) -> dict[str, Any]:
    """List people, or those whose name has the words ``q``."""
    words, limit, offset = query["q"], query["limit"], query["offset"]
    found = people.listing(context.db(), words, limit=limit, offset=offset)
    return {
        "people": [_person(each) for each in found],
        "total": people.count(context.db(), words),
        "limit": limit,
        "offset": offset,
    }


def show_person(slug: str) -> dict[str, Any]:
    """Show a person with the titles one may see."""
    found, works = filmography.page(context.db(), context.actor(), slug)
    return _person(found) | {
        "works": [
            {
                "title": each.title.slug,
                "name": each.title.name,
                "jobs": each.jobs,
                "characters": each.characters,
            }
            for each in works
        ]
    }


def add_person(body: dict[str, Any]) -> dict[str, Any]:
    """Make a person."""
    return _person(people.add(context.db(), context.actor(), **body))


def change_person(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """Change what is named; with ``revision`` only if nobody did in between."""
    return _person(people.edit(context.db(), context.actor(), slug, **body))


def remove_person(slug: str) -> None:
    """Remove a person with their credits; the titles stay."""
    portraits.remove(context.db(), context.storage(), context.actor(), slug)


def put_portrait(slug: str) -> dict[str, Any]:
    """Show a person by the picture that is the body: JPEG, PNG or WebP."""
    with body_as_file() as picture:
        shown = portraits.add(
            context.db(), context.storage(), context.actor(), slug, picture
        )
    return _person(shown)


def remove_portrait(slug: str) -> None:
    """Take the portrait of a person away."""
    portraits.drop(context.db(), context.storage(), context.actor(), slug)


def _person(found: Person) -> dict[str, Any]:
    portrait = found.portrait
    return {
        "slug": found.slug,
        "name": found.name,
        "biography": found.biography,
        "portrait": f"/portrait/{portrait}/320.jpg" if portrait else None,
        "revision": found.revision,
    }


_EDIT = guard.needs(Action.PEOPLE_EDIT)
_PERSON = "/people/<slug>"

ENDPOINTS = (
    Endpoint(
        *("GET", "/people", list_people, STUDIO),
        *(schemas.PeopleQuery, schemas.People, 200, "query"),
    ),
    Endpoint(
        *("POST", "/people", add_person, _EDIT),
        *(schemas.PersonRequest, schemas.Person, 201),
    ),
    Endpoint("GET", _PERSON, show_person, SEE, gives=schemas.PersonInFull),
    Endpoint(
        *("PATCH", _PERSON, change_person, _EDIT),
        *(schemas.PersonChange, schemas.Person),
    ),
    Endpoint(*("DELETE", _PERSON, remove_person, _EDIT), status=204),
    Endpoint(
        *("PUT", f"{_PERSON}/portrait", put_portrait, _EDIT), gives=schemas.Person
    ),
    Endpoint(*("DELETE", f"{_PERSON}/portrait", remove_portrait, _EDIT), status=204),
)

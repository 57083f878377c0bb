"""The page of a person."""

from dataclasses import replace

from flask import render_template

from appliance.catalog import filmography
from appliance.catalog.filmography import Work
from appliance.discovery.cards import Card
from appliance.permissions import Action
from web import context, crew, guard
from web.portal import cards


@guard.needs(Action.PORTAL_SEE)
def person(slug: str) -> str:
    found, works = filmography.page(context.db(), context.actor(), slug)
    return render_template(
        "portal/person.html",
        person=found,
        cards=[
            _credited(card, work)
            for card, work in zip(
                cards.of_titles(each.title for each in works), works, strict=True
            )
        ],
        jobs=list(dict.fromkeys(job for each in works for job in each.jobs)),
        may_edit=context.actor().may(Action.PEOPLE_EDIT),
    )


def _credited(card: Card, work: Work) -> Card:
    """Let a card say what somebody did for the title."""
    doing = [*work.characters, *(crew.word(job) for job in work.jobs)]
    year = [str(card.year)] if card.year else []
    return replace(card, label=" · ".join([*year, ", ".join(doing)]))

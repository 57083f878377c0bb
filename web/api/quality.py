"""Quality reports: what was found of films, and the decisions of reviewers."""

from typing import Any

from appliance.catalog import titles
from appliance.errors import NotFound
from appliance.media import quality, reviews
from appliance.media import quality_document as words
from appliance.permissions import Action, check_title
from jobs.making import recheck
from web import context
from web.api import quality_schemas
from web.api.endpoint import REVIEW, STUDIO, Endpoint


def show_quality(slug: str) -> dict[str, Any]:
    """Show what was found of the film of a title."""
    title, asset, found = _found(slug)
    return words.document(title, asset, found)


def review_quality(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """Approve or reject a version of the film of a title."""
    _, asset, found = _found(slug)
    if body["version"] != found.version:
        raise NotFound(
            "quality.version",
            f"Version {body['version']} is not served: {found.version} is.",
        )
    reviews.review(
        context.db(),
        context.settings(),
        context.actor(),
        asset,
        body["version"],
        body["decision"],
        body["comment"],
    )
    return show_quality(slug)


def check_quality(slug: str) -> dict[str, Any]:
    """Let the film of a title be checked again."""
    job = recheck.start(context.db(), context.settings(), context.actor(), slug)
    return {"job": job.public_id}


def _found(slug: str) -> Any:
    db, actor = context.db(), context.actor()
    title = titles.by_slug(db, actor, slug)
    if not actor.may(Action.REVIEW_DECIDE):
        check_title(actor, title.created_by)
    return quality.of_title(db, actor, slug)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/titles/<slug>/quality",
        show_quality,
        STUDIO,
        gives=quality_schemas.Quality,
    ),
    Endpoint(
        "POST",
        "/titles/<slug>/quality/review",
        review_quality,
        REVIEW,
        takes=quality_schemas.ReviewRequest,
        gives=quality_schemas.Quality,
    ),
    Endpoint(
        "POST",
        "/titles/<slug>/quality/check",
        check_quality,
        STUDIO,
        gives=quality_schemas.QualityJob,
        status=202,
    ),
)

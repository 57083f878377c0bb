"""Captions of a title, for programs."""

from dataclasses import asdict
from typing import Any

from flask import request

from appliance.captions import editing, writing
from appliance.captions.cues import MOST_BYTES, Cue
from appliance.captions.description import Description
from appliance.media import captions as core
from appliance.media.captions import Opened
from appliance.objects import Stores
from jobs.making import speech
from web import context
from web.api import caption_schemas
from web.api.endpoint import STUDIO, Endpoint


def list_captions(slug: str) -> dict[str, Any]:
    """List the captions of a title's film."""
    return {"captions": core.listing(context.db(), context.actor(), slug)}


def add_captions(query: dict[str, Any], slug: str) -> dict[str, Any]:
    """Add the file that is the body: SRT, WebVTT, ASS or TTML."""
    described = Description.of(query["language"], query["name"], query["role"])
    added = core.add(
        *(context.db(), _stores(), context.actor(), slug),
        request.stream.read(MOST_BYTES + 1),
        described,
        source_name=query["filename"],
        encoding=query["encoding"],
    )
    return {"captions": added.held, "remarks": added.remarks}


def show_captions(slug: str, captions: str) -> dict[str, Any]:
    """Show captions with their cues, and what makes them hard to read."""
    return _shown(_opened(slug, captions))


def edit_captions(body: dict[str, Any], slug: str, captions: str) -> dict[str, Any]:
    """Put other cues in place of those that there are."""
    rows = [
        [each["start"], each["end"], each["text"], each["settings"], each["unsure"]]
        for each in body["cues"]
    ]
    regions = _opened(slug, captions).captions.regions
    core.edit(
        *(context.db(), _stores(), context.actor(), slug, captions),
        editing.captions(rows, regions),
        version=body["version"],
    )
    return _shown(_opened(slug, captions))


def shift_captions(body: dict[str, Any], slug: str, captions: str) -> dict[str, Any]:
    """Stretch all times by a factor, and shift them."""
    core.shift(
        *(context.db(), _stores(), context.actor(), slug, captions),
        *(body["milliseconds"], body["factor"]),
        version=body["version"],
    )
    return _shown(_opened(slug, captions))


def review_captions(body: dict[str, Any], slug: str, captions: str) -> dict[str, Any]:
    """Say that captions made by machine are right."""
    core.review(
        *(context.db(), _stores(), context.actor(), slug, captions),
        version=body["version"],
    )
    return _shown(_opened(slug, captions))


def remove_captions(query: dict[str, Any], slug: str, captions: str) -> None:
    """Take captions away."""
    core.remove(context.db(), context.actor(), slug, captions, version=query["version"])


def make_captions(body: dict[str, Any], slug: str) -> dict[str, Any]:
    """Let a machine write down what is said; the answer names its job."""
    job = speech.start(
        context.db(), context.settings(), context.actor(), slug, body["language"]
    )
    return {"job": job.public_id}


def _stores() -> Stores:
    return Stores(context.storage(), context.settings())


def _opened(slug: str, captions: str) -> Opened:
    return core.opened(context.db(), _stores(), context.actor(), slug, captions)


def _shown(found: Opened) -> dict[str, Any]:
    return {
        "captions": found.held,
        "cues": [_cue(each) for each in found.captions.cues],
        "findings": core.checked(found),
        "webvtt": writing.webvtt(found.captions),
    }


def _cue(cue: Cue) -> dict[str, Any]:
    return asdict(cue)


ENDPOINTS = (
    Endpoint(
        "GET",
        "/titles/<slug>/captions",
        list_captions,
        STUDIO,
        gives=caption_schemas.Captions,
    ),
    Endpoint(
        "POST",
        "/titles/<slug>/captions",
        add_captions,
        STUDIO,
        takes=caption_schemas.AddQuery,
        gives=caption_schemas.Added,
        status=201,
        place="query",
    ),
    Endpoint(
        "POST",
        "/titles/<slug>/captions/make",
        make_captions,
        STUDIO,
        takes=caption_schemas.Make,
        gives=caption_schemas.Making,
        status=202,
    ),
    Endpoint(
        "GET",
        "/titles/<slug>/captions/<captions>",
        show_captions,
        STUDIO,
        gives=caption_schemas.Opened,
    ),
    Endpoint(
        "PUT",
        "/titles/<slug>/captions/<captions>",
        edit_captions,
        STUDIO,
        takes=caption_schemas.Edit,
        gives=caption_schemas.Opened,
    ),
    Endpoint(
        "POST",
        "/titles/<slug>/captions/<captions>/shift",
        shift_captions,
        STUDIO,
        takes=caption_schemas.Shift,
        gives=caption_schemas.Opened,
    ),
    Endpoint(
        "POST",
        "/titles/<slug>/captions/<captions>/review",
        review_captions,
        STUDIO,
        takes=caption_schemas.Seen,
        gives=caption_schemas.Opened,
    ),
    Endpoint(
        "DELETE",
        "/titles/<slug>/captions/<captions>",
        remove_captions,
        STUDIO,
        takes=caption_schemas.SeenQuery,
        status=204,
        place="query",
    ),
)

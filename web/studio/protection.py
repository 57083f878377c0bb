"""Protection in the Studio: what a title asks for, what is stored, what it means."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from flask import flash, redirect, render_template, url_for
from werkzeug.wrappers import Response

from appliance import settings as configuration
from appliance.catalog import titles
from appliance.catalog.titles import Title
from appliance.cenc import SHORT, KeySystem
from appliance.errors import PreconditionFailed
from appliance.media import assets, tracks
from appliance.media.tracks import Track, TrackKind
from appliance.permissions import Action, check_title
from appliance.protection import keys, licence_services, policies
from appliance.protection.policies import Named
from appliance.settings import Settings
from jobs.making import protection, reencrypt
from web import context, guard
from web.studio import forms


@dataclass(frozen=True, slots=True)
class System:
    """A key system in plain words; ``missing`` is what it lacks here, if anything."""

    short: str
    name: str
    plays: str
    needs: str
    missing: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """What the page of a title shows about protection.

    ``stored`` are the schemes of the tracks that are served, an empty one for clear
    tracks; ``act`` is what a job would do about it, None for nothing.
    """

    systems: tuple[System, ...]
    library: tuple[System, ...]
    scheme: str
    policies: tuple[Named, ...]
    stored: tuple[str, ...]
    act: str | None


@dataclass(frozen=True, slots=True)
class Act:
    """What a re-encryption does: the words of its note, button and question."""

    note: str
    label: str
    question: str
    consequence: str


_MEANWHILE = (
    "It takes about as long as copying the film; whoever watches it now goes on at the"
    " same place."
)
_ANEW = (
    "What is stored is encrypted again with new keys, and the old ones open nothing any"
    f" more. {_MEANWHILE}"
)
ACTS: Mapping[str, Act] = {
    "encrypt": Act(
        "The film that is stored is not encrypted yet.",
        "Encrypt now",
        "Encrypt the film of “{name}”?",
        f"What is stored is replaced by an encrypted film. {_MEANWHILE}",
    ),
    "again": Act(
        "The film that is stored is encrypted by another scheme than is asked here.",
        "Encrypt again",
        "Encrypt the film of “{name}” again?",
        _ANEW,
    ),
    "renew": Act(
        "",
        "New keys",
        "Give “{name}” new keys?",
        f"Do this when its keys may be known to somebody. {_ANEW}",
    ),
    "decrypt": Act(
        "The film that is stored is still encrypted.",
        "Decrypt",
        "Store the film of “{name}” without encryption?",
        "Whoever reads the disk, a backup or a cache of it has the film from then on."
        " Signing in and media tokens still stand in front of it.",
    ),
}


@guard.needs(Action.STUDIO_SEE)
def page() -> str:
    """Say what protection does and does not do, and what is set up here."""
    db, settings = context.db(), context.settings()
    library = configuration.key_systems(settings.protection)
    return render_template(
        "studio/protection.html",
        systems=_systems(settings),
        library=library,
        protection=settings.protection,
        watermark=settings.playback.watermark,
        keys=keys.listing(db) if context.actor().may(Action.KEY_MANAGE) else None,
        policies=policies.listing(db),
    )


@guard.needs(Action.STUDIO_SEE)
def save(slug: str) -> Response:
    """Keep how a title is to be protected; the stored film changes by a job."""
    fields = forms.protection_fields()
    policy = fields.pop("policy")
    named = policies.by_name(context.db(), policy).id if policy else None
    titles.edit(context.db(), context.actor(), slug, **fields, policy_id=named)
    flash("Saved.", "ok")
    return redirect(url_for("studio.title", slug=slug, _anchor="protection"))


@guard.needs(Action.STUDIO_SEE)
def confirm(slug: str) -> str:
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    act = of_title(title, _served(title)).act or "renew"
    return render_template("studio/reencrypt.html", title=title, act=ACTS[act])


@guard.needs(Action.STUDIO_SEE)
def start(slug: str) -> Response:
    reencrypt.start(
        context.db(), context.storage(), context.settings(), context.actor(), slug
    )
    return redirect(url_for("studio.title", slug=slug))


def of_title(title: Title, stored: Sequence[Track]) -> Panel:
    """Return what the page of a title shows; ``stored`` are the tracks it serves."""
    settings = context.settings()
    systems = _systems(settings)
    library = configuration.key_systems(settings.protection)
    schemes = sorted(
        {
            each.scheme or ""
            for each in stored
            if each.kind in (TrackKind.VIDEO, TrackKind.AUDIO)
        }
    )
    return Panel(
        systems=systems,
        library=tuple(each for each in systems if each.short in library),
        scheme=settings.protection.scheme,
        policies=tuple(policies.listing(context.db())),
        stored=tuple(schemes),
        act=_act(title, schemes, settings),
    )


def _act(title: Title, stored: Sequence[str], settings: Settings) -> str | None:
    wanted = protection.wish(title, settings)
    if not stored:
        return None
    if wanted is None:
        return "decrypt" if any(stored) else None
    if "" in stored:
        return "encrypt"
    if list(stored) != [wanted.scheme.value]:
        return "again"
    return "renew" if context.actor().may(Action.KEY_MANAGE) else None


def _served(title: Title) -> list[Track]:
    db = context.db()
    film = assets.playable(db, title.id)
    return tracks.of_asset(db, film.id) if film else []


def _systems(settings: Settings) -> tuple[System, ...]:
    return tuple(
        replace(each, missing=_missing(settings, SHORT[each.short])) for each in SYSTEMS
    )


def _missing(settings: Settings, system: KeySystem) -> str:
    if system is KeySystem.CLEARKEY:
        return ""
    try:
        licence_services.chosen(settings, system)
    except PreconditionFailed:
        chosen = settings.protection.licences_from
        return f"not offered by {chosen}" if chosen else "no licence service is set up"
    return ""


SYSTEMS = (
    System(
        "clearkey",
        "ClearKey",
        "Chrome, Edge, Firefox, Safari and Android browsers",
        "Nothing: this server gives the keys out itself.",
    ),
    System(
        "widevine",
        "Widevine",
        "Chrome, Edge, Firefox, Android and most televisions",
        "A contract with a licence service.",
    ),
    System(
        "playready",
        "PlayReady",
        "Edge on Windows, Xbox and many televisions",
        "A contract with a licence service.",
    ),
    System(
        "fairplay",
        "FairPlay",
        "Safari, iPhone, iPad and Apple TV",
        "A licence service, and a certificate that Apple issues to you. Scheme cbcs.",
    ),
)

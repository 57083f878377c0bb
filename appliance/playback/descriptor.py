"""What a player needs to play: addresses, tokens, tracks, where to go on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.cenc import SHORT, KeySystem
from appliance.db import Database
from appliance.delivery import naming, tokens
from appliance.delivery.tokens import SKEW_SECONDS, Algorithm, Scope
from appliance.media import markers, tracks
from appliance.media.tracks import TrackKind
from appliance.permissions import Actor
from appliance.playback import addresses, progress
from appliance.playback.addresses import Cookies, Source, Sources
from appliance.playback.permission import Standing
from appliance.protection.services.table import SERVICES
from appliance.settings import Settings

_STABLE_SECONDS = 60
_SHOWN_OF_SESSION = 8

_NAMES: Mapping[KeySystem, str] = {system: name for name, system in SHORT.items()}
_CERTIFIED = (KeySystem.WIDEVINE, KeySystem.FAIRPLAY)


@dataclass(frozen=True, slots=True)
class TextTrack:
    """A subtitle file on its own, for players that read no manifest."""

    language: str
    label: str
    role: str
    url: str


@dataclass(frozen=True, slots=True)
class Span:
    """A chapter, or a stretch that may be skipped, in seconds of the film."""

    kind: str
    start: float
    end: float
    label: str


@dataclass(frozen=True, slots=True)
class Watermark:
    """What moves over the picture: the viewer, and the session to trace them by."""

    text: str


@dataclass(frozen=True, slots=True)
class Descriptor:
    """The answer to “play this”. Addresses without a host are of this server.

    ``hosts`` are all that may serve the film, with the folder and the query that a
    player swaps in there; ``media_token`` is what opens the film and its keys on this
    server; ``token`` opens the doors of licences. ``drm`` names a licence server by key
    system and ``certificates`` the certificate of one that has its own; both are empty
    where nothing is encrypted. ``cookies`` open a CDN for players that swap nothing.
    ``max_height`` is the sharpest rendition to be had, where that is limited; times
    are seconds.
    """

    session: str
    asset: str
    version: int
    title: str
    name: str
    duration: float
    protected: bool
    manifests: Mapping[str, str] = field(repr=False)
    drm: Mapping[str, str]
    certificates: Mapping[str, str]
    token: str = field(repr=False)
    media_token: str = field(repr=False)
    hosts: tuple[Source, ...] = field(repr=False)
    max_height: int | None
    watermark: Watermark | None
    resume_at: float
    heartbeat_seconds: int
    text: tuple[TextTrack, ...] = field(repr=False)
    thumbnails: str | None = field(repr=False)
    markers: tuple[Span, ...] = field(default=(), repr=False)
    cookies: Cookies | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Tokens:
    """What opens the media of a session and the doors of its licences until a time."""

    media: str = field(repr=False)
    licence: str = field(repr=False)
    expires: int


def describe(
    db: Database, settings: Settings, actor: Actor, standing: Standing
) -> Descriptor:
    """Return what the player of a session needs; ``actor`` is whose profile watches."""
    fresh = fresh_tokens(db, settings, standing)
    all_tracks = tracks.of_asset(db, standing.asset_id)
    pictures = any(each.kind is TrackKind.THUMBNAILS for each in all_tracks)
    # What its tracks are counts: a title may have been marked, and not yet encrypted.
    protected = any(each.kid for each in all_tracks)
    sources = fresh_sources(settings, standing, fresh, protected=protected)
    first = sources.hosts[0]
    stopped = (
        None if standing.preview else progress.of_asset(db, actor, standing.asset_id)
    )
    systems = _served(settings, standing) if protected else ()
    return Descriptor(
        session=standing.session,
        asset=standing.asset,
        version=standing.asset_version,
        title=standing.title_slug,
        name=standing.title_name,
        duration=standing.duration,
        protected=protected,
        manifests=sources.manifests,
        drm={each.value: f"/licence/{_NAMES[each]}" for each in systems},
        certificates={
            each.value: f"/licence/{_NAMES[each]}/certificate"
            for each in systems
            if each in _CERTIFIED
        },
        token=fresh.licence,
        media_token=fresh.media,
        hosts=sources.hosts,
        max_height=standing.max_height,
        watermark=_watermark(settings, standing, protected),
        resume_at=progress.resume_at(settings, stopped),
        heartbeat_seconds=settings.playback.heartbeat_seconds,
        text=tuple(_texts(all_tracks, first)),
        thumbnails=first.address("thumbnails.vtt") if pictures else None,
        markers=tuple(
            Span(each.kind.value, each.starts_at, each.ends_at, each.label)
            for each in markers.of_asset(db, standing.asset_id)
        ),
        cookies=sources.cookies,
    )


def fresh_tokens(db: Database, settings: Settings, standing: Standing) -> Tokens:
    """Return tokens for a session that live as long as its player needs them."""
    keys = tokens.load(settings.keys)
    expires = _expires(db, settings, standing.swaps)
    asset, session = standing.asset, standing.session
    return Tokens(
        media=tokens.sign(
            keys,
            asset,
            session,
            expires,
            Scope.up_to(standing.max_height),
            Algorithm(settings.origin.token),
        ),
        licence=tokens.sign(keys, asset, session, expires, Scope.LICENCE),
        expires=expires,
    )


def fresh_sources(
    settings: Settings, standing: Standing, fresh: Tokens, *, protected: bool = False
) -> Sources:
    """Return where a session gets its film from, for as long as its tokens live."""
    return addresses.of_session(
        settings, standing, fresh.media, fresh.expires, protected=protected
    )


def _expires(db: Database, settings: Settings, swaps: bool) -> int:
    """Return when tokens run out, as Unix time.

    No token is taken any longer than the settings say, clocks that disagree included.
    Those asked for within a minute are the same text, so that a browser finds again
    what it has cached.
    """
    playback = settings.playback
    seconds = playback.media_token_seconds if swaps else playback.native_token_seconds
    latest = int(db.clock.now().timestamp()) + seconds - SKEW_SECONDS
    return latest // _STABLE_SECONDS * _STABLE_SECONDS


def _served(settings: Settings, standing: Standing) -> tuple[KeySystem, ...]:
    """Return the key systems whose licences this installation hands out."""
    service = SERVICES.get(settings.protection.licences_from)
    ours = {KeySystem.CLEARKEY, *(service.addresses if service else ())}
    return tuple(each for each in standing.key_systems if each in ours)


def _watermark(
    settings: Settings, standing: Standing, protected: bool
) -> Watermark | None:
    where = settings.playback.watermark
    if where == "all" or (where == "protected" and protected):
        short = standing.session[:_SHOWN_OF_SESSION]
        return Watermark(f"{standing.display_name} · {short}")
    return None


def _texts(all_tracks: list[tracks.Track], source: Source) -> list[TextTrack]:
    texts = [each for each in all_tracks if each.kind is TrackKind.TEXT]
    names = naming.names(texts)
    return [
        TextTrack(
            language=each.language,
            label=names[each.id],
            role=each.role,
            url=source.address(f"tracks/{each.public_id}/{each.facts['file']}"),
        )
        for each in texts
    ]

"""What a player needs to play: addresses, tokens, tracks, where to go on."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from appliance.catalog.titles import Title
from appliance.db import Database
from appliance.delivery import naming, tokens
from appliance.delivery.tokens import Scope
from appliance.media import tracks
from appliance.media.assets import Asset
from appliance.media.tracks import TrackKind
from appliance.permissions import Actor
from appliance.playback import progress
from appliance.settings import Settings


@dataclass(frozen=True, slots=True)
class TextTrack:
    """A subtitle file on its own, for players that read no manifest."""

    language: str
    label: str
    role: str
    url: str


@dataclass(frozen=True, slots=True)
class Descriptor:
    """The answer to “play this”. Addresses begin at the root of this server.

    ``media_token`` is the part of them that a player swaps; ``token`` opens the doors
    of licences; ``drm`` names a licence server by key system. Times are seconds.
    """

    session: str
    asset: str
    title: str
    name: str
    duration: float
    manifests: Mapping[str, str]
    token: str
    media_token: str
    resume_at: float
    heartbeat_seconds: int
    text: tuple[TextTrack, ...]
    thumbnails: str | None
    drm: Mapping[str, str] = field(default_factory=dict)


def describe(
    db: Database,
    settings: Settings,
    actor: Actor,
    title: Title,
    film: Asset,
    session: str,
    swaps: bool,
) -> Descriptor:
    """Return what the player of a session needs."""
    token = media_token(db, settings, film.public_id, session, swaps)
    base = f"/media/{token}/{film.public_id}"
    all_tracks = tracks.of_asset(db, film.id)
    pictures = any(each.kind is TrackKind.THUMBNAILS for each in all_tracks)
    return Descriptor(
        session=session,
        asset=film.public_id,
        title=title.slug,
        name=title.name,
        duration=film.duration or 0.0,
        manifests={
            "hls": f"{base}/master.m3u8",
            "dash": f"{base}/manifest.mpd",
        },
        token=tokens.sign(
            tokens.load(settings.keys),
            film.public_id,
            session,
            _expires(db, settings.playback.native_token_seconds),
            Scope.LICENCE,
        ),
        media_token=token,
        resume_at=progress.resume_at(settings, progress.of_asset(db, actor, film.id)),
        heartbeat_seconds=settings.playback.heartbeat_seconds,
        text=tuple(_texts(all_tracks, base)),
        thumbnails=f"{base}/thumbnails.vtt" if pictures else None,
    )


def media_token(
    db: Database, settings: Settings, asset: str, session: str, swaps: bool
) -> str:
    """Return a token for the media of an asset, fresh for the time the player needs."""
    seconds = (
        settings.playback.media_token_seconds
        if swaps
        else settings.playback.native_token_seconds
    )
    keys = tokens.load(settings.keys)
    return tokens.sign(keys, asset, session, _expires(db, seconds))


def _expires(db: Database, seconds: int) -> int:
    """Return when a token runs out that must live for ``seconds``, as Unix time.

    Tokens asked for close together are the same text, so that a browser finds again
    what it has cached: they live up to a fifth longer.
    """
    step = max(1, seconds // 5)
    wanted = int(db.clock.now().timestamp()) + seconds
    return (wanted + step - 1) // step * step


def _texts(all_tracks: list[tracks.Track], base: str) -> list[TextTrack]:
    texts = [each for each in all_tracks if each.kind is TrackKind.TEXT]
    names = naming.names(texts)
    return [
        TextTrack(
            language=each.language,
            label=names[each.id],
            role=each.role,
            url=f"{base}/tracks/{each.public_id}/{each.facts['file']}",
        )
        for each in texts
    ]

"""Films that are packaged just in time: rows and files as installing leaves them."""

import json
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass

from appliance.cenc import KeySystem, Label, Scheme
from appliance.delivery import vod
from appliance.media import assets, tracks
from appliance.media.assets import Asset
from appliance.media.tracks import Track, TrackKind
from appliance.permissions import SYSTEM
from appliance.protection import keys
from appliance.protection.keys import ContentKey
from jobs.tools import mp4
from tests.builders import Builders
from tests.core import packaged


@dataclass(frozen=True)
class Film:
    """An asset, its tracks, and the content keys of a protected one."""

    asset: Asset
    tracks: tuple[Track, ...]
    keys: tuple[ContentKey, ...] = ()

    def of(self, kind: TrackKind) -> list[Track]:
        return [each for each in self.tracks if each.kind is kind]

    def key(self, track: Track) -> ContentKey:
        return next(each for each in self.keys if each.kid == track.kid)


def real(
    made: packaged.Film, make: Builders, systems: Sequence[KeySystem] = ()
) -> Film:
    """Make a film with pictures and sound, as the pipeline joined and measured it."""
    there = film(make, systems=systems, duration=made.duration)
    of_kind = {each.kind: each.kid for each in there.tracks}
    sources = iter(("small", "large", "sound"))
    entries = []
    for track in made.tracks:
        path = f"packages/{there.asset.public_id}/tracks/{secrets.token_hex(8)}"
        entry = asdict(track) | {"id": path[-16:], "path": path}
        if track.kind in (TrackKind.VIDEO, TrackKind.AUDIO):
            source = made.folder / f"{next(sources)}.mp4"
            make.storage.copy(source, f"{path}/{vod.FILM}")
            kid = of_kind[track.kind]
            entry |= {"kid": kid, "scheme": Scheme.CENC if kid else None}
            begins = mp4.facts(source).begins if track.kind is TrackKind.AUDIO else 0
            told = {"film": vod.FILM, "film_begins": begins}
            entry["facts"] = {**track.facts, **told}
        else:
            for file in (made.folder / "tracks" / track.public_id).iterdir():
                make.storage.copy(file, f"{path}/{file.name}")
        entries.append(entry)
    make.install(there.asset, entries)
    found = tracks.of_asset(make.db, there.asset.id)
    return Film(there.asset, tuple(found), there.keys)


def film(
    make: Builders,
    *,
    systems: Sequence[KeySystem] = (),
    scheme: Scheme = Scheme.CENC,
    **fields: object,
) -> Film:
    """Make a published film without segments; with ``systems`` it is protected."""
    names = json.dumps([each.value for each in systems])
    title = make.title("Stalker", protected=int(bool(systems)), key_systems=names)
    asset = make.asset(title, **fields)  # type: ignore[arg-type]
    labels = (Label.AUDIO, Label.SD)
    made = (
        keys.ensure(make.db, make.settings, SYSTEM, asset, labels, scheme, systems)
        if systems
        else ()
    )
    kids = {each.label: each.kid for each in made}
    for track in tracks.of_asset(make.db, asset.id):
        if track.kind in (TrackKind.VIDEO, TrackKind.AUDIO):
            label = Label.AUDIO if track.kind is TrackKind.AUDIO else Label.SD
            _unpack(make, track)
            _lock(make, track, kids.get(label), scheme)
    found = tracks.of_asset(make.db, asset.id)
    return Film(assets.by_id(make.db, asset.id), tuple(found), made)


def _unpack(make: Builders, track: Track) -> None:
    make.storage.remove(track.path)
    make.storage.write(f"{track.path}/{vod.FILM}", b"a whole film")
    facts = {**track.facts, "film": vod.FILM}
    make.db.table("tracks").update(track.id, {"facts": json.dumps(facts)})


def _lock(make: Builders, track: Track, kid: str | None, scheme: Scheme) -> None:
    if kid:
        make.db.table("tracks").update(track.id, {"kid": kid, "scheme": scheme.value})

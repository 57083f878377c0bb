"""Films that are packaged just in time: rows and files as installing leaves them."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from appliance.cenc import KeySystem, Label, Scheme
from appliance.delivery import vod
from appliance.media import assets, tracks
from appliance.media.assets import Asset
from appliance.media.tracks import Track, TrackKind
from appliance.permissions import SYSTEM
from appliance.protection import keys
from appliance.protection.keys import ContentKey
from tests.builders import Builders


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


def film(
    make: Builders,
    *,
    systems: Sequence[KeySystem] = (),
    scheme: Scheme = Scheme.CENC,
    content: Mapping[TrackKind, Path] | None = None,
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
            _unpack(make, track, (content or {}).get(track.kind))
            _lock(make, track, kids.get(label), scheme)
    found = tracks.of_asset(make.db, asset.id)
    return Film(assets.by_id(make.db, asset.id), tuple(found), made)


def _unpack(make: Builders, track: Track, content: Path | None) -> None:
    make.storage.remove(track.path)
    target = make.storage.write(f"{track.path}/{vod.FILM}", b"a whole film")
    if content is not None:
        shutil.copyfile(content, target)
    facts = {**track.facts, "film": vod.FILM}
    make.db.table("tracks").update(track.id, {"facts": json.dumps(facts)})


def _lock(make: Builders, track: Track, kid: str | None, scheme: Scheme) -> None:
    if kid:
        make.db.table("tracks").update(track.id, {"kid": kid, "scheme": scheme.value})

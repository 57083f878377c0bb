"""The plan: from what is known of a film to the units of work it needs. Pure.

The identities of the tracks are chosen here, so that every unit, whenever it runs or
runs again, speaks of the same ones.
"""

import secrets
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from appliance.settings import Settings
from jobs import languages
from jobs.chunks import Chunk, Grid
from jobs.ladder import Rendition, ladder
from jobs.source import Captions, Sound, Source, from_facts

# Weights are roughly seconds of one core.
_PIXELS_PER_SECOND = 25_000_000
_SOUND_WEIGHT = 0.03
_REMUX_WEIGHT = 1 / 300
_STORYBOARD_WEIGHT = 1 / 500
_VERIFY_WEIGHT = 1 / 50

_SEEK_MARGIN = 0.3
_SEEK_MARGIN_UNINDEXED = 1.0


class Film(Protocol):
    """What the plan must know of an asset."""

    @property
    def source_path(self) -> str: ...


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit of work: ``needs`` are names of units that must be done before it."""

    name: str
    step: str
    needs: tuple[str, ...]
    weight: float
    spec: dict[str, Any]
    position: int


def first(asset: Film) -> list[NewUnit]:
    """Return the only unit that can be planned before anything is known."""
    return [NewUnit("inspect", "inspect", (), 1, {"source": asset.source_path}, 0)]


def renditions(facts: Mapping[str, Any]) -> list[Rendition]:
    """Return the qualities that a film gets: what it must have content keys for."""
    picture = from_facts(facts).picture
    return ladder(picture.width, picture.height, picture.rate)


def after_inspect(
    asset: Film,
    facts: Mapping[str, Any],
    settings: Settings,
    encryption: Mapping[str, Any] | None = None,
) -> list[NewUnit]:
    """Return every other unit of the job.

    ``encryption`` is what :func:`jobs.encryption.sealed` gave; None: stay clear.
    """
    planner = _Planner(asset.source_path, from_facts(facts), settings, encryption)
    return [
        NewUnit(each.name, each.step, each.needs, round(each.weight, 3), each.spec, n)
        for n, each in enumerate(planner.units(), start=1)
    ]


@dataclass(frozen=True, slots=True)
class _Planner:
    path: str
    source: Source
    settings: Settings
    encryption: Mapping[str, Any] | None

    def units(self) -> Iterator[NewUnit]:
        """Yield the units in the order in which they are best begun."""
        picture = self.source.picture
        video = [
            _rendition(each)
            for each in ladder(picture.width, picture.height, picture.rate)
        ]
        encodes = self._encodes(video)
        sounds = list(self._sounds())
        captions = list(self._captions())
        # The longest first: what is short fills the gaps at the end.
        yield from [*encodes, *sounds, *captions]
        yield self._join(video, encodes)
        yield self._package(video, sounds, captions)
        yield self._thumbnails(video)
        yield self._verify()

    @property
    def _grid(self) -> Grid:
        picture, encode = self.source.picture, self.settings.encode
        return Grid(
            picture.frames,
            picture.rate,
            encode.segment_seconds,
            encode.keyframe_seconds,
        )

    def _encodes(self, video: list[dict[str, Any]]) -> list[NewUnit]:
        picture, encode = self.source.picture, self.settings.encode
        shared = {
            "source": self.path,
            "stream": picture.number,
            "origin": self.source.origin,
            "grid": self._grid.as_spec(),
            "fields": picture.fields,
            "transfer": picture.transfer,
            "pixels": picture.pixels,
            "preset": encode.preset,
            "crf": encode.crf,
            "renditions": video,
        }
        pixels = sum(each["width"] * each["height"] for each in video)
        return [
            _unit(
                f"encode-{number:04}",
                chunk.frames * pixels / _PIXELS_PER_SECOND,
                shared
                | {
                    "from": chunk.start,
                    "to": chunk.end,
                    "seek": self._seek(chunk),
                    "hold": max(0, chunk.end - 1 - picture.last),
                },
            )
            for number, chunk in enumerate(self._grid.chunks(encode.chunk_seconds))
        ]

    def _seek(self, chunk: Chunk) -> float | None:
        """Return where in the file to start reading for a chunk; None: at its start.

        It must be a keyframe well before the chunk. Containers with an index find the
        one before any time; in others only the time of a keyframe is a sure aim, and
        reading must begin somewhat before it.
        """
        source, picture = self.source, self.source.picture
        wanted = source.origin + float(chunk.start / picture.rate) - _SEEK_MARGIN
        earlier = [key for key in picture.keyframes if key <= wanted]
        if chunk.start <= picture.first or len(earlier) < 2:
            return None
        if source.indexed:
            return round(wanted, 6)
        return round(earlier[-1] - _SEEK_MARGIN_UNINDEXED, 6)

    def _sounds(self) -> Iterator[NewUnit]:
        labels = _labels(self.source.sounds)
        for number, sound in enumerate(self.source.sounds, start=1):
            spec = self._stream(sound, labels[number - 1])
            spec["kbps"] = self.settings.encode.audio_kbps
            name = f"audio-{sound.language}-{number}"
            yield _unit(name, self.source.duration * _SOUND_WEIGHT, spec)

    def _captions(self) -> Iterator[NewUnit]:
        labels = _labels(self.source.captions)
        for number, captions in enumerate(self.source.captions, start=1):
            spec = self._stream(captions, labels[number - 1])
            yield _unit(f"text-{number}", 1, spec)

    def _stream(self, stream: Sound | Captions, label: str) -> dict[str, Any]:
        return {
            "source": self.path,
            "stream": stream.number,
            "origin": self.source.origin,
            "duration": float(self._grid.seconds),
            "track": {
                "id": secrets.token_hex(8),
                "language": stream.language,
                "label": label,
                "role": stream.role,
            },
        }

    def _join(self, video: list[dict[str, Any]], encodes: list[NewUnit]) -> NewUnit:
        names = tuple(unit.name for unit in encodes)
        spec = {
            "chunks": list(names),
            "tracks": [each["id"] for each in video],
            "grid": self._grid.as_spec(),
        }
        return _unit("join", self.source.duration * _REMUX_WEIGHT, spec, names)

    def _package(
        self,
        video: list[dict[str, Any]],
        sounds: list[NewUnit],
        captions: list[NewUnit],
    ) -> NewUnit:
        spec = {
            "grid": self._grid.as_spec(),
            "video": video,
            "audio": [unit.spec["track"] | {"unit": unit.name} for unit in sounds],
            "text": [unit.spec["track"] | {"unit": unit.name} for unit in captions],
            "encryption": self.encryption,
        }
        needs = ("join", *(unit.name for unit in [*sounds, *captions]))
        return _unit("package", self.source.duration * _REMUX_WEIGHT, spec, needs)

    def _thumbnails(self, video: list[dict[str, Any]]) -> NewUnit:
        encode = self.settings.encode
        spec = {
            "id": secrets.token_hex(8),
            "smallest": video[0],
            "largest": video[-1],
            "grid": self._grid.as_spec(),
            # Every picture is a keyframe, so there are no more of them than those.
            "step": max(encode.thumbnail_seconds, encode.keyframe_seconds),
        }
        weight = 1 + self.source.duration * _STORYBOARD_WEIGHT
        return _unit("thumbnails", weight, spec, ("join",))

    def _verify(self) -> NewUnit:
        weight = self.source.duration * _VERIFY_WEIGHT
        needs = ("package", "thumbnails")
        spec = {
            "grid": self._grid.as_spec(),
            "encryption": self.encryption,
            "thumbnails": True,
        }
        return _unit("verify", weight, spec, needs)


def _unit(
    name: str, weight: float, spec: dict[str, Any], needs: tuple[str, ...] = ()
) -> NewUnit:
    return NewUnit(name, name.split("-")[0], needs, weight, spec, 0)


def _rendition(rendition: Rendition) -> dict[str, Any]:
    return {
        "id": secrets.token_hex(8),
        "name": rendition.name,
        "width": rendition.width,
        "height": rendition.height,
        "kbps": rendition.kbps,
    }


def _labels(streams: Sequence[Sound | Captions]) -> list[str]:
    """Return what menus show: the file's own title, else the language; no two alike."""
    labels: list[str] = []
    for number, stream in enumerate(streams, start=1):
        label = stream.title or languages.name(stream.language) or f"Track {number}"
        labels.append(f"{label} {number}" if label in labels else label)
    return labels

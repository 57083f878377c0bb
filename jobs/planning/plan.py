"""The plan: from what is known of a film to the units of work it needs. Pure.

The identities of the tracks are chosen here, so that every unit, whenever it runs or
runs again, speaks of the same ones.
"""

import secrets
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from appliance.settings import Settings
from jobs.planning import plan_checks
from jobs.planning import policy as policies
from jobs.planning.chunks import Grid
from jobs.planning.ladder import (
    AV1,
    H264,
    HEVC,
    LadderPolicy,
    Rendition,
    chosen,
    ladder,
)
from jobs.planning.sounds import Labelled, labelled, of_source
from jobs.planning.source import Captions, Sound, Source, from_facts, seek

SOFTWARE = "software"
INSPECT, ANALYSE = "inspect", "analyse"

# Weights are roughly seconds of one core.
_PIXELS_PER_SECOND = {H264: 25_000_000, HEVC: 8_000_000, AV1: 28_000_000}
_ANALYSE_WEIGHT = 1 / 50
_SOUND_WEIGHT = 0.03
_REMUX_WEIGHT = 1 / 300
_STORYBOARD_WEIGHT = 1 / 500
_VERIFY_WEIGHT = 1 / 50

_QUICK_HEIGHT = 360
_PREVIEW_HEIGHT = 270


class Film(Protocol):
    """What the plan must know of an asset."""

    @property
    def source_path(self) -> str: ...


@dataclass(frozen=True, slots=True)
class NewUnit:
    """A unit of work: ``needs`` are names of units that must be done before it.

    ``queue`` says whose hands it needs: cpu, gpu or speech.
    """

    name: str
    step: str
    needs: tuple[str, ...]
    weight: float
    spec: dict[str, Any]
    position: int
    queue: str = "cpu"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be made of a source: renditions, sounds, captions, a storyboard.

    Without a storyboard there is no preview either.

    ``grid`` is how the film was cut before, where it was.
    """

    renditions: Sequence[Rendition]
    sounds: Sequence[Labelled]
    captions: Sequence[Labelled]
    storyboard: bool = True
    preview: bool = True
    grid: Grid | None = None

    @property
    def heights(self) -> list[int]:
        return [each.height for each in self.renditions]


@dataclass(frozen=True, slots=True)
class Means:
    """With what it is made.

    ``families`` say whose circuits encode a codec; the processor's where they say
    nothing. ``encryption`` is what :func:`jobs.making.encryption.sealed` gave; None:
    stay clear.
    """

    settings: Settings
    policy: LadderPolicy
    families: Mapping[str, str] = field(default_factory=dict)
    encryption: Mapping[str, Any] | None = None


def first(asset: Film) -> list[NewUnit]:
    """Return the only unit that can be planned before anything is known."""
    return [NewUnit(INSPECT, INSPECT, (), 1, {"source": asset.source_path}, 0)]


def second(
    spec: dict[str, Any], facts: Mapping[str, Any], done: Collection[str]
) -> list[NewUnit]:
    """Return the unit that encodes samples, before it is known what to make.

    ``done`` are names of units that the job has already.
    """
    weight = 1 + from_facts(facts).duration * _ANALYSE_WEIGHT
    needs = tuple(sorted(done))
    return [NewUnit(ANALYSE, ANALYSE, needs, round(weight, 3), spec, len(done))]


def wanted(
    facts: Mapping[str, Any],
    policy: LadderPolicy,
    analysis: Mapping[str, Any] | None = None,
) -> Wanted:
    """Return all that a film gets: what it must have content keys for."""
    source = from_facts(facts)
    picture = source.picture
    renditions = ladder(picture.width, picture.height, picture.rate, policy)
    return Wanted(
        chosen(renditions, analysis),
        of_source(source.sounds, surround=policy.surround),
        labelled("text", source.captions),
    )


def quick(everything: Wanted) -> Wanted:
    """Return what suffices to watch a film: one small rendition of H.264.

    The preview comes with the others, which it is then made of.
    """
    renditions = [each for each in everything.renditions if each.codec == H264]
    small = [each for each in renditions if each.height <= _QUICK_HEIGHT]
    first = small[-1] if small else renditions[0]
    if [first] == list(everything.renditions):
        return everything
    # Nobody has looked at the film yet, and somebody waits for it.
    hasty = replace(first, preset="")
    return replace(everything, renditions=[hasty], preview=False)


def units(
    asset: Film,
    facts: Mapping[str, Any],
    wanted: Wanted,
    means: Means,
    done: Collection[str],
) -> list[NewUnit]:
    """Return the units that make what is wanted of a source whose facts are known.

    ``done`` are names of units that the job has already: those come first.
    """
    planner = _Planner(asset.source_path, from_facts(facts), wanted, means)
    return [
        replace(each, weight=round(each.weight, 3), position=number)
        for number, each in enumerate(planner.units(), start=len(done))
    ]


def renditions(facts: Mapping[str, Any]) -> list[Rendition]:
    """Return the qualities that a film gets where nobody wished otherwise."""
    return list(wanted(facts, LadderPolicy()).renditions)


def after_inspect(
    asset: Film,
    facts: Mapping[str, Any],
    settings: Settings,
    encryption: Mapping[str, Any] | None = None,
) -> list[NewUnit]:
    """Return every other unit of a film that is encoded as the settings say."""
    policy = policies.of(settings.encode, {})
    means = Means(settings, policy, encryption=encryption)
    return units(asset, facts, wanted(facts, policy), means, (INSPECT,))


@dataclass(frozen=True, slots=True)
class _Planner:
    path: str
    source: Source
    wanted: Wanted
    means: Means

    def units(self) -> Iterator[NewUnit]:
        """Yield the units in the order in which they are best begun."""
        groups = dict(self._groups())
        encodes = {codec: self._encodes(codec, groups[codec]) for codec in groups}
        sounds = [self._sound(each) for each in self.wanted.sounds]
        captions = [self._captions(each) for each in self.wanted.captions]
        # The longest first: what is short fills the gaps at the end.
        for of_codec in encodes.values():
            yield from of_codec
        yield from [*sounds, *captions]
        joins = [self._join(codec, groups[codec], encodes[codec]) for codec in groups]
        yield from joins
        video = [each for group in groups.values() for each in group]
        package = self._package(video, [each.name for each in joins], sounds, captions)
        yield package
        extras = []
        if self.wanted.storyboard:
            extras.append(self._thumbnails(video, joins[0].name))
            if self.wanted.preview:
                extras.append(self._preview(video, joins[0].name))
            extras += self._fingerprint(sounds)
        yield from extras
        yield self._verify(sounds, extras)

    def _groups(self) -> Iterator[tuple[str, list[dict[str, Any]]]]:
        """Yield the renditions of each codec: they are encoded from one decode."""
        for codec in dict.fromkeys(each.codec for each in self.wanted.renditions):
            of_codec = [each for each in self.wanted.renditions if each.codec == codec]
            yield codec, [_rendition(each) for each in of_codec]

    @property
    def _grid(self) -> Grid:
        picture, encode = self.source.picture, self.means.settings.encode
        return self.wanted.grid or Grid(
            picture.frames,
            picture.rate,
            encode.segment_seconds,
            encode.keyframe_seconds,
        )

    def _encodes(self, codec: str, video: list[dict[str, Any]]) -> list[NewUnit]:
        picture = self.source.picture
        family = self.means.families.get(codec, SOFTWARE)
        shared = {
            "source": self.path,
            "stream": picture.number,
            "origin": self.source.origin,
            "grid": self._grid.as_spec(),
            "fields": picture.fields,
            "transfer": picture.transfer,
            "pixels": picture.pixels,
            "untagged": picture.untagged,
            "preset": self.means.policy.preset,
            "crf": self.means.policy.crf,
            "encoder": {"codec": str(codec), "family": str(family)},
            "renditions": video,
        }
        pixels = sum(each["width"] * each["height"] for each in video)
        chunks = self._grid.chunks(self.means.settings.encode.chunk_seconds)
        return [
            _unit(
                f"{_named('encode', codec)}-{number:04}",
                chunk.frames * pixels / _PIXELS_PER_SECOND[codec],
                shared
                | {
                    "from": chunk.start,
                    "to": chunk.end,
                    "seek": seek(self.source, chunk.start),
                    "hold": max(0, chunk.end - 1 - picture.last),
                },
                queue="cpu" if family == SOFTWARE else "gpu",
            )
            for number, chunk in enumerate(chunks)
        ]

    def _sound(self, sound: Labelled) -> NewUnit:
        settings, policy = self.means.settings, self.means.policy
        spec = self._stream(sound)
        spec["kbps"] = settings.encode.audio_kbps * sound.channels // 2
        spec["channels"] = sound.channels
        if policy.normalise:
            spec["loudness"] = policy.loudness
            spec["true_peak"] = settings.quality.true_peak
        return _unit(sound.unit, self.source.duration * _SOUND_WEIGHT, spec)

    def _captions(self, captions: Labelled) -> NewUnit:
        return _unit(captions.unit, 1, self._stream(captions))

    def _stream(self, labelled: Labelled) -> dict[str, Any]:
        stream: Sound | Captions = labelled.stream
        return {
            "source": self.path,
            "stream": stream.number,
            "origin": self.source.origin,
            "duration": float(self._grid.seconds),
            "track": {
                "id": secrets.token_hex(8),
                "language": stream.language,
                "label": labelled.label,
                "role": stream.role,
            },
        }

    def _join(
        self, codec: str, video: list[dict[str, Any]], encodes: list[NewUnit]
    ) -> NewUnit:
        names = tuple(unit.name for unit in encodes)
        spec = {
            "chunks": list(names),
            "tracks": [each["id"] for each in video],
            "grid": self._grid.as_spec(),
        }
        weight = self.source.duration * _REMUX_WEIGHT
        return _unit(_named("join", codec), weight, spec, names)

    def _package(
        self,
        video: list[dict[str, Any]],
        joins: list[str],
        sounds: list[NewUnit],
        captions: list[NewUnit],
    ) -> NewUnit:
        spec = {
            "grid": self._grid.as_spec(),
            "video": video,
            "audio": [
                unit.spec["track"]
                | {"unit": unit.name, "channels": unit.spec["channels"]}
                for unit in sounds
            ],
            "text": [unit.spec["track"] | {"unit": unit.name} for unit in captions],
            "encryption": self.means.encryption,
        }
        needs = (*joins, *(unit.name for unit in [*sounds, *captions]))
        return _unit("package", self.source.duration * _REMUX_WEIGHT, spec, needs)

    def _thumbnails(self, video: list[dict[str, Any]], join: str) -> NewUnit:
        encode = self.means.settings.encode
        of_join = [each for each in video if each["unit"] == join]
        spec = {
            "id": secrets.token_hex(8),
            "smallest": of_join[0],
            "largest": of_join[-1],
            "grid": self._grid.as_spec(),
            # Every picture is a keyframe, so there are no more of them than those.
            "step": max(encode.thumbnail_seconds, encode.keyframe_seconds),
        }
        weight = 1 + self.source.duration * _STORYBOARD_WEIGHT
        return _unit("thumbnails", weight, spec, (join,))

    def _preview(self, video: list[dict[str, Any]], join: str) -> NewUnit:
        small = [each for each in video if each["unit"] == join]
        spec = {
            "rendition": next(
                (each for each in small if each["height"] >= _PREVIEW_HEIGHT), small[-1]
            ),
            "duration": float(self._grid.seconds),
        }
        return _unit("preview", 3, spec, (join, "thumbnails"))

    def _fingerprint(self, sounds: list[NewUnit]) -> Iterator[NewUnit]:
        main = next((u for u in sounds if u.spec["track"]["role"] == "main"), None)
        if main is not None:
            weight = self.source.duration * _STORYBOARD_WEIGHT
            spec = {"unit": main.name, "duration": float(self._grid.seconds)}
            yield _unit("fingerprint", weight, spec, (main.name,))

    def _verify(self, sounds: list[NewUnit], extras: list[NewUnit]) -> NewUnit:
        weight = self.source.duration * _VERIFY_WEIGHT
        needs = ("package", *(unit.name for unit in extras))
        spec = {
            "grid": self._grid.as_spec(),
            "encryption": self.means.encryption,
            "thumbnails": self.wanted.storyboard,
        }
        streams = {each.spec["track"]["id"]: each.spec["stream"] for each in sounds}
        spec |= plan_checks.of_source(
            self.path,
            self.source,
            streams,
            self.means.settings,
            normalised=self.means.policy.normalise,
        )
        return _unit("verify", weight, spec, needs)


def _unit(
    name: str,
    weight: float,
    spec: dict[str, Any],
    needs: tuple[str, ...] = (),
    queue: str = "cpu",
) -> NewUnit:
    return NewUnit(name, name.split("-")[0], needs, weight, spec, 0, queue)


def _named(step: str, codec: str) -> str:
    """Return how the units of a step are called for a codec; H.264 goes unsaid."""
    return step if codec == H264 else f"{step}-{codec}"


def _rendition(rendition: Rendition) -> dict[str, Any]:
    unit = _named("join", rendition.codec)
    return {"id": secrets.token_hex(8), "unit": unit, **asdict(rendition)}

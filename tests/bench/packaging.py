"""Encrypted packaging for HLS and DASH ÷ a plain remux of the same renditions."""

import json
import resource
import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

from appliance.cenc import Label, Scheme
from appliance.storage import Storage
from jobs.making import encryption
from jobs.making.encryption import Encryption, TrackKey
from jobs.planning.chunks import Grid
from jobs.steps import join, package
from jobs.work import Work
from tests.bench import figures
from tests.bench.figures import Figure
from tests.bench.films import Films

_ROUNDS = 7
_LOOPS = 5
_FRAMES = 120 * 24
_JOB = "bench"
_LADDER = ((416, 234), (640, 360), (854, 480), (1280, 720))


def cost(films: Films, folder: Path) -> Iterator[Figure]:
    """Ten minutes in four renditions with sound, cbcs, with the flags that we use.

    Two minutes were encoded and repeated: only bytes are moved here.
    """
    storage = Storage(folder / "media")
    spec = _joined(films.short, folder, storage)
    clear = spec | {"encryption": None}
    remuxed, locked, plain = [], [], []
    for _ in range(_ROUNDS):
        with _scratch(folder) as scratch:
            remuxed.append(_seconds(lambda: _remux(spec, scratch, storage)))
        with _scratch(folder) as scratch:
            locked.append(_seconds(lambda: _package(spec, scratch, storage)))
        with _scratch(folder) as scratch:
            plain.append(_seconds(lambda: _package(clear, scratch, storage)))
    size = sum(path.stat().st_size for path in _inputs(spec, storage)) / 1e6
    note = f"{size:.0f} MB, {_ROUNDS} rounds in turn: cbcs for HLS and DASH ÷ remux"
    yield figures.ratio("packaging cpu", median(locked), median(remuxed), 1.3, note)
    note = "the same, not encrypted ÷ remux"
    yield figures.ratio("packaging clear", median(plain), median(remuxed), None, note)


def _joined(film: Path, folder: Path, storage: Storage) -> dict[str, Any]:
    """Make what is there when packaging begins; return the spec for it."""
    video = [
        {"id": f"v{height}", "name": f"{height}p", "width": width, "height": height}
        for width, height in _LADDER
    ]
    chunks = [f"chunk-{number}" for number in range(_LOOPS)]
    for place in [*chunks, "join", "sound"]:
        storage.path(f"work/{_JOB}/done/{place}").mkdir(parents=True)
    for each in video:
        _encode(film, each, [_done(storage, f"{c}/{each['id']}.mp4") for c in chunks])
    codecs = {each["id"]: {"codec": ""} for each in video}
    for chunk in chunks:
        result = {"frames": _FRAMES, "tracks": codecs}
        text = json.dumps({"ok": True, "result": result})
        _done(storage, f"{chunk}/result.json").write_text(text)
    grid = Grid(_FRAMES * _LOOPS, Fraction(24), 4, 2)
    plan = {"grid": grid.as_spec(), "chunks": chunks, "tracks": list(codecs)}
    join.run(plan, Work(_done(storage, "join"), storage, _JOB))
    sound = f"-t {float(grid.seconds)} -vn -c:a aac -b:a 128k -ac 2 -ar 48000"
    repeat = f"ffmpeg -y -stream_loop {_LOOPS - 1} -i"
    figures.run(repeat, film, sound, _done(storage, "sound/audio.mp4"))
    return {
        "grid": grid.as_spec(),
        "video": video,
        "audio": [
            {"id": "a", "unit": "sound", "language": "en", "label": "", "role": "main"}
        ],
        "text": [],
        "encryption": encryption.sealed(_random_keys(), folder / "keys", _JOB),
    }


def _encode(film: Path, rendition: dict[str, Any], targets: list[Path]) -> None:
    first, *others = targets
    scale = f"-an -vf scale={rendition['width']}:{rendition['height']},setsar=1"
    coding = "-c:v libx264 -preset ultrafast -crf 26 -sc_threshold 0 -g 48 -r 24"
    form = f"-frames:v {_FRAMES} -video_track_timescale 12288"
    figures.run("ffmpeg -y -i", film, scale, coding, form, first)
    for other in others:
        other.hardlink_to(first)


def _done(storage: Storage, name: str) -> Path:
    return storage.path(f"work/{_JOB}/done/{name}")


def _random_keys() -> Encryption:
    keys = {
        label: TrackKey(
            label, secrets.token_hex(16), secrets.token_hex(16), secrets.token_hex(16)
        )
        for label in Label
    }
    return Encryption(Scheme.CBCS, keys)


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    """Give an empty folder; removing what is written there is nobody's cost."""
    scratch = folder / "scratch"
    scratch.mkdir()
    yield scratch
    shutil.rmtree(scratch)


def _package(spec: dict[str, Any], scratch: Path, storage: Storage) -> None:
    keys = storage.root.parent / "keys"
    package.run(spec, Work(scratch, storage, _JOB, keys))


def _remux(spec: dict[str, Any], scratch: Path, storage: Storage) -> None:
    """Copy all renditions with one ffmpeg, so that it starts up only once."""
    inputs: list[str | Path] = []
    outputs: list[str | Path] = []
    for number, path in enumerate(_inputs(spec, storage)):
        inputs += ["-i", path]
        copied = scratch / f"{number}.mp4"
        outputs += [f"-map {number} -c copy -movflags +faststart", copied]
    figures.run("ffmpeg -loglevel error", *inputs, *outputs)


def _inputs(spec: dict[str, Any], storage: Storage) -> list[Path]:
    joined = [_done(storage, f"join/{each['id']}.mp4") for each in spec["video"]]
    return [*joined, _done(storage, "sound/audio.mp4")]


def _seconds(action: Callable[[], object]) -> float:
    """Return the CPU seconds of children and of this process."""
    before = _own()
    return figures.measured(action).cpu + _own() - before


def _own() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime

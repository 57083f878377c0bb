"""Captions by machine: real speech, a real model, no network, and all that may fail."""

import dataclasses
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from appliance.captions import lint, markup, reading
from appliance.catalog import titles
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, InvalidInput, PreconditionFailed
from appliance.media import assets, captions, publishing, uploads
from appliance.media.jobs import JobState
from appliance.objects import Stores
from appliance.permissions import SYSTEM, Role
from appliance.settings import Encode, Settings, Speech
from appliance.storage import Storage
from jobs.machines import announcing
from jobs.machines.announcing import Announcer
from jobs.machines.board import Board
from jobs.machines.gate import Gate
from jobs.machines.lease import Lease
from jobs.making import speech
from jobs.steps import STEPS
from jobs.tools import versions, whisper
from jobs.tools.process import Cancelled, ProcessFailed
from jobs.work import Work
from tests import media_samples, spoken
from tests.builders import Builders
from tests.pipeline.control_room import ControlRoom

pytestmark = pytest.mark.media

WORST_WORD_ERROR_RATE = 0.08
Say = Callable[[str], None]


@pytest.fixture
def room(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock
) -> Iterator[ControlRoom]:
    """A room with a media worker that shows that it recognises speech."""
    spoken.require()
    quick = dataclasses.replace(
        settings,
        encode=Encode(preset="ultrafast", per_title=False),
        speech=spoken.SPEECH,
    )
    room = ControlRoom(db, storage, quick, clock, dict(STEPS))
    held = Lease(storage, lambda: {"versions": versions.installed()})
    held.renew()
    slots = announcing.own_slots(quick)
    announcer = Announcer(quick, storage, Board(), Gate(), slots)
    announcer.look()
    yield room
    announcer.close()
    held.give_back()


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Print where it can be read although the test passes."""

    def say(sentence: str) -> None:
        with capsys.disabled():
            print(f"\n    {sentence}")  # noqa: T201 a figure that is asked for

    return say


def _take_in(room: ControlRoom, clip: Path, **fields: Any) -> str:
    title = titles.create(room.db, SYSTEM, "Spoken", **fields)
    arrival = uploads.take_in(
        *(room.db, room.storage, room.settings, SYSTEM, clip, clip.name),
        keep_source=True,
        title_id=title.id,
    )
    job = room.until_ended(arrival.job)
    assert job.state is JobState.DONE, (job.error_message, job.log_tail)
    return title.slug


def _make(room: ControlRoom, slug: str, language: str = "") -> None:
    job = speech.start(room.db, room.settings, SYSTEM, slug, language)
    ended = room.until_ended(job.public_id)
    assert ended.state is JobState.DONE, (ended.error_message, ended.log_tail)


def test_real_speech_is_captioned_offline(room: ControlRoom, say: Say) -> None:
    clip = spoken.film(room.settings.home, *spoken.PROMPTS)
    slug = _take_in(room, clip)

    begun = time.monotonic()
    _make(room, slug)
    took = time.monotonic() - begun

    [held] = captions.listing(room.db, SYSTEM, slug)
    assert (held.language, held.label, held.auto) == ("en", "English (auto)", True)
    stores = Stores(room.storage, room.settings)
    found = captions.opened(room.db, stores, SYSTEM, slug, held.id)
    heard = spoken.words(
        " ".join(markup.plain(cue.text) for cue in found.captions.cues)
    )
    said = spoken.words(" ".join(spoken.PROMPTS.values()))
    rate = spoken.errors(said, heard) / len(said)
    say(
        f"word error rate {rate:.1%} of {len(said)} words;"
        f" {found.duration:.0f} s of speech in {took:.1f} s, with starting:"
        f" {took / found.duration:.2f} of its duration"
    )
    assert rate <= WORST_WORD_ERROR_RATE
    codes = {finding.code for finding in captions.checked(found)}
    assert codes <= {"fast"}
    assert all(
        len(line) <= lint.width("en")
        for cue in found.captions.cues
        for line in markup.plain(cue.text).split("\n")
    )


def test_a_new_film_is_captioned_without_delaying_it(room: ControlRoom) -> None:
    listening = dataclasses.replace(spoken.SPEECH, automatic=True)
    room.settings = dataclasses.replace(room.settings, speech=listening)
    room.restart()

    slug = _take_in(room, spoken.film(room.settings.home, "tt-weasels"))

    # The film is there before anybody listened to it.
    assert captions.listing(room.db, SYSTEM, slug) == []
    publishing.publish(room.db, room.settings, SYSTEM, slug)
    [job] = room.db.rows("select public_id from jobs where kind = 'captions'")
    assert room.until_ended(job["public_id"]).state is JobState.DONE
    [held] = captions.listing(room.db, SYSTEM, slug)
    assert held.auto


def test_a_film_with_captions_in_its_language_gets_no_others(
    room: ControlRoom, tmp_path: Path
) -> None:
    clip = spoken.film(room.settings.home, "tt-weasels")
    text = tmp_path / "text.srt"
    text.write_text("1\n00:00:00,100 --> 00:00:02,000\nWeasels have eaten it.\n")
    captioned = tmp_path / "captioned.mkv"
    media_samples.ffmpeg(
        *("-i", clip, "-i", text, "-map", "0", "-map", "1", "-c", "copy"),
        *("-metadata:s:s:0", "language=eng", captioned),
    )
    listening = dataclasses.replace(spoken.SPEECH, automatic=True)
    room.settings = dataclasses.replace(room.settings, speech=listening)
    room.restart()

    slug = _take_in(room, captioned)

    [held] = captions.listing(room.db, SYSTEM, slug)
    assert (held.origin, held.cues) == ("source", 1)
    assert room.db.rows("select 1 from jobs where kind = 'captions'") == []


def test_a_protected_film_is_heard_through_its_keys(room: ControlRoom) -> None:
    clip = spoken.film(room.settings.home, "tt-weasels")
    slug = _take_in(room, clip, protected=True)

    _make(room, slug)

    [held] = captions.listing(room.db, SYSTEM, slug)
    stores = Stores(room.storage, room.settings)
    found = captions.opened(room.db, stores, SYSTEM, slug, held.id)
    assert "weasels" in found.captions.cues[0].text.lower()


def test_where_nobody_speaks_there_are_no_captions(room: ControlRoom) -> None:
    clip = media_samples.film(room.settings.home, seconds=3, size="128x96")
    slug = _take_in(room, clip)

    _make(room, slug)

    assert captions.listing(room.db, SYSTEM, slug) == []


def test_asking_twice_is_one_job(room: ControlRoom) -> None:
    slug = _take_in(room, spoken.film(room.settings.home, "tt-weasels"))

    first = speech.start(room.db, room.settings, SYSTEM, slug)
    second = speech.start(room.db, room.settings, SYSTEM, slug)

    assert first.public_id == second.public_id


def test_a_language_that_the_model_does_not_know_is_refused(room: ControlRoom) -> None:
    slug = _take_in(room, spoken.film(room.settings.home, "tt-weasels"))

    with pytest.raises(InvalidInput) as refused:
        speech.start(room.db, room.settings, SYSTEM, slug, "de")

    assert refused.value.code == "speech.language"


def test_only_who_may_edit_the_title_lets_a_machine_listen(
    room: ControlRoom, make: Builders
) -> None:
    slug = _take_in(room, spoken.film(room.settings.home, "tt-weasels"))
    publishing.publish(room.db, room.settings, SYSTEM, slug)
    other = make.actor(Role.CONTRIBUTOR)

    with pytest.raises(Forbidden):
        speech.start(room.db, room.settings, other, slug)


def test_changes_that_nobody_reviewed_stand_in_the_way(room: ControlRoom) -> None:
    slug = _take_in(room, spoken.film(room.settings.home, "tt-weasels"))
    _make(room, slug)
    stores = Stores(room.storage, room.settings)
    [held] = captions.listing(room.db, SYSTEM, slug)
    captions.shift(room.db, stores, SYSTEM, slug, held.id, 100)

    with pytest.raises(Conflict) as refused:
        speech.start(room.db, room.settings, SYSTEM, slug)

    assert refused.value.code == "captions.unreviewed"


def test_what_is_there_no_more_after_planning_ends_the_job(room: ControlRoom) -> None:
    slug = _take_in(room, spoken.film(room.settings.home, "tt-weasels"))
    film = assets.playable(room.db, titles.by_slug(room.db, SYSTEM, slug).id)
    assert film is not None
    broken = dataclasses.replace(spoken.SPEECH, sha256="0" * 64)
    job = speech.start(room.db, room.settings, SYSTEM, slug)
    room.settings = dataclasses.replace(room.settings, speech=broken)
    room.restart()

    ended = room.until_ended(job.public_id)

    assert ended.state is JobState.FAILED
    assert "speech.sha256" in ended.error_message
    assert assets.by_id(room.db, film.id).state == "ready"


# The model


def _copy(tmp_path: Path) -> Path:
    spoken.require()
    folder = tmp_path / "model"
    folder.mkdir()
    for path in whisper.model(spoken.SPEECH).folder.iterdir():
        shutil.copy(path, folder)
    return folder


@pytest.mark.parametrize(
    ("named", "code"),
    [
        ("", "speech.off"),
        ("/no/such/folder", "speech.missing"),
        ("package:no_such_package", "speech.missing"),
        ("package:json", "speech.missing"),
        ("package:../../etc", "speech.missing"),
        ("/usr", "speech.incomplete"),
    ],
)
def test_without_a_model_it_is_said_what_to_do(named: str, code: str) -> None:
    with pytest.raises(PreconditionFailed) as refused:
        whisper.model(Speech(model=named, sha256=spoken.SHA256))

    assert refused.value.code == code
    assert whisper.hindrance(Speech(model=named, sha256=spoken.SHA256))


def test_a_model_is_used_only_with_the_hash_of_the_settings(tmp_path: Path) -> None:
    folder = _copy(tmp_path)
    good = Speech(model=str(folder), sha256=spoken.SHA256.upper())
    assert whisper.model(good).languages == ("en",)

    with pytest.raises(PreconditionFailed) as unpinned:
        whisper.model(Speech(model=str(folder)))
    (folder / "model.bin").unlink()
    (folder / "model.bin").write_bytes(b"another model")
    with pytest.raises(PreconditionFailed) as other:
        whisper.model(good)

    assert unpinned.value.code == "speech.unpinned"
    assert spoken.SHA256 in unpinned.value.message
    assert other.value.code == "speech.other"


def test_a_model_without_its_tokenizer_is_refused_and_nothing_fetched(
    tmp_path: Path,
) -> None:
    folder = _copy(tmp_path)
    (folder / "tokenizer.json").unlink()

    with pytest.raises(PreconditionFailed) as refused:
        whisper.model(Speech(model=str(folder), sha256=spoken.SHA256))

    assert refused.value.code == "speech.incomplete"


# The program that listens


@pytest.fixture
def sound(tmp_path: Path) -> Path:
    spoken.require()
    target = tmp_path / "sound.pcm"
    media_samples.ffmpeg(
        *("-i", spoken.FOLDER / "demo-congrats.wav"),
        *("-ar", "16000", "-ac", "1", "-f", "s16le", target),
    )
    return target


def test_it_listens_where_there_is_no_network_at_all(sound: Path) -> None:
    model = whisper.model(spoken.SPEECH)
    asked = {"model": str(model.folder), "sound": str(sound), "language": "en"}
    command = [
        *("unshare", "--map-root-user", "--net", sys.executable),
        *("-m", "jobs.tools.recogniser", json.dumps(asked | {"threads": 1})),
    ]

    done = subprocess.run(command, capture_output=True, text=True, timeout=120)

    assert done.returncode == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    text = "".join(word[2] for line in lines for word in line.get("words", []))
    assert "successfully installed" in text
    assert lines[-1] == {"end": True}


def test_words_keep_their_times_where_a_long_sound_is_cut(
    sound: Path, tmp_path: Path
) -> None:
    program = (
        "import sys, json, numpy as np; from jobs.tools import recogniser as r;"
        "r._PART, r._LOOK_BACK = 12 * 16000, 6 * 16000; r.main(json.loads(sys.argv[1]))"
    )
    model = whisper.model(spoken.SPEECH)
    asked = {"model": str(model.folder), "sound": str(sound), "language": "en"}
    command = [sys.executable, "-c", program, json.dumps(asked | {"threads": 1})]

    done = subprocess.run(command, capture_output=True, text=True, check=True)

    lines = [json.loads(line) for line in done.stdout.splitlines()]
    words = [word for line in lines for word in line.get("words", [])]
    text = spoken.words("".join(word[2] for word in words))
    said = spoken.words(spoken.PROMPTS["demo-congrats"])
    assert spoken.errors(said, text) / len(said) < 0.15
    starts = [word[0] for word in words]
    assert starts == sorted(starts)
    assert 28_000 < words[-1][1] < 31_000


def test_it_ends_at_once_when_the_work_is_cancelled(
    sound: Path, tmp_path: Path
) -> None:
    cancelled = threading.Event()
    work = Work(
        tmp_path,
        Storage(tmp_path),
        "job",
        progress=lambda *_: cancelled.set(),
        cancelled=cancelled.is_set,
    )
    sound.write_bytes(sound.read_bytes() * 20)

    with pytest.raises(Cancelled):
        whisper.listen(sound, whisper.model(spoken.SPEECH), "en", 1, work)

    assert _listening(tmp_path) == []


def test_when_it_is_killed_the_worker_lives_and_may_try_again(
    sound: Path, tmp_path: Path
) -> None:
    def kill(fraction: float, fps: float | None = None) -> None:
        for pid in _listening(tmp_path):
            os.kill(pid, signal.SIGKILL)

    work = Work(tmp_path, Storage(tmp_path), "job", progress=kill)
    sound.write_bytes(sound.read_bytes() * 20)

    with pytest.raises(ProcessFailed) as failed:
        whisper.listen(sound, whisper.model(spoken.SPEECH), "en", 1, work)

    assert failed.value.code == "process.killed"


def test_when_it_hangs_it_is_stopped(sound: Path, tmp_path: Path) -> None:
    def stop(fraction: float, fps: float | None = None) -> None:
        for pid in _listening(tmp_path):
            os.kill(pid, signal.SIGSTOP)

    work = Work(tmp_path, Storage(tmp_path), "job", progress=stop, stall_seconds=3)
    sound.write_bytes(sound.read_bytes() * 20)

    with pytest.raises(ProcessFailed) as failed:
        whisper.listen(sound, whisper.model(spoken.SPEECH), "en", 1, work)

    assert failed.value.code == "process.stalled"
    assert _listening(tmp_path) == []


def _listening(folder: Path) -> list[int]:
    """Return the processes that listen to a sound of this test."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes()
        except OSError:
            continue
        if b"jobs.tools.recogniser" in command and str(folder).encode() in command:
            found.append(int(path.parent.name))
    return found


def test_text_that_comes_out_can_be_read_again(sound: Path, tmp_path: Path) -> None:
    work = Work(tmp_path, Storage(tmp_path), "job")
    heard = whisper.listen(sound, whisper.model(spoken.SPEECH), "", 1, work)

    assert heard.language == "en"
    assert heard.words[0].text.strip() == "Congratulations!"
    assert reading.stored("WEBVTT\n").cues == ()


def test_a_language_is_known_under_the_codes_of_its_speakers(tmp_path: Path) -> None:
    bilingual = whisper.Model(tmp_path, "", ("no", "tl"))

    assert bilingual.knows("nb-NO")
    assert bilingual.knows("no")
    assert bilingual.knows("fil")
    assert not bilingual.knows("de")

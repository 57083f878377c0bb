"""A graphics processor that fails or hangs: the film is made all the same."""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance import events
from appliance.clock import FixedClock, to_text
from appliance.db import Database
from appliance.errors import TryAgain
from appliance.events import Event
from appliance.media import reports, tracks, uploads
from appliance.media.jobs import JobState
from appliance.media_sections import Hardware
from appliance.permissions import SYSTEM
from appliance.settings import Encode, Queue, Settings
from appliance.storage import Storage
from jobs.encoders import breaker, fallback, hardware, proofs, proving
from jobs.encoders.degrading import Degrading
from jobs.encoders.proofs import Proof, Proofs
from jobs.machines import nodes
from jobs.machines.announcing import Announcer
from jobs.machines.board import Board
from jobs.machines.gate import Gate
from jobs.machines.lease import Lease
from jobs.media_worker import MediaWorker
from jobs.queue import QueueName
from jobs.steps import STEPS
from jobs.tools import versions
from jobs.tools.encoders import Codec, Family
from jobs.work import Work
from tests import media_samples
from tests.doubles.graphics import Graphics
from tests.pipeline.control_room import ControlRoom

NOON = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
NODE = "/dev/dri/renderD128"
PLACE = (Family.VAAPI, NODE, Codec.H264)
PROOF = Proof(Codec.H264, Family.VAAPI, NODE, passed=True, at="", mode="qvbr")


@pytest.fixture(scope="module")
def proved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with a graphics processor, and the proof of a machine that has it."""
    folder = tmp_path_factory.mktemp("proved")
    graphics = Graphics(folder / "graphics")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", graphics.path)
        chosen = Hardware(devices=str(graphics.device))
        settings = Settings(home=folder, hardware=chosen)
        proving.prove(settings, (Codec.H264,))
        yield folder


@dataclass
class Box:
    """A machine with a graphics processor, at work."""

    room: ControlRoom
    graphics: Graphics
    announcer: Announcer

    def film(self, clips: Path) -> str:
        """Take a real film of three chunks in; return its job."""
        clip = media_samples.film(clips, "breaker.mp4", seconds=10, size="640x360")
        source = self.room.settings.home / "film.mp4"
        shutil.copyfile(clip, source)
        arrival = uploads.take_in(
            self.room.db,
            self.room.storage,
            self.room.settings,
            SYSTEM,
            source,
            "film.mp4",
            keep_source=False,
        )
        return arrival.job

    def encodes(self) -> list[tuple[str, str]]:
        """Return family and queue of every chunk."""
        rows = self.room.db.rows("select * from work_units where step = 'encode'")
        specs = [json.loads(row["spec"])["encoder"] for row in rows]
        queues = [row["queue"] for row in rows]
        return [(s["family"], q) for s, q in zip(specs, queues, strict=True)]

    def one_chunk_then(self, mood: str) -> None:
        """Encode a chunk on the device, and one more while it is in another mood."""
        second = self.room.until_handed_out("encode-0001")
        for unit in self.room.queued():
            if unit.name == "encode-0000":
                self.room.run(unit)
        self.room.round()
        assert self.encodes() == [("vaapi", "gpu")] * 2
        self.graphics.mood = mood
        self.room.run(second)
        self.announcer.look()
        self.room.round()


@pytest.fixture
def box(
    db: Database, storage: Storage, settings: Settings, clock: FixedClock, proved: Path
) -> Iterator[Box]:
    graphics = Graphics(proved / "graphics")
    chosen = dataclasses.replace(
        settings,
        encode=Encode(chunk_seconds=4, preset="ultrafast", per_title=False),
        queue=Queue(slots=2, stall_seconds=2, node="box"),
        hardware=Hardware(devices=str(graphics.device), probe_seconds=20),
    )
    shutil.copyfile(proved / "encoders.json", chosen.home / "encoders.json")
    held = Lease(storage, lambda: {"versions": versions.installed()})
    held.renew()
    slots = {QueueName.CPU: 2, QueueName.GPU: 2}
    announcer = Announcer(chosen, storage, Board(), Gate(), slots)
    announcer.look()
    room = ControlRoom(db, storage, chosen, clock, dict(STEPS))
    yield Box(room, graphics, announcer)
    announcer.close()
    held.give_back()


def test_a_film_is_encoded_on_the_graphics_processor_that_passed(
    box: Box, clips: Path
) -> None:
    before = box.graphics.used
    job = box.film(clips)

    ended = box.room.until_ended(job)

    assert ended.state is JobState.DONE
    assert box.graphics.used - before == 2
    assert proving.degraded(box.room.settings) == []


@pytest.mark.parametrize("mood", ["fails", "hangs"])
def test_a_film_gets_all_its_renditions_when_the_device_gives_up_in_the_middle(
    box: Box, clips: Path, mood: str
) -> None:
    job = box.film(clips)

    box.one_chunk_then(mood)

    assert box.encodes() == [("software", "cpu")] * 2
    ended = box.room.until_ended(job)
    assert ended.state is JobState.DONE
    videos = [
        each.name
        for each in tracks.of_asset(box.room.db, ended.asset_id)
        if each.kind == "video"
    ]
    assert videos == ["234p", "360p"]
    assert box.room.ran.count("encode-0000") == 2
    (broken,) = proving.known(box.room.settings).open
    assert broken.place == (Family.VAAPI, str(box.graphics.device), Codec.H264)
    (sentence,) = proving.degraded(box.room.settings)
    assert "does not encode H.264 for now, the processor does" in sentence
    (noted,) = events.before(box.room.db, name=Event.ENCODER_DEGRADE)
    assert (noted.subject, noted.data["why"]) == ("node/box", sentence)


def test_a_device_that_went_away_leaves_its_films_to_the_processor(
    box: Box, clips: Path
) -> None:
    job = box.film(clips)
    first = box.room.until_handed_out("encode-0000")
    box.graphics.device.unlink()
    try:
        box.room.run(first)
        box.room.round()

        assert box.encodes() == [("software", "cpu")] * 2
        assert box.room.until_ended(job).state is JobState.DONE
    finally:
        box.graphics.device.touch()


def test_a_film_that_only_it_can_not_encode_degrades_nothing(
    box: Box, clips: Path
) -> None:
    box.film(clips)
    first = box.room.until_handed_out("encode-0000")
    wrong = first.spec | {"stream": 7}
    work = _work(box, first.job)

    with pytest.raises(TryAgain, match="did not encode this") as caught:
        STEPS["encode"](wrong, work)

    assert caught.value.code == hardware.CODE
    assert proving.known(box.room.settings).open == ()
    with pytest.raises(TryAgain):
        STEPS["encode"](wrong, work)
    # Twice within half an hour is too often.
    assert len(proving.known(box.room.settings).open) == 1


def test_it_is_tested_again_after_a_while_and_used_again_when_it_passes(
    box: Box, clips: Path, clock: FixedClock
) -> None:
    settings, device = box.room.settings, str(box.graphics.device)
    place = (Family.VAAPI, device, Codec.H264)
    past = datetime.now(UTC) - timedelta(minutes=31)
    breaker.trip(settings.home, place, "It hung.", past, 30)
    _see(box)
    assert [each.family for each in _h264(settings)] == [Family.SOFTWARE]

    box.graphics.mood = "refuses"
    proving.tend(_as_proved(box))
    (still,) = proving.known(settings).open
    assert still.why == "No VA display found for the device."
    assert still.since == to_text(past)

    with proofs.changing(settings.home) as held:
        late = dataclasses.replace(still, until=to_text(past))
        held[0] = dataclasses.replace(held[0], breakers=(late,))
    box.graphics.mood = "works"
    proving.tend(_as_proved(box))
    _see(box)

    assert proving.degraded(settings) == []
    assert [each.family for each in _h264(settings)] == [
        Family.SOFTWARE,
        Family.VAAPI,
    ]
    names = [each.name for each in events.latest(box.room.db)]
    assert [n for n in names if n.startswith("encoder:")] == [
        Event.ENCODER_DEGRADE,
        Event.ENCODER_RECOVER,
    ]


def test_what_was_noted_is_not_noted_again_after_a_restart(box: Box) -> None:
    place = (Family.VAAPI, str(box.graphics.device), Codec.H264)
    breaker.trip(box.room.settings.home, place, "It hung.", datetime.now(UTC), 30)
    _see(box)

    _see(box)

    assert len(events.before(box.room.db, name=Event.ENCODER_DEGRADE)) == 1


def test_units_that_nobody_has_the_device_for_any_more_go_to_the_processor(
    box: Box, clips: Path
) -> None:
    box.film(clips)
    box.room.until_handed_out("encode-0000")
    box.announcer.close()
    stranded, now = fallback.Stranded(), box.room.clock.now().timestamp()

    assert stranded.look(box.room.db, box.room.storage, now) == set()
    assert box.encodes() == [("vaapi", "gpu")] * 2
    # A media worker may only be starting again.
    assert stranded.look(box.room.db, box.room.storage, now + 30) == set()
    assert len(stranded.look(box.room.db, box.room.storage, now + 60)) == 1

    assert box.encodes() == [("software", "cpu")] * 2


def test_the_device_of_another_machine_takes_a_chunk_first(
    box: Box, clips: Path
) -> None:
    job = box.film(clips)
    _announce(box, "other", Family.VAAPI)

    box.one_chunk_then("fails")

    assert box.encodes() == [("vaapi", "gpu")] * 2
    assert box.room.unit("encode-0000")["state"] == "done"
    moved = box.room.until_handed_out("encode-0001")
    assert list(moved.spec["encoder"]["tried"]) == ["box"]
    worker = MediaWorker(
        *(box.room.settings, box.room.storage, {}),
        gate=box.announcer.gate,
        others_encode=box.announcer.others_encode,
    )
    worker.answer(QueueName.GPU, moved.job, moved.attempt_key)
    assert not box.room.attempt(moved).claimed
    # There it works: what was finished here is not encoded again.
    box.graphics.mood = "works"
    box.room.run(moved)
    _mend(box)
    assert box.room.until_ended(job).state is JobState.DONE
    assert box.room.ran.count("encode-0000") == 1


def test_a_device_of_another_kind_is_better_than_the_processor(
    box: Box, clips: Path
) -> None:
    job = box.film(clips)
    _announce(box, "other", Family.NVENC)

    box.one_chunk_then("fails")

    assert box.encodes() == [("nvenc", "gpu")] * 2
    assert box.room.unit("encode-0000")["state"] != "done"
    encode = next(
        step for step in reports.report(box.room.db, job).steps if step.name == "encode"
    )
    assert encode.encoder == "nvenc"
    assert encode.fallback.startswith("NVENC encodes H.264 in place of VA-API. box: ")


def test_the_processor_encodes_what_no_machine_s_device_managed(
    box: Box, clips: Path
) -> None:
    job = box.film(clips)
    _announce(box, "other", Family.VAAPI)
    box.one_chunk_then("fails")
    unit = box.room.until_handed_out("encode-0001")

    fallback.let_another(
        box.room.db, box.room.storage, unit, "It hung there, too.", "other"
    )

    assert box.encodes() == [("software", "cpu")] * 2
    assert box.room.until_ended(job).state is JobState.DONE
    encode = next(
        step for step in reports.report(box.room.db, job).steps if step.name == "encode"
    )
    assert encode.encoder == "software"
    assert encode.fallback.startswith("The processor encodes H.264 in place of VA-API.")
    assert encode.fallback.endswith("other: It hung there, too.")


def test_units_whose_last_machine_left_go_to_the_processor(
    box: Box, clips: Path
) -> None:
    box.film(clips)
    other = _announce(box, "other", Family.VAAPI)
    box.one_chunk_then("fails")
    other.unlink()
    stranded, now = fallback.Stranded(), box.room.clock.now().timestamp()

    # This machine's own device works again, and yet it has tried in vain.
    _mend(box)
    stranded.look(box.room.db, box.room.storage, now)
    stranded.look(box.room.db, box.room.storage, now + 60)

    assert box.encodes() == [("software", "cpu")] * 2


def test_giving_up_twice_changes_nothing_more(box: Box, clips: Path) -> None:
    box.film(clips)
    unit = box.room.until_handed_out("encode-0000")
    for _ in range(2):
        fallback.let_another(box.room.db, box.room.storage, unit, "It hung.", "box")

    assert box.encodes() == [("software", "cpu")] * 2
    spec = json.loads(box.room.unit("encode-0001")["spec"])["encoder"]
    assert spec["instead_of"] == "vaapi"
    assert spec["fallback"] == (
        "The processor encodes H.264 in place of VA-API. box: It hung."
    )


def test_a_breaker_counts_from_its_first_failure_until_its_last(tmp_path: Path) -> None:
    assert not breaker.trip(tmp_path, PLACE, "It failed.", NOON, 30)
    later = NOON + timedelta(minutes=10)
    assert breaker.trip(tmp_path, PLACE, "It hung.", later, 30)

    (found,) = proofs.read(tmp_path).open
    assert (found.since, found.why) == (to_text(NOON), "It hung.")
    assert breaker.due(proofs.read(tmp_path), later + timedelta(minutes=29)) == []
    assert breaker.due(proofs.read(tmp_path), later + timedelta(minutes=30)) == [found]


def test_a_passed_test_closes_a_breaker_and_is_remembered_for_a_while(
    tmp_path: Path,
) -> None:
    breaker.trip(tmp_path, PLACE, "It failed.", NOON, 30)
    breaker.passed(tmp_path, PROOF, NOON + timedelta(minutes=1))
    assert proofs.read(tmp_path).open == ()

    assert breaker.trip(tmp_path, PLACE, "Again.", NOON + timedelta(minutes=5), 30)
    breaker.passed(tmp_path, PROOF, NOON + timedelta(hours=1))
    assert not breaker.trip(tmp_path, PLACE, "New.", NOON + timedelta(hours=2), 30)


def test_a_torn_file_means_that_nothing_was_tested(tmp_path: Path) -> None:
    (tmp_path / "encoders.json").write_text('{"node": "x", "proofs": [{"co')

    assert proofs.read(tmp_path) == Proofs()


def _work(box: Box, job: str) -> Work:
    folder = box.room.settings.home / "scratch"
    folder.mkdir(exist_ok=True)
    settings = box.room.settings
    return Work(
        folder,
        box.room.storage,
        job,
        home=settings.home,
        hardware=settings.hardware,
    )


def _see(box: Box) -> None:
    """Let the control side, started anew, see what the machine announces."""
    box.announcer.look()
    now = box.room.clock.now().timestamp()
    Degrading().look(box.room.db, box.room.storage, now)


def _h264(settings: Settings) -> list[proving.Usable]:
    return [each for each in proving.usable(settings) if each.codec is Codec.H264]


def _as_proved(box: Box) -> Settings:
    """Return the settings with which everything was tested."""
    assert not proving.due(box.room.settings)
    return box.room.settings


def _announce(box: Box, name: str, family: Family) -> Path:
    """Let another machine with a graphics processor be there."""
    encoder = {"codec": "h264", "family": family, "device": NODE, "fps": 100}
    told = {"name": name, "slots": {"gpu": 1}, "encoders": [encoder], "place": "there"}
    place = nodes.FOLDER / f"{name}.json"
    return box.room.storage.write(place, json.dumps(told).encode())


def _mend(box: Box) -> None:
    """Let the breaker of this machine be closed."""
    with proofs.changing(box.room.settings.home) as held:
        held[0] = dataclasses.replace(held[0], breakers=())
    box.announcer.look()

"""The test of encoders: on this processor, and on a graphics processor with moods."""

import dataclasses
import json
import threading
from pathlib import Path

import pytest

from appliance.media_sections import Hardware
from appliance.settings import Settings
from jobs.encoders import devices, encoder_list, prover, proving
from jobs.encoders.encoder_list import EncoderState
from jobs.encoders.proofs import Proof
from jobs.steps.graphics import Part
from jobs.tools.encoders import Codec, Family
from tests.conftest import Matinee
from tests.doubles.graphics import Graphics

NODE = "/dev/dri/renderD128"


@pytest.fixture
def graphics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Graphics:
    graphics = Graphics(tmp_path / "graphics")
    monkeypatch.setenv("PATH", graphics.path)
    return graphics


@pytest.fixture
def machine(tmp_path: Path, graphics: Graphics) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    chosen = Hardware(devices=str(graphics.device), family="vaapi", probe_seconds=30)
    return Settings(home=home, hardware=chosen)


def test_the_processor_is_tested_with_every_codec(settings: Settings) -> None:
    found = proving.tend(settings)

    assert [each.codec for each in found.proofs] == list(Codec)
    for each in found.proofs:
        assert (each.family, each.device) == (Family.SOFTWARE, "")
        assert each.passed, each.why
        assert each.fps > 0
        assert each.ssim > 0.97
    assert [each.codec for each in proving.usable(settings)] == list(Codec)
    assert proving.degraded(settings) == []
    assert not proving.due(settings)


def test_before_any_test_the_processor_encodes_what_there_are_encoders_for(
    settings: Settings,
) -> None:
    usable = proving.usable(settings)

    assert [(each.codec, each.family) for each in usable] == [
        (codec, Family.SOFTWARE) for codec in Codec
    ]
    assert proving.due(settings)


def test_a_graphics_processor_is_used_for_all_that_it_does_well(
    machine: Settings, graphics: Graphics
) -> None:
    found = proving.prove(machine, (Codec.H264,))

    proof = found.of(Codec.H264, Family.VAAPI, str(graphics.device))
    assert proof is not None
    assert proof.passed, proof.why
    assert proof.mode == "qvbr"
    assert set(proof.parts) == set(Part)
    assert proof.driver == "Driver of the test 1.0"
    h264 = [each for each in proving.usable(machine) if each.codec is Codec.H264]
    assert [each.family for each in h264] == [Family.SOFTWARE, Family.VAAPI]
    only_cpu = Hardware(family="software")
    without = dataclasses.replace(machine, hardware=only_cpu)
    assert {each.family for each in proving.usable(without)} == {Family.SOFTWARE}


@pytest.mark.parametrize("family", [Family.QSV, Family.NVENC])
def test_quick_sync_and_nvenc_do_all_of_it_as_well(
    machine: Settings, graphics: Graphics, family: Family
) -> None:
    device = str(graphics.device)

    proof = prover.test(machine.home, machine.hardware, family, device, Codec.H264)

    assert proof.passed, proof.why
    assert set(proof.parts) == set(Part)
    assert proof.without == ()


def test_what_the_processor_must_do_for_a_device_is_said_with_why(
    machine: Settings, graphics: Graphics
) -> None:
    graphics.lists_no("tonemap_vaapi")

    proof = _test(machine, graphics)

    assert set(proof.parts) == set(Part) - {Part.TONEMAP}
    assert proof.without == ("tonemap: this ffmpeg lists no tonemap_vaapi (transfer)",)


def test_a_driver_that_can_not_cap_a_quality_gets_the_next_best(
    machine: Settings, graphics: Graphics
) -> None:
    graphics.mood = "quality"

    proof = _test(machine, graphics)

    assert (proof.passed, proof.mode) == (True, "icq")


def test_what_fails_its_test_is_not_used_and_says_why(
    machine: Settings, graphics: Graphics
) -> None:
    graphics.mood = "refuses"

    found = proving.prove(machine, (Codec.H264,))

    proof = found.of(Codec.H264, Family.VAAPI, str(graphics.device))
    assert proof is not None
    assert (proof.passed, proof.why) == (False, "No VA display found for the device.")
    assert {each.family for each in proving.usable(machine)} == {Family.SOFTWARE}


def test_what_hangs_in_its_test_has_failed_it(
    machine: Settings, graphics: Graphics
) -> None:
    graphics.mood = "hangs"
    hurried = dataclasses.replace(machine.hardware, probe_seconds=6)

    proof = prover.test(
        machine.home, hurried, Family.VAAPI, str(graphics.device), Codec.H264
    )

    assert not proof.passed
    assert proof.why == "it took longer than 6 seconds and was stopped"
    # Of one that hangs no other way is tried.
    assert graphics.used == 1


def test_an_encoder_that_no_driver_here_opens_has_failed(
    machine: Settings, graphics: Graphics
) -> None:
    device = str(graphics.device)

    proof = prover.test(machine.home, machine.hardware, Family.VAAPI, device, Codec.AV1)

    assert not proof.passed
    assert "Device creation failed" in proof.why


def test_everything_is_tested_again_after_a_boot_and_when_an_ffmpeg_was_replaced(
    settings: Settings,
) -> None:
    proving.prove(settings, (Codec.H264,))
    assert not proving.due(settings)
    path = settings.home / "encoders.json"
    proved = json.loads(path.read_text())

    for changed in (
        {"node": "another boot"},
        {"ffmpeg": {"ffmpeg": "4.4"}},
        {"ffmpeg": proved["ffmpeg"] | {"matinee": "0.0.1"}},
        {"devices": [NODE]},
    ):
        path.write_text(json.dumps(proved | changed))
        assert proving.due(settings)


def test_sessions_of_a_device_are_limited_and_given_back(tmp_path: Path) -> None:
    def busy() -> bool:
        return True

    def free() -> bool:
        return False

    with devices.session(tmp_path, [NODE], 2, free) as first:
        with devices.session(tmp_path, [NODE, "/dev/dri/renderD129"], 2, free) as other:
            assert (first, other) == (NODE, "/dev/dri/renderD129")
        with devices.session(tmp_path, [NODE], 2, free) as second:
            asked = iter([False, True])
            with devices.session(tmp_path, [NODE], 2, lambda: next(asked)) as third:
                assert (second, third) == (NODE, None)
    with devices.session(tmp_path, [NODE], 1, free) as again:
        assert again == NODE
    with devices.session(tmp_path, [NODE], 1, busy) as cancelled:
        assert cancelled is None


def test_whoever_waits_for_a_session_gets_the_next_one(tmp_path: Path) -> None:
    got: list[str | None] = []

    def wait() -> None:
        with devices.session(tmp_path, [NODE], 1, lambda: False) as device:
            got.append(device)

    thread = threading.Thread(target=wait)
    with devices.session(tmp_path, [NODE], 1, lambda: False):
        thread.start()
        thread.join(0.3)
        assert got == []
    thread.join(10)
    assert got == [NODE]


def test_only_devices_that_are_there_and_wanted_count(tmp_path: Path) -> None:
    there = tmp_path / "renderD128"
    there.touch()
    chosen = Hardware(devices=f"{there}, {tmp_path}/renderD129")

    assert devices.of_family(chosen, Family.VAAPI) == [str(there)]
    assert devices.present(chosen) == {str(there)}
    assert devices.present(dataclasses.replace(chosen, family="software")) == set()
    wanted = dataclasses.replace(chosen, family="qsv")
    assert devices.of_family(wanted, Family.VAAPI) == []
    assert devices.of_family(wanted, Family.QSV) == [str(there)]


def test_the_list_says_what_is_used_and_what_failed(
    machine: Settings, graphics: Graphics
) -> None:
    graphics.mood = "refuses"
    proving.prove(machine, (Codec.H264,))

    listed = encoder_list.listing(machine)

    states = {(each.codec, each.family): each.state for each in listed}
    assert states == {
        (Codec.H264, Family.SOFTWARE): EncoderState.USED,
        (Codec.H264, Family.VAAPI): EncoderState.FAILED,
        (Codec.HEVC, Family.SOFTWARE): EncoderState.UNTESTED,
        (Codec.AV1, Family.SOFTWARE): EncoderState.UNTESTED,
    }


def test_commands_test_list_and_measure_encoders(matinee: Matinee) -> None:
    refused = matinee("encoder", "bench")
    assert refused.exit_code == 3
    assert "matinee encoder probe" in refused.stderr

    probed = matinee("encoder", "probe", "--codec", "h264")
    assert probed.exit_code == 0, probed.output
    assert "No graphics processor was found" in probed.stderr

    listed = json.loads(matinee("encoder", "list", "--json").stdout)
    (tested,) = [each for each in listed["encoders"] if each["tested_at"]]
    assert (tested["codec"], tested["state"]) == ("h264", "used")
    assert (listed["degraded"], listed["due"]) == ([], False)

    (measured,) = json.loads(matinee("encoder", "bench", "--json").stdout)
    assert measured["cpu"] > 0
    assert measured["kbps"] > 100


def test_the_doctor_says_who_encodes(matinee: Matinee) -> None:
    found = {
        each["id"]: each
        for each in json.loads(matinee("doctor", "--json").stdout)["checks"]
    }

    assert found["ffmpeg.encoders"]["level"] == "ok"
    assert "the processor encodes" in found["ffmpeg.encoders"]["sentence"]


def _test(machine: Settings, graphics: Graphics) -> Proof:
    return prover.test(
        machine.home,
        machine.hardware,
        Family.VAAPI,
        str(graphics.device),
        Codec.H264,
    )

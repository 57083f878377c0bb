"""Secrets for workers: opened by the right machine for the right job only."""

import base64
from pathlib import Path

import pytest

from appliance.errors import ConfigError, PreconditionFailed
from appliance.protection import sealing

SECRET = {"keys": [{"kid": "00" * 16, "key": "c0ffee" * 5 + "42"}]}


def test_what_was_sealed_comes_back(tmp_path: Path) -> None:
    sealed = sealing.seal(tmp_path, SECRET, "job/1")

    assert sealing.unseal(tmp_path, sealed, "job/1") == SECRET
    assert (tmp_path / "worker.key").stat().st_mode & 0o777 == 0o600


def test_nothing_of_it_can_be_read(tmp_path: Path) -> None:
    sealed = sealing.seal(tmp_path, SECRET, "job/1")

    raw = base64.urlsafe_b64decode(sealed)
    assert b"c0ffee" not in raw
    assert b"keys" not in raw
    assert sealed != sealing.seal(tmp_path, SECRET, "job/1")


def test_it_opens_for_no_other_purpose(tmp_path: Path) -> None:
    sealed = sealing.seal(tmp_path, SECRET, "job/1")

    with pytest.raises(PreconditionFailed) as refusal:
        sealing.unseal(tmp_path, sealed, "job/2")

    assert refusal.value.code == "protection.sealed"
    assert "c0ffee" not in repr(refusal.value)


def test_it_opens_under_no_other_key(tmp_path: Path) -> None:
    sealed = sealing.seal(tmp_path / "control", SECRET, "job/1")
    sealing.seal(tmp_path / "worker", {}, "job/1")

    with pytest.raises(PreconditionFailed, match=r"worker\.key must be the one"):
        sealing.unseal(tmp_path / "worker", sealed, "job/1")


def test_a_worker_without_the_key_says_so_and_makes_none(tmp_path: Path) -> None:
    sealed = sealing.seal(tmp_path / "control", SECRET, "job/1")

    with pytest.raises(PreconditionFailed, match="copy it") as refusal:
        sealing.unseal(tmp_path / "worker", sealed, "job/1")

    assert refusal.value.code == "protection.worker-key"
    assert not (tmp_path / "worker").exists()


def test_a_damaged_key_file_is_named(tmp_path: Path) -> None:
    sealed = sealing.seal(tmp_path, SECRET, "job/1")
    (tmp_path / "worker.key").write_text("no key")

    with pytest.raises(ConfigError, match="restore it"):
        sealing.unseal(tmp_path, sealed, "job/1")


@pytest.mark.parametrize("position", [0, 5, 15, 40, -3])
def test_what_was_altered_does_not_open(tmp_path: Path, position: int) -> None:
    raw = bytearray(base64.urlsafe_b64decode(sealing.seal(tmp_path, SECRET, "job/1")))
    raw[position] ^= 1

    with pytest.raises(PreconditionFailed):
        sealing.unseal(tmp_path, base64.urlsafe_b64encode(raw).decode(), "job/1")


@pytest.mark.parametrize("text", ["", "a", "AQ==", "no base64!", "ä" * 40, "A" * 64])
def test_what_was_never_sealed_does_not_open(tmp_path: Path, text: str) -> None:
    sealing.seal(tmp_path, SECRET, "job/1")

    with pytest.raises(PreconditionFailed):
        sealing.unseal(tmp_path, text, "job/1")

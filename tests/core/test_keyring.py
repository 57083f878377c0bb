"""Keys: made once, kept secret, never replaced by accident."""

import os
import threading
from pathlib import Path

import pytest

from appliance import keyring
from appliance.errors import ConfigError


def test_a_key_stays_the_same(tmp_path: Path) -> None:
    assert keyring.key(tmp_path, "web") == keyring.key(tmp_path, "web")


def test_every_name_has_a_key_of_its_own(tmp_path: Path) -> None:
    assert keyring.key(tmp_path, "web") != keyring.key(tmp_path, "media")


def test_only_the_owner_may_read_a_key(tmp_path: Path) -> None:
    folder = tmp_path / "keys"

    keyring.key(folder, "web")

    assert (folder / "web.key").stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a file away")
def test_what_root_makes_belongs_to_the_owner_of_the_folder(tmp_path: Path) -> None:
    os.chown(tmp_path, 4321, 1234)

    keyring.key(tmp_path, "web")

    made = (tmp_path / "web.key").stat()
    assert (made.st_uid, made.st_gid) == (4321, 1234)


def test_several_at_once_get_the_same_key(tmp_path: Path) -> None:
    found: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: found.append(keyring.key(tmp_path, "web")))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["web.key"]


@pytest.mark.parametrize("content", ["", "abc", "zz" * 32, "ab" * 31])
def test_a_damaged_key_is_not_replaced(tmp_path: Path, content: str) -> None:
    (tmp_path / "web.key").write_text(content)

    with pytest.raises(ConfigError, match="backup"):
        keyring.key(tmp_path, "web")

    assert (tmp_path / "web.key").read_text() == content

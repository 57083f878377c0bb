"""SQLite is kept off file systems that reach over a network."""

import dataclasses
from pathlib import Path

import pytest

from appliance import file_systems
from appliance.errors import PreconditionFailed
from appliance.settings import Queue, Settings

# As the kernel writes it: blanks are octal, and a later mount hides an earlier one.
_TABLE = """\
22 1 254:0 / / rw,relatime shared:1 - ext4 /dev/vda rw
31 22 0:40 / /srv/media rw - nfs4 nas:/films rw,vers=4.2
32 22 0:41 / /srv/with\\040blank rw master:2 - cifs //nas/films rw
33 22 0:42 / /home/films rw - fuse.sshfs ada@nas:/films rw
34 22 0:43 / /home/films/local rw - tmpfs tmpfs rw
35 22 0:44 / /vm rw - 9p host rw
36 22 254:1 / /twice rw - ext4 /dev/vdb rw
37 36 0:45 / /twice rw - nfs nas:/twice rw
"""


@pytest.fixture
def mounts(tmp_path: Path) -> Path:
    path = tmp_path / "mountinfo"
    path.write_text(_TABLE)
    return path


@pytest.mark.parametrize(
    ("path", "kind", "local"),
    [
        ("/var/lib/matinee", "ext4", True),
        ("/srv/media/matinee", "nfs4", False),
        ("/srv/mediaother", "ext4", True),
        ("/srv/with blank/x", "cifs", False),
        ("/home/films/x", "fuse.sshfs", False),
        ("/home/films/local/x", "tmpfs", True),
        ("/vm/x", "9p", False),
        ("/twice/x", "nfs", False),
    ],
)
def test_each_path_is_known_by_the_mount_that_it_lies_on(
    mounts: Path, path: str, kind: str, local: bool
) -> None:
    found = file_systems.of(Path(path), mounts)

    assert (found.kind, found.local) == (kind, local)


def test_a_database_on_a_share_is_refused(settings: Settings, mounts: Path) -> None:
    home = dataclasses.replace(settings, home=Path("/srv/media/home"))

    with pytest.raises(PreconditionFailed, match=r"nfs4 \(nas:/films\)"):
        file_systems.require_local(home, mounts)


def test_a_queue_on_a_share_is_refused_unless_it_is_in_redis(mounts: Path) -> None:
    home = Settings(home=Path("/srv/media/home"))
    moved = dataclasses.replace(
        home,
        storage=dataclasses.replace(home.storage, database="/var/lib/matinee.db"),
    )

    with pytest.raises(PreconditionFailed, match="The queue lies"):
        file_systems.require_local(moved, mounts)
    file_systems.require_local(
        dataclasses.replace(moved, queue=Queue(url="redis://10.0.0.1")), mounts
    )


def test_this_machine_is_its_own(settings: Settings) -> None:
    file_systems.require_local(settings)

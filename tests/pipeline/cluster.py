"""A cluster on a network of its own: one machine decides, others do media work.

The machine that decides also has Redis and the films; the others reach the films over
the network, as over NFS. Every machine has a home of its own, and no other one's locks
mean anything to it.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from appliance import migrations
from appliance import settings as configuration
from appliance.settings import Settings
from tests.pipeline.lan import Lan, lan
from tests.pipeline.served_home import kill, until

MATINEE = str(Path(sys.executable).with_name("matinee"))
_SFTP = "/usr/lib/openssh/sftp-server"
_REDIS_PORT, _FILES_PORT = 6379, 2049
PASSWORD = "not-to-be-logged"
_READY_SECONDS = 60

can_share = (
    Path("/dev/fuse").exists()
    and Path(_SFTP).exists()
    and all(shutil.which(name) for name in ("sshfs", "socat", "redis-server"))
)


@dataclass
class Cluster:
    """``homes`` by the names of the machines; that which decides is ``control``."""

    folder: Path
    lan: Lan
    environment: Mapping[str, str]
    homes: dict[str, Path] = field(default_factory=dict)
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)
    mounts: list[Path] = field(default_factory=list)

    @property
    def settings(self) -> Settings:
        """The settings of the machine that decides, as seen from the test."""
        return configuration.load(environ=self._environment("control"))

    def start_control(self) -> None:
        self.start("control", "worker", "--control")

    def join(self, name: str, *, core: int, share: bool = True, **extra: str) -> None:
        """Let another machine do media work, on one core."""
        if name not in self.lan.machines:
            self.lan.machine(name)
            self.homes[name] = self.folder / name
            self.homes[name].mkdir()
            if share:
                self._mount(name)
        command = ("worker", "--media")
        self.start(name, *command, core=core, share=share, **extra)

    def start(
        self,
        name: str,
        *words: str,
        core: int | None = None,
        share: bool = False,
        **extra: str,
    ) -> None:
        """Start a part of Matinee on a machine; its log lies in its home."""
        media = self.folder / name / "media" if share else self.folder / "films"
        environment = self._environment(name) | {
            "MATINEE_STORAGE_MEDIA": str(media),
            "MATINEE_QUEUE_NODE": name,
            **extra,
        }
        pinned = ["taskset", "-c", str(core)] if core is not None else []
        with (self.homes[name] / "log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                self.lan.machines[name].command(*pinned, MATINEE, *words),
                env=environment,
                cwd=self.homes[name],
                stdout=log,
                stderr=log,
            )

    def log(self, name: str) -> str:
        return (self.homes[name] / "log").read_text()

    def processes(self, name: str, part: str = "") -> list[int]:
        """Return the processes of a machine whose command names the part."""
        mark = f"MATINEE_HOME={self.homes[name]}".encode()
        found = []
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                ours = mark in (path / "environ").read_bytes().split(b"\0")
                if ours and part.encode() in (path / "cmdline").read_bytes():
                    found.append(int(path.name))
        return found

    def stop(self, name: str) -> None:
        """Kill -9 all of Matinee on a machine."""
        for pid in self.processes(name):
            kill(pid)
        if name in self.running:
            self.running.pop(name).wait()

    def start_redis(self) -> None:
        """Start Redis empty, as after a loss of everything it had."""
        machine = self.lan.machines["control"]
        options = f"bind {machine.address}\nport {_REDIS_PORT}\nsave ''\n"
        redis = subprocess.Popen(
            machine.command("redis-server", "-"),
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            cwd=self.folder,
        )
        assert redis.stdin is not None
        with redis.stdin as told:
            told.write(f"{options}requirepass {PASSWORD}\n".encode())
        self.running["redis"] = redis

    def stop_redis(self) -> None:
        redis = self.running.pop("redis")
        redis.kill()
        redis.wait()

    def _mount(self, name: str) -> None:
        """Mount the films of the control machine over the network."""
        place = self.homes[name] / "media"
        place.mkdir()
        server = self.lan.machines["control"].address
        options = f"directport={_FILES_PORT},dir_cache=no"
        command = ("sshfs", f"{server}:{self.folder}/films", str(place), "-o", options)
        subprocess.run(self.lan.machines[name].command(*command), check=True)
        self.mounts.append(place)

    def _environment(self, name: str) -> dict[str, str]:
        home = str(self.homes[name])
        return {**self.environment, "MATINEE_HOME": home}

    def _serve_files(self) -> None:
        listen = f"TCP-LISTEN:{_FILES_PORT},fork,reuseaddr"
        self.running["files"] = subprocess.Popen(
            self.lan.machines["control"].command("socat", listen, f"EXEC:{_SFTP}")
        )


@contextmanager
def cluster(folder: Path, **settings: str) -> Iterator[Cluster]:
    """Build a cluster that has nobody yet to do media work."""
    with lan() as found:
        address = found.machine("control").address
        url = f"redis://:{PASSWORD}@{address}:{_REDIS_PORT}/0"
        environment = {
            **os.environ,
            "MATINEE_QUEUE_URL": url,
            "MATINEE_STORAGE_MEDIA": str(folder / "films"),
            **settings,
        }
        built = Cluster(folder, found, environment)
        built.homes["control"] = folder / "control"
        built.homes["control"].mkdir(parents=True)
        (folder / "films").mkdir()
        migrations.migrate(built.settings.database)
        try:
            built._serve_files()
            built.start_redis()
            built.start_control()
            ready = folder / "films/work/.nodes/control.lease"
            until(ready.exists, seconds=_READY_SECONDS)
            yield built
        finally:
            _end(built)


def _end(built: Cluster) -> None:
    for name in built.lan.machines:
        # A machine that is cut off could not be unmounted.
        built.lan.mend(name)
    for place in built.mounts:
        subprocess.run(["umount", "-l", str(place)], check=False)
    for name in built.homes:
        built.stop(name)
    for process in built.running.values():
        process.kill()
        process.wait()

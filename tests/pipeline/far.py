"""A control worker, and media workers that share no folder with it: Redis and S3 only.

Each machine is a home of its own, with its own processes; a far one has an empty folder
in place of the films.
"""

import os
import signal
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from appliance import migrations
from appliance import settings as configuration
from appliance.db import Database
from appliance.media import jobs, uploads
from appliance.media.uploads import Arrival
from appliance.permissions import SYSTEM
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import queue
from jobs.machines import nodes
from tests.host.object_server import BUCKET, ObjectServer
from tests.pipeline.redis_server import RedisServer
from tests.pipeline.served_home import MATINEE, kill, until

CONTROL = "control"
_READY_SECONDS = 60


@dataclass
class FarAway:
    """``homes`` and ``running`` are by the names of machines."""

    folder: Path
    bucket: ObjectServer
    redis: RedisServer
    environment: Mapping[str, str]
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return self.settings_of(CONTROL)

    @property
    def storage(self) -> Storage:
        return Storage(self.settings.media)

    def settings_of(self, name: str) -> Settings:
        return configuration.load(environ=self._environment(name))

    def start(self, name: str, *words: str, **extra: str) -> None:
        """Start workers on a machine; its log lies in its home."""
        home = self.folder / name
        home.mkdir(exist_ok=True)
        self.bucket.used_by(self.settings_of(name))
        with (home / "log").open("ab") as log:
            self.running[name] = subprocess.Popen(
                [MATINEE, "worker", *words],
                env=self._environment(name) | extra,
                cwd=home,
                stdout=log,
                stderr=log,
            )

    def join(self, name: str, **extra: str) -> None:
        """Let a far machine do media work."""
        extra = {"MATINEE_QUEUE_EXCHANGE": "objects", **extra}
        self.start(name, "--media", **extra)

    @contextmanager
    def beside(self, name: str, roles: str) -> Iterator["subprocess.Popen[str]"]:
        """Run a further worker on a far machine, with the roles of its own."""
        process = subprocess.Popen(
            [MATINEE, "worker", "--media", "--roles", roles],
            env=self._environment(name) | {"MATINEE_QUEUE_EXCHANGE": "objects"},
            cwd=self.folder / name,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            kill(process.pid)
            process.communicate()

    def kill(self, name: str) -> None:
        """Kill -9 everything on a machine."""
        process = self.running.pop(name)
        kill(process.pid)
        process.wait()

    def leave(self, name: str) -> int:
        """Let a machine end what it has begun; return its exit status."""
        process = self.running.pop(name)
        process.send_signal(signal.SIGINT)
        return process.wait(60)

    def log(self, name: str) -> str:
        return (self.folder / name / "log").read_text()

    def take_in(
        self, db: Database, clip: Path, settings: Settings | None = None
    ) -> Arrival:
        arrival = uploads.take_in(
            db,
            self.storage,
            settings or self.settings,
            SYSTEM,
            clip,
            clip.name,
            keep_source=True,
        )
        queue.wake(self.settings, arrival.job)
        return arrival

    def takes(self, name: str, db: Database) -> bool:
        """Say whether a machine is known to take work."""
        found = nodes.listing(self.storage, db.clock.now().timestamp())
        return any(node.name == name and node.takes for node in found)

    def roles(self, name: str, db: Database) -> set[tuple[str, ...]]:
        """Return the roles of each worker that takes work on a machine."""
        found = nodes.listing(self.storage, db.clock.now().timestamp())
        return {node.roles for node in found if node.name == name and node.takes}

    def left_over(self, job: str) -> list[Path]:
        """Return the objects of a job that lie in the bucket."""
        found = (self.bucket.folder / "work" / job).rglob("*")
        return [path for path in found if path.is_file()]

    def _environment(self, name: str) -> dict[str, str]:
        home = self.folder / name
        return {
            **self.environment,
            "MATINEE_HOME": str(home),
            "MATINEE_STORAGE_MEDIA": str(home / "media"),
            "MATINEE_QUEUE_NODE": name,
        }


@contextmanager
def far_away(folder: Path, bucket: ObjectServer, **settings: str) -> Iterator[FarAway]:
    """Start Redis and a control worker; nobody is there yet to do media work."""
    with RedisServer(folder) as redis:
        environment = {
            **os.environ,
            "MATINEE_QUEUE_URL": redis.url,
            "MATINEE_QUEUE_SLOTS": "1",
            "MATINEE_OBJECTS_BUCKET": BUCKET,
            "MATINEE_OBJECTS_ENDPOINT": bucket.url,
            "MATINEE_OBJECTS_TIMEOUT_SECONDS": "5",
            "MATINEE_ENCODE_PER_TITLE": "false",
            "MATINEE_ENCODE_PRESET": "ultrafast",
            "MATINEE_ENCODE_CHUNK_SECONDS": "4",
            **settings,
        }
        built = FarAway(folder, bucket, redis, environment)
        (folder / CONTROL).mkdir()
        migrations.migrate(built.settings.database)
        built.start(CONTROL, "--control")
        try:
            ready = built.settings.media / "work/.nodes/control.lease"
            until(ready.exists, seconds=_READY_SECONDS)
            yield built
        finally:
            for name in list(built.running):
                built.kill(name)


def ended(db: Database, arrival: Arrival) -> bool:
    return not jobs.by_public_id(db, arrival.job).open

"""A cluster on machines of the lab, set up by Ansible over ssh as its owner would.

One machine decides; two do media work through Redis and an object storage alone; one
is a caching server. The operator sits on the bridge, and so does the object storage.
"""

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.doubles.authority import Authority
from tests.host import lab
from tests.host.installed import ADMINISTRATOR, PASSWORD, Appliance
from tests.host.lab import Box, Done, Network, seat
from tests.host.lab.network import SUBNET
from tests.host.lab.seat import Seat

# The names and addresses of the example inventory.
CONTROL, WORKERS, EDGE = "films", ("encoder-1", "encoder-2"), "berlin"
_ADDRESSES = {
    CONTROL: "10.20.0.10",
    WORKERS[0]: "10.20.0.21",
    WORKERS[1]: "10.20.0.22",
    EDGE: "10.21.0.10",
}
_S3_PORT = 9000
_S3 = ("MATINEETESTS", "a-secret-of-the-tests")


@dataclass
class Cluster:
    """``took`` is how many seconds each playbook ran."""

    net: Network
    seat: Seat
    inventory: Path
    took: dict[str, float] = field(default_factory=dict)

    @property
    def control(self) -> Appliance:
        return Appliance(self.net, self.net.boxes[CONTROL])

    def box(self, name: str) -> Box:
        return self.net.boxes[name]

    def play(self, name: str, *more: str, check: bool = True) -> Done:
        """Run a playbook of the bundle, as its owner does."""
        started = time.monotonic()
        done = self.seat.play(name, self.inventory, *more, check=check)
        self.took[name] = time.monotonic() - started
        return done

    def nodes(self) -> dict[str, dict[str, Any]]:
        """Return what the control node says of each machine, by name."""
        return {each["name"]: each for each in self.control.ask("node", "list")}

    def state(self, name: str) -> str:
        return str(self.nodes().get(name, {}).get("state", ""))

    def await_state(self, name: str, *wanted: str, seconds: float = 90) -> float:
        """Wait until a machine is in one of these states; return how long it took."""
        started = time.monotonic()
        while (found := self.state(name)) not in wanted:
            passed = time.monotonic() - started
            assert passed < seconds, (name, found, self.control.troubles())
            time.sleep(0.5)
        return time.monotonic() - started

    def add_film(self, title: str, seconds: int) -> str:
        """Make a film on the control node and put it in; return its job."""
        place = "/var/tmp/film.mp4"
        self.control.box.run(
            f"ffmpeg -v error -y -f lavfi -i testsrc2=size=640x360:rate=25:d={seconds}"
            f" -f lavfi -i sine=duration={seconds} -c:v libx264 -preset ultrafast"
            f" -c:a aac {place} && chown matinee: {place}"
        )
        self.control.matinee("title", "add", place, "--title", title, "--publish")
        [job] = [each for each in self.control.ask("job", "list") if _runs(each)]
        return str(job["job"])

    def await_job(self, job: str, seconds: float = 420) -> dict[str, Any]:
        """Wait until a job is done; return it with its units."""
        deadline = time.monotonic() + seconds
        while (found := self.control.ask("job", "show", job, "--units"))[
            "state"
        ] != "done":
            assert found["state"] in ("queued", "running"), found
            assert time.monotonic() < deadline, (found, self.control.troubles())
            time.sleep(1)
        return dict(found)

    def working_on(self, job: str) -> set[str]:
        """Return the machines that have units of a job now."""
        units = self.control.ask("job", "show", job, "--units")["units"]
        return {each["node"] for each in units if each["state"] == "running"}

    def get(self, address: str, *options: str) -> Done:
        """Ask an address of the cluster over TLS, from the operator's seat."""
        named = [
            word
            for box in self.net.boxes.values()
            for word in ("--resolve", f"{box.name}.test:443:{box.address}")
        ]
        asking = ("curl", "-sS", "--insecure", "--max-time", "20", *named)
        return self.net.run(*asking, *options, address, check=False)

    def playing(self, slug: str) -> str:
        """Open a film, and return its address at the edge."""
        sent = ("-H", "Content-Type: application/json", "-d")
        who = json.dumps({"username": ADMINISTRATOR, "password": PASSWORD})
        api = f"{self.control.url}/api/v1"
        token = json.loads(self.get(f"{api}/auth/token", *sent, who).stdout)["token"]
        opened = self.get(
            f"{api}/playback",
            *("-H", f"Authorization: Bearer {token}", *sent),
            json.dumps({"title": slug, "device": "browser"}),
        )
        there = json.loads(opened.stdout)["hosts"][0]
        return f"{there['host']}{there['path']}"

    def segments(self, film: str) -> list[str]:
        """Return the addresses of the segments of its first rendition."""
        master = self.get(f"{film}master.m3u8").stdout.splitlines()
        [playlist, *_] = [each for each in master if each and each[0] != "#"]
        lines = self.get(f"{film}{playlist}").stdout.splitlines()
        names = [each for each in lines if each and each[0] != "#"]
        return [f"{film}{each.removeprefix('../')}" for each in names]

    def asked(self, address: str) -> tuple[str, str]:
        """Return the status of an answer, and whether it came from a cache."""
        said = self.get(address, "-o", "/dev/null", "-D", "-").stdout
        lines = said.replace("\r", "").splitlines()
        [cache] = [e for e in lines if e.lower().startswith("x-cache:")] or [": "]
        return lines[0].split()[1] if lines else "000", cache.partition(": ")[2]


@contextmanager
def standing(net: Network, bundle: Path) -> Iterator[Cluster]:
    """Set up the whole cluster on bare machines; take it away in the end."""
    for name in (CONTROL, *WORKERS, EDGE):
        net.add(name, lab.debian()).start()
    taken = seat.take(net, bundle)
    example = taken.bundle / "ansible/inventory.example/cluster"
    cluster = Cluster(net, taken, _inventory(net, example))
    storage = _object_storage(net)
    try:
        cluster.play("site.yml")
        cluster.play("worker.yml")
        cluster.play("edge.yml")
        yield cluster
    finally:
        storage.terminate()
        storage.wait()
        for name in (CONTROL, *WORKERS, EDGE):
            net.remove(net.boxes[name])


def _inventory(net: Network, example: Path) -> Path:
    """Copy the example of the bundle, and say in it what an operator has to."""
    own = net.place / "operator"
    own.mkdir()
    _secret(own / "password", PASSWORD)
    access, secret = _S3
    text = f'[s3]\naccess_key = "{access}"\nsecret_key = "{secret}"\n'
    _secret(own / "s3.toml", text)
    begins = datetime.now(UTC) - timedelta(days=1)
    ends = begins + timedelta(days=90)
    root = Authority("Company Root", begins=begins, ends=ends)
    certificate, key = root.issue(f"{EDGE}.test", begins=begins, ends=ends)
    _secret(own / f"{EDGE}.pem", (certificate + root.pem).decode())
    _secret(own / f"{EDGE}.key", key.decode())
    inventory = net.place / "films"
    shutil.copytree(example, inventory)
    said = {
        **{there: net.boxes[name].address for name, there in _ADDRESSES.items()},
        "10.21.0.0/16": f"{SUBNET}.0/24",
        "10.20.0.0/24": f"{SUBNET}.0/24",
        "films.example.org": f"{CONTROL}.test",
        "edge-berlin.example.org": f"{EDGE}.test",
        "https://s3.example.org": f"http://{SUBNET}.1:{_S3_PORT}",
        "/root/matinee/": f"{own}/",
        # Many small chunks: both machines have something to do.
        "matinee_settings:\n  # backup": (
            "matinee_settings:\n"
            "  encode: {preset: ultrafast, chunk_seconds: 8}\n"
            "  # backup"
        ),
    }
    left = dict(said)
    for path in inventory.rglob("*.yml"):
        text = path.read_text()
        for example_of_it, what in said.items():
            if example_of_it in text:
                left.pop(example_of_it, None)
                text = text.replace(example_of_it, what)
        path.write_text(text)
    assert not left, f"the example says no more: {', '.join(left)}"
    (inventory / "group_vars/all.yml").write_text("matinee_small_machine: true\n")
    return inventory


def _secret(path: Path, text: str) -> None:
    path.touch(0o600)
    path.write_text(text)


def _object_storage(net: Network) -> "subprocess.Popen[bytes]":
    """Serve an empty bucket by S3, at the operator's seat."""
    root = net.place / "s3"
    (root / "films").mkdir(parents=True)
    rclone = Path(sys.executable).with_name("rclone")
    address = f"{SUBNET}.1:{_S3_PORT}"
    access, secret = _S3
    return subprocess.Popen(
        net.inside(rclone, "serve", "s3", "--config", "", "--addr", address, root),
        env={"RCLONE_AUTH_KEY": f'"{access},{secret}"', "PATH": "/usr/bin:/bin"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _runs(job: dict[str, Any]) -> bool:
    return job["state"] in ("queued", "running")

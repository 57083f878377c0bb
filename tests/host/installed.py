"""An appliance on a box of the lab: installed from its bundle as its owner would."""

import json
import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.host.lab import Box, Done, Network
from tests.host.lab.places import FIRST_UID

PASSWORD = "correct horse battery staple"
ADMINISTRATOR = "ada"
BUNDLES = "/srv/bundles"
CERTIFICATE = "/etc/matinee/tls/certificate.pem"

_SETTINGS = {
    # What is encoded in these tests is looked at for seconds.
    "encode": {"preset": "ultrafast"},
    # The seat of whoever tests, see lab.network.
    "nginx": {"internal_networks": "127.0.0.0/8, ::1, 10.77.0.1"},
}


@dataclass
class Appliance:
    """A box with Matinee on it, or about to have it.

    ``name`` is what viewers call it by; else that of the box.
    """

    net: Network
    box: Box
    answers: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    @property
    def host(self) -> str:
        return f"{self.name or self.box.name}.test"

    @property
    def url(self) -> str:
        return f"https://{self.host}"

    def unpack(self, bundle: Path) -> str:
        """Unpack a bundle that the box may read; return the folder."""
        name = bundle.name.split("-debian")[0]
        self.box.run(f"tar -x --no-same-owner -f {BUNDLES}/{bundle.name} -C /root")
        return f"/root/{name}"

    def install(
        self, folder: str, *more: str, check: bool = True
    ) -> "tuple[Done, float]":
        """Run the bundle's install.sh; return what it said and how long it took."""
        self.write_answers()
        started = time.monotonic()
        done = self.box.run(*self.command(folder, *more), check=check, seconds=1800)
        return done, time.monotonic() - started

    def command(self, folder: str, *more: str) -> list[str]:
        """Return the command by which it is installed without a question."""
        return [
            f"{folder}/install.sh",
            "--answers",
            "/root/answers.yml",
            "--yes",
            *more,
        ]

    def write_answers(self) -> None:
        answers = {
            "matinee_public_url": self.url,
            "matinee_admin": ADMINISTRATOR,
            "matinee_admin_password_file": "/root/password",
            "matinee_settings": _SETTINGS,
            "matinee_small_machine": True,
        } | self.answers
        # JSON is YAML
        self.box.write("/root/answers.yml", json.dumps(answers, indent=1), 0o600)
        self.box.write("/root/password", PASSWORD, 0o600)

    def matinee(self, *words: str, check: bool = True, said: str = "") -> Done:
        """Run the command of the appliance as root does."""
        return self.box.run("/usr/local/bin/matinee", *words, check=check, words=said)

    def ask(self, *words: str) -> Any:
        """Return the document of a command."""
        return json.loads(self.matinee("--json", *words).stdout)

    def examine(self, *wishes: str) -> dict[str, dict[str, Any]]:
        """Return what doctor finds, by the id of the check."""
        said = self.matinee("--json", "doctor", *wishes, check=False)
        found = json.loads(said.stdout)
        return {each["id"]: each for each in found["checks"]}

    def failing(self) -> list[str]:
        """Return what doctor says is broken."""
        found = self.examine().values()
        return [f"{each['id']}: {each['sentence']}" for each in found if _fails(each)]

    def get(self, path: str, *options: str) -> Done:
        """Ask as somebody on the same network does, by its name and over TLS."""
        named = ("--resolve", f"{self.host}:443:{self.box.address}", "--insecure")
        asking = ("curl", "--silent", "--show-error", "--max-time", "20", *named)
        return self.net.run(*asking, *options, f"{self.url}{path}", check=False)

    def status(self, path: str) -> str:
        """Return the status that a page answers with; 000 when nothing answers."""
        return self.get(path, "-o", "/dev/null", "-w", "%{http_code}").stdout

    def await_ready(self, seconds: float = 60) -> float:
        """Wait until the portal says that it is ready; return how long it took."""
        started = time.monotonic()
        while self.status("/-/ready") != "200":
            waited = time.monotonic() - started
            assert waited < seconds, self.troubles()
            time.sleep(0.1)
        return time.monotonic() - started

    def add_film(self, film: Path, title: str, *more: str) -> None:
        """Put a film in by the command, and wait until it is made and published."""
        place = self.put(film)
        wishes = ("--title", title, "--publish", "--wait", *more)
        self.matinee("title", "add", place, *wishes)

    def put(self, film: Path) -> str:
        """Copy a film to the machine; return where it lies."""
        place = "/var/tmp/" + film.name
        inside = self.box.root / place[1:]
        inside.write_bytes(film.read_bytes())
        # The box's root may give away only what is its own.
        os.chown(inside, FIRST_UID, FIRST_UID)
        self.box.run("chown", "matinee:", place)
        return place

    def units(self) -> list[str]:
        """Return the services of ours that are there."""
        listed = self.box.run(
            "systemctl list-unit-files 'matinee*.service' --no-legend | cut -d' ' -f1"
        )
        return listed.stdout.split()

    def troubles(self) -> str:
        """Return what to read when something does not work."""
        return self.box.run(
            "systemctl --no-pager --failed; systemctl --no-pager status 'matinee*';"
            " journalctl --no-pager -n 60 -p warning",
            check=False,
        ).stdout[-8000:]


def changed(done: Done) -> str:
    """Return what Ansible says to have changed, and which tasks did."""
    lines = done.stdout.splitlines()
    tasks: list[str] = []
    task = ""
    for line in lines:
        if line.startswith("TASK ["):
            task = line
        if line.startswith("changed:"):
            tasks.append(task)
    return "\n".join([*tasks, *(line for line in lines if "changed=" in line)])


def _fails(finding: dict[str, Any]) -> bool:
    return bool(finding["level"] == "fail")

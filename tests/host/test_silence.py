"""A default installation calls nobody: not one packet leaves the machine."""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

MATINEE = Path(sys.executable).with_name("matinee")
_SECONDS = 90
_NEEDED = all(map(shutil.which, ("ip", "nft", "curl"))) and os.geteuid() == 0


def _said(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    return done.stdout


class Alone:
    """A network of its own whose only way out leads to a counter."""

    def __init__(self, name: str) -> None:
        self.name = name
        _said("ip", "netns", "add", name)
        self.run("ip", "link", "set", "lo", "up")
        self.run(*("ip", "link", "add", "out", "type", "veth", "peer", "name", "far"))
        self.run("ip", "addr", "add", "10.99.0.2/24", "dev", "out")
        for end in ("out", "far"):
            # IPv6 greets its neighbours unasked.
            self.run("ip", "link", "set", end, "addrgenmode", "none", "up")
        self.run("ip", "route", "add", "default", "via", "10.99.0.1")
        rules = """
            table inet silence {
                counter left {}
                chain leaving {
                    type filter hook output priority 0;
                    oifname "out" counter name left
                }
            }
        """
        subprocess.run(
            [*self.inside("nft", "-f", "-")], input=rules, text=True, check=True
        )

    def inside(self, *command: str) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name, *command)

    def run(self, *command: str) -> str:
        return _said(*self.inside(*command))

    @property
    def packets(self) -> int:
        found = json.loads(self.run("nft", "--json", "list", "counters"))["nftables"]
        return sum(each["counter"]["packets"] for each in found if "counter" in each)

    def end(self) -> None:
        _said("ip", "netns", "del", self.name)


@pytest.fixture
def alone() -> Iterator[Alone]:
    found = Alone(f"silence-{secrets.token_hex(3)}")
    yield found
    found.end()


@pytest.mark.host
@pytest.mark.skipif(not _NEEDED, reason="needs root, iproute2, nftables and curl")
def test_a_default_installation_calls_nobody(alone: Alone, tmp_path: Path) -> None:
    environ = {**os.environ, "MATINEE_HOME": str(tmp_path / "home")}
    environ.pop("MATINEE_CONFIG", None)

    def matinee(*words: str, given: str = "") -> None:
        subprocess.run(
            alone.inside(str(MATINEE), *words),
            env=environ,
            input=given,
            text=True,
            capture_output=True,
            timeout=_SECONDS,
            check=False,
        )

    # The counter counts what there is.
    subprocess.run(alone.inside("curl", "-sm1", "http://192.0.2.1/"), check=False)
    before = alone.packets
    assert before > 0

    matinee("init", "--admin", "ada", "--password-stdin", "--yes", given="words of ada")
    with (tmp_path / "serve.log").open("wb") as log:
        serving = subprocess.Popen(
            alone.inside(str(MATINEE), "serve", "--port", "8600"),
            env=environ,
            stdout=log,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + _SECONDS
        page = alone.inside("curl", "-sfm5", "http://127.0.0.1:8600/login")
        while subprocess.run(page, capture_output=True, check=False).returncode:
            assert time.monotonic() < deadline, (tmp_path / "serve.log").read_text()
            time.sleep(0.1)
        matinee("title", "add", "/dev/null", "--title", "Nothing")
        matinee("tls", "self-signed")
        matinee("doctor", "--full")
        matinee("mail", "log")
        matinee("backup", "create")
    finally:
        serving.send_signal(signal.SIGTERM)
        serving.wait(_SECONDS)

    assert alone.packets == before

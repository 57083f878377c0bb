"""The image boots by itself, becomes a machine of its own, and answers on 443."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.host import figures
from tests.host.lab import Network
from tests.host.virtual import Virtual, seed_disk, virtual
from workshop import image
from workshop.image import Image

pytestmark = pytest.mark.host

_MEBIBYTES = 6144
# What this machine lends its boxes, or what belongs to one machine only.
_RESIDUE = (
    *("etc/apt/apt.conf.d/99*", "usr/local/share/ca-certificates/*", "etc/pip.conf"),
    *("root/.ssh", "root/answers.yml", "root/.pip", "etc/ssh/ssh_host_*"),
    *("etc/matinee/tls", "etc/matinee/matinee.toml", "etc/matinee/answers.yml"),
    *("var/lib/matinee/*", "srv/matinee/media/*", "etc/systemd/network/10-*"),
)
_ANSWERS = {
    "matinee_public_url": "https://films.test",
    "matinee_small_machine": True,
    "matinee_settings": {"encode": {"preset": "ultrafast"}},
}


@pytest.fixture(scope="module")
def made(
    net: Network, bundle: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Image]:
    """The image of this tree; what lies in it is looked at while it is made."""
    if shutil.which("qemu-system-x86_64") is None:
        pytest.skip("needs qemu-system-x86, qemu-utils and ovmf")
    folder = tmp_path_factory.mktemp("image")
    layers = image.installed(net, bundle)
    with image.tree(layers) as tree:
        found = [str(path) for each in _RESIDUE for path in tree.glob(each)]
        assert found == []
        assert (tree / "etc/machine-id").read_text() == ""
        for name in Path("/usr/local/share/ca-certificates").glob("*.crt"):
            known = (tree / "etc/ssl/certs/ca-certificates.crt").read_text()
            assert name.read_text().split("\n")[1] not in known
        yield image.disk(tree, folder, "matinee", _MEBIBYTES)


@pytest.fixture(scope="module")
def machine(made: Image, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Virtual]:
    with virtual(made.qcow2, tmp_path_factory.mktemp("vm"), _ANSWERS) as running:
        figures.tell("image, from power on to the portal", _up(running), 1800)
        yield running


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("matinee.yml", "matinee_public_url: https://films.test\n"),
        (
            "user-data",
            "#cloud-config\nmatinee:\n  matinee_public_url: https://films.test\n",
        ),
    ],
)
def test_answers_are_read_from_a_seed_disk(
    made: Image, tmp_path: Path, name: str, text: str
) -> None:
    seed = seed_disk(tmp_path / "seed.img", name, text)
    with virtual(made.qcow2, tmp_path / "vm", seed=seed) as running:
        running.await_words("Taking the answers of the seed disk.", 900)
        # What the roles made of them.
        running.await_words("Write /etc/matinee/matinee.toml", 1200)
        shown = running.run("cat /etc/matinee/answers.yml").stdout
        assert "https://films.test" in shown


def test_somebody_at_the_console_is_asked_where_there_are_none(
    made: Image, tmp_path: Path
) -> None:
    with virtual(made.qcow2, tmp_path / "vm") as running:
        running.await_words("Which address will people type?", 900)
        running.type("films.test")
        running.await_words("That is none: it begins with https://", 900)
        running.type("https://films.test")
        running.await_words("Matinee is being set up", 900)
        running.await_words("Write /etc/matinee/matinee.toml", 1200)
        shown = running.run("cat /etc/matinee/answers.yml").stdout
        assert json.loads(shown) == {"matinee_public_url": "https://films.test"}


def _up(running: Virtual) -> float:
    return running.await_answer("/-/live", 2400)


def test_it_answers_and_has_keys_of_its_own(made: Image, machine: Virtual) -> None:
    assert "Matinee answers at https://films.test" in machine.console

    kept = machine.run(
        "cat /etc/machine-id; ls /etc/ssh/ssh_host_ed25519_key /var/lib/matinee/keys;"
        " test ! -e /etc/matinee/first-boot && matinee --json tls show"
    ).stdout

    assert len(kept.splitlines()[0]) == 32
    document = json.loads(kept[kept.index("{") :])
    assert "films.test" in document["names"]
    assert document["fingerprint"] in machine.console


def test_it_is_small_enough_to_be_handed_on(made: Image) -> None:
    figures.tell(f"image: {made.sizes}; megabytes packed", _packed(made), 1500)

    assert _packed(made) < 2500


def _packed(made: Image) -> float:
    return made.qcow2.stat().st_size / 10**6


def test_its_services_run(machine: Virtual) -> None:
    failed = machine.run("systemctl --failed --no-legend --plain").stdout

    assert failed == ""


@pytest.mark.parametrize(
    ("limit", "program", "kept"),
    [
        ("MemoryMax=64M -p MemorySwapMax=0", "len(bytearray(256 * 2**20))", "Killed"),
        (
            "TasksMax=5",
            "import os, time; [os.fork() or time.sleep(5) for _ in range(9)]",
            "Resource temporarily unavailable",
        ),
    ],
)
def test_limits_are_kept_here(
    machine: Virtual, limit: str, program: str, kept: str
) -> None:
    """A box takes them and does nothing about them."""
    done = machine.run(
        f"systemd-run --wait --pipe -p {limit} python3 -c {json.dumps(program)}",
        check=False,
    )

    assert done.returncode != 0
    assert kept == "Killed" or kept in f"{done.stdout}{done.stderr}"

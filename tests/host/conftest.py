"""Boxes for the tests of this folder: see ``tests/host/lab``."""

import json
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.host import lab, releases
from tests.host.installed import BUNDLES, Appliance
from tests.host.lab import Box, Done, Network, trees
from tests.host.lab.places import CACHE

MakeBox = Callable[..., Box]


@dataclass(frozen=True)
class Installation:
    """What one installation on a bare machine was, and what it left there."""

    layers: list[Path]
    first: Done
    seconds: float
    folder: str


@pytest.fixture(scope="session")
def net() -> Iterator[Network]:
    """Lay a network that reaches the registries; nothing is left of it in the end."""
    if reason := lab.missing():
        if os.environ.get("MATINEE_LAB_REQUIRED"):
            pytest.fail(reason)
        pytest.skip(reason)
    lab.clear_dead_runs()
    before = signal.signal(signal.SIGTERM, _interrupt)
    with Network() as net:
        yield net.open()
    signal.signal(signal.SIGTERM, before)
    assert net.remains() == []


@pytest.fixture
def box(net: Network) -> Iterator[MakeBox]:
    """``box(name) -> Box``: start a bare Debian; it is taken away after the test."""
    made: list[Box] = []

    def start(name: str = "matinee") -> Box:
        made.append(net.add(name, lab.debian()))
        return made[-1].start()

    yield start
    for each in made:
        if each.name in net.boxes:
            net.remove(each)


@pytest.fixture(scope="session")
def bundle() -> Path:
    """The signed release of this tree."""
    return releases.of_tree()


@pytest.fixture(scope="session")
def installation(net: Network, bundle: Path) -> Installation:
    """Install the bundle on a bare machine once; other tests start from its disk.

    With ``MATINEE_LAB_KEEP`` its disk outlives the run: for whoever writes tests.
    """
    kept = CACHE / f"installed-{bundle.parent.name}"
    if os.environ.get("MATINEE_LAB_KEEP") and kept.exists():
        told = json.loads((kept.with_suffix(".json")).read_text())
        first = Done([], 0, told["said"], "")
        return Installation(
            [kept, *lab.debian()], first, told["seconds"], told["folder"]
        )
    box = net.add("matinee", lab.debian(), [f"{bundle.parent}:{BUNDLES}"]).start()
    appliance = Appliance(net, box)
    folder = appliance.unpack(bundle)
    first, seconds = appliance.install(folder)
    appliance.await_ready()
    layers = net.layers_of(box)
    if os.environ.get("MATINEE_LAB_KEEP"):
        told = {"said": first.stdout, "seconds": seconds, "folder": folder}
        (kept.with_suffix(".json")).write_text(json.dumps(told))
        trees.copied(layers[0], kept.name)
        trees.forget("installed-*", 2)
    return Installation(layers, first, seconds, folder)


@pytest.fixture
def appliance(
    net: Network, bundle: Path, installation: Installation
) -> Iterator[Appliance]:
    """An installed appliance that nobody has used, taken away after the test."""
    with started(net, bundle, installation) as appliance:
        yield appliance


@pytest.fixture(scope="module")
def used(net: Network, bundle: Path, installation: Installation) -> Iterator[Appliance]:
    """An installed appliance that the tests of one file share."""
    with started(net, bundle, installation) as appliance:
        yield appliance


@contextmanager
def started(
    net: Network, bundle: Path, installation: Installation
) -> Iterator[Appliance]:
    """Start a machine from the disk of an installed one, and wait for its portal."""
    box = net.add("matinee", installation.layers, [f"{bundle.parent}:{BUNDLES}"])
    appliance = Appliance(net, box.start())
    appliance.await_ready()
    yield appliance
    net.remove(box)


def _interrupt(*_: object) -> None:
    """Whoever ends the tests by SIGTERM has everything taken away as well."""
    raise KeyboardInterrupt

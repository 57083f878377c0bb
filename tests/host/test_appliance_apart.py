"""An installation where there is no network at all: all of it comes with the bundle."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import media_samples
from tests.host import figures, lab, releases, viewers
from tests.host.installed import BUNDLES, Appliance, changed
from tests.host.lab import Network

pytestmark = pytest.mark.host


@pytest.fixture
def apart() -> Iterator[Network]:
    """A bridge that nothing leads away from; by way of ``net`` it would be open."""
    if reason := lab.missing():
        pytest.skip(reason)
    with Network() as net:
        yield net
    assert net.remains() == []


@pytest.mark.browser
@pytest.mark.media
def test_it_is_installed_and_a_film_plays_without_any_network(
    apart: Network, chromium: Browser, tmp_path: Path
) -> None:
    bundle = releases.of_tree(debs=True)
    binds = [f"{bundle.parent}:{BUNDLES}"]
    appliance = Appliance(apart, apart.add("matinee", lab.debian(), binds).start())
    alone = appliance.box.run("ip", "route", "get", "1.1.1.1", check=False)
    reached = appliance.box.run(
        "timeout 5 bash -c '</dev/tcp/10.0.2.3/53'", check=False
    )
    assert reached.returncode != 0, alone.stdout

    folder = appliance.unpack(bundle)
    _, seconds = appliance.install(folder)
    appliance.await_ready()

    size = bundle.stat().st_size // 10**6
    figures.tell(f"installation without a network, from {size} MB", seconds, 360)
    assert appliance.failing() == []
    film = media_samples.film(tmp_path, "Apart.mp4", seconds=8, size="640x360")
    with viewers.administrator(appliance, chromium) as visitor:
        viewers.upload(visitor, film)
        viewers.watch(visitor, viewers.first_title(appliance), seconds=2)
    again, _ = appliance.install(folder)
    assert "changed=0" in again.stdout, changed(again)

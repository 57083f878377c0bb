"""Somebody watches while the appliance is upgraded to a release that is unwell."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from appliance import __version__
from tests import media_samples
from tests.browser.watching import state
from tests.host import figures, next_releases, viewers
from tests.host.conftest import Installation
from tests.host.installed import Appliance
from tests.host.lab import Network
from tests.host.next_releases import UNWELL

pytestmark = [pytest.mark.host, pytest.mark.browser, pytest.mark.media]

UNWELL_PLACE = "/srv/unwell"
# Longer than everything that happens meanwhile, and quick to make.
FILM_SECONDS = 600


@pytest.fixture
def appliance(net: Network, installation: Installation) -> Iterator[Appliance]:
    """An appliance, with the bundle of a release whose portal is never ready."""
    binds = [f"{next_releases.unwell().parent}:{UNWELL_PLACE}"]
    box = net.add("matinee", installation.layers, binds)
    appliance = Appliance(net, box.start())
    appliance.await_ready()
    yield appliance
    net.remove(box)


def test_a_release_that_is_unwell_is_taken_back_while_somebody_watches(
    appliance: Appliance, chromium: Browser, tmp_path: Path
) -> None:
    film = media_samples.film(
        tmp_path, "Long.mp4", seconds=FILM_SECONDS, size="320x180", rate="12"
    )
    appliance.add_film(film, "Long")
    [bundle] = appliance.box.run(f"ls {UNWELL_PLACE}/*.bundle").stdout.split()
    upgrading = ["/usr/local/bin/matinee", "upgrade", bundle, "--yes"]

    with viewers.administrator(appliance, chromium) as visitor:
        # What a portal in between releases could not answer is asked for again.
        visitor.tolerated.append("502")
        viewers.watch(visitor, "long")
        fetched = len(viewers.segments(visitor))
        said = (appliance.box.place / "upgrade.log").open("w+b")
        started = visitor.page.evaluate("() => performance.now()")
        running = appliance.box.begin(*upgrading, output=said)
        seen = viewers.frames(visitor)
        while running.poll() is None:
            visitor.page.wait_for_timeout(5000)
            now = viewers.frames(visitor)
            assert now > seen, "the film stands still"
            seen = now
        ended = visitor.page.evaluate("() => performance.now()")
        assert len(viewers.segments(visitor)) > fetched
        assert state(visitor)["time"] > (ended - started) / 1000 * 0.9

    with said:
        said.seek(0)
        words = said.read().decode()
    figures.tell("upgrade that is taken back", (ended - started) / 1000, 120)
    assert running.returncode != 0, words
    assert f"{UNWELL} was not put into use" in " ".join(words.split())
    assert (
        appliance.box.run("readlink /opt/matinee/current")
        .stdout.strip()
        .endswith(__version__)
    )
    assert appliance.failing() == []

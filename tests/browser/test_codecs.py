"""A film in two codecs: a browser takes the better one that it can decode."""

import re
from pathlib import Path

import pytest

from appliance.catalog.titles import Title
from appliance.media import assets, tracks
from appliance.media.tracks import TrackKind
from tests.browser import films
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor
from tests.browser.watching import after, requested

pytestmark = [pytest.mark.browser, pytest.mark.media]

# A browser of before 2019, or a television of today that has no such circuit.
NO_AV1 = """
    const supported = MediaSource.isTypeSupported.bind(MediaSource);
    MediaSource.isTypeSupported = (type) => !/av01/.test(type) && supported(type);
    const asked = navigator.mediaCapabilities.decodingInfo;
    MediaCapabilities.prototype.decodingInfo = async function (wish) {
        const answer = await asked.call(this, wish);
        if (!/av01/.test(wish.video?.contentType ?? "")) return answer;
        return { supported: false, smooth: false, powerEfficient: false };
    };
"""


@pytest.fixture(scope="module", params=[False, True], ids=["clear", "protected"])
def twofold(
    portal: LivePortal,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Title:
    """A film in H.264 and AV1."""
    folder: Path = tmp_path_factory.mktemp("twofold")
    name = "Two Codecs, Locked" if request.param else "Two Codecs"
    return films.publish(
        portal,
        folder,
        name=name,
        seconds=12,
        codecs="h264,av1",
        protected=request.param,
    )


@pytest.mark.parametrize("format", ["dash", "hls"])
def test_a_browser_that_decodes_av1_takes_it(
    visit: Visit, portal: LivePortal, twofold: Title, format: str
) -> None:
    visitor = visit()

    visitor.go(f"/watch/{twofold.slug}?format={format}&from=0")
    visitor.until(lambda: after(visitor, 3), "it plays")

    assert _fetched(visitor, portal, twofold) == {"av01"}


def test_one_that_does_not_plays_h264(
    visit: Visit, portal: LivePortal, twofold: Title
) -> None:
    visitor = visit()
    visitor.page.add_init_script(NO_AV1)

    visitor.go(f"/watch/{twofold.slug}?from=0")
    visitor.until(lambda: after(visitor, 3), "it plays")

    assert _fetched(visitor, portal, twofold) == {"avc1"}


def _fetched(visitor: Visitor, portal: LivePortal, title: Title) -> set[str]:
    """Return the codecs of the video tracks whose segments were fetched."""
    asset = assets.playable(portal.db, title.id)
    assert asset is not None
    names = {
        each.public_id: each.codec.partition(".")[0]
        for each in tracks.of_asset(portal.db, asset.id)
        if each.kind is TrackKind.VIDEO
    }
    fetched = requested(visitor, r"\.m4s")
    ids = {found[1] for url in fetched if (found := re.search(r"tracks/(\w+)/", url))}
    return {names[each] for each in ids & names.keys()}

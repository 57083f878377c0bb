"""The editor of captions in a browser: what is written is kept, and viewers see it."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Dialog, Route

from appliance.captions.cues import Captions, Cue
from appliance.captions.description import Description, Origin
from appliance.catalog.titles import Title
from appliance.errors import Conflict
from appliance.media import assets, caption_switch, caption_tracks, captions
from appliance.media.caption_tracks import Held
from appliance.objects import Stores
from appliance.permissions import SYSTEM, Role
from tests.browser.axe import violations
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal
from tests.browser.visitor import Visitor
from tests.browser.watching import watching

pytestmark = pytest.mark.browser

Editing = Callable[..., Visitor]

SRT = b"""1
00:00:01,000 --> 00:00:03,000
Hello <i>there</i>

2
00:00:04,000 --> 00:00:06,500
Salt & pepper, 3 < 4

3
00:00:07,000 --> 00:00:09,000
Goodbye
"""


@pytest.fixture
def stores(portal: LivePortal) -> Stores:
    return Stores(portal.make.storage, portal.settings)


@pytest.fixture
def held(portal: LivePortal, film: Title, stores: Stores) -> Iterator[Held]:
    """Spanish captions of the film, for one test."""
    described = Description.of("es")
    added = captions.add(
        portal.db, stores, SYSTEM, film.slug, SRT, described, source_name="es.srt"
    )
    yield added.held
    _remove(portal, film.slug, added.held)


@pytest.fixture
def editing(film: Title, held: Held, visit: Visit) -> Editing:
    """``editing(width, height) -> Visitor``: open the captions in the editor.

    Its pages are closed before the captions go, which they may still ask for.
    """

    def opened(**size: int) -> Visitor:
        return _editing(visit, film.slug, held, **size)

    return opened


def _editing(visit: Visit, slug: str, held: Held, **size: int) -> Visitor:
    visitor = visit(Role.PUBLISHER, **size)
    # A segment that is on its way when the page, and with it the session, is left.
    visitor.tolerated.append("410 (GONE)")
    visitor.go(f"/studio/titles/{slug}/captions/{held.id}")
    visitor.until(lambda: visitor.page.locator(".cue-row").count() > 0, "the cues")
    return visitor


def _remove(portal: LivePortal, slug: str, held: Held) -> None:
    """Remove captions, whatever became of them."""
    try:
        captions.remove(portal.db, SYSTEM, slug, held.id)
    except Conflict:
        # They were saved just now by a page that is closed already.
        captions.remove(portal.db, SYSTEM, slug, held.id)


def _kept(portal: LivePortal, stores: Stores, slug: str, held: Held) -> list[Cue]:
    found = captions.opened(portal.db, stores, SYSTEM, slug, held.id)
    return list(found.captions.cues)


def _save(visitor: Visitor) -> None:
    visitor.page.keyboard.press("Control+s")
    _until_saved(visitor)


def _until_saved(visitor: Visitor) -> None:
    # Looking for a role would ask what thousands of rows out of sight look like.
    said = "() => document.querySelector('[data-said]').textContent"
    problem = visitor.page.locator("#problem")
    visitor.until(
        lambda: visitor.page.evaluate(said) == "Saved" or problem.is_visible(),
        "it is saved",
    )
    assert problem.is_hidden(), problem.text_content()


def _text(visitor: Visitor, number: int) -> Any:
    return visitor.page.get_by_label(f"Cue {number}", exact=True).get_by_label("Text")


def test_text_and_times_are_edited_beside_the_film(
    editing: Editing, portal: LivePortal, film: Title, stores: Stores, held: Held
) -> None:
    visitor = editing()
    assert _text(visitor, 2).input_value() == "Salt & pepper, 3 < 4"

    _text(visitor, 1).fill("Buenos <i>días</i>")
    row = visitor.page.get_by_label("Cue 3", exact=True)
    row.get_by_label("Begins").fill("0:10")
    row.get_by_label("Ends").fill("12,5")
    _save(visitor)

    assert [
        (cue.start, cue.end, cue.text) for cue in _kept(portal, stores, film.slug, held)
    ] == [
        (1000, 3000, "Buenos <i>días</i>"),
        (4000, 6500, "Salt &amp; pepper, 3 &lt; 4"),
        (10_000, 12_500, "Goodbye"),
    ]


def test_the_film_plays_at_a_cue_with_what_is_just_written(
    editing: Editing, film: Title
) -> None:
    visitor = editing()
    page = visitor.page
    loaded = "() => document.getElementById('video').readyState > 1"
    visitor.until(lambda: page.evaluate(loaded), "the film is loaded")

    _text(visitor, 2).fill("Pimienta <b>y sal</b><img src=x onerror=alert(1)>")
    page.keyboard.press("Control+Enter")

    preview = page.locator("#preview")
    visitor.until(lambda: "Pimienta" in (preview.text_content() or ""), "the preview")
    assert preview.locator("b").text_content() == "y sal"
    assert preview.locator("img").count() == 0
    playing = page.locator(".cue-row.playing")
    visitor.until(lambda: playing.count() == 1, "the row is marked")
    at = "() => document.getElementById('video').currentTime"
    assert 4 <= page.evaluate(at) < 6.6
    # The session closes with the page.
    page.goto("about:blank")


def test_cues_are_split_joined_shifted_and_all_of_it_undone(
    editing: Editing, portal: LivePortal, film: Title, stores: Stores, held: Held
) -> None:
    visitor = editing()
    page = visitor.page
    rows = page.locator(".cue-row")

    _text(visitor, 2).click()
    _text(visitor, 2).evaluate("box => box.setSelectionRange(14, 14)")
    page.keyboard.press("Alt+p")
    assert rows.count() == 4
    assert _text(visitor, 2).input_value() == "Salt & pepper,"
    assert _text(visitor, 3).input_value() == "3 < 4"
    page.keyboard.press("Alt+j")
    assert _text(visitor, 3).input_value() == "3 < 4\nGoodbye"
    page.get_by_label("Shift, in seconds").fill("-0.5")
    page.get_by_role("button", name="All cues").click()
    page.get_by_label("Shift, in seconds").fill("2")
    _text(visitor, 3).click()
    page.get_by_role("button", name="From this cue on").click()
    _save(visitor)
    first, second, third = _kept(portal, stores, film.slug, held)
    assert (first.start, second.start) == (500, 3500)
    assert third.end == 9000 - 500 + 2000
    assert second.end == third.start - 2000

    for _ in range(4):
        page.keyboard.press("Alt+z")
    assert rows.count() == 3
    _save(visitor)
    assert [(cue.start, cue.end) for cue in _kept(portal, stores, film.slug, held)] == [
        (1000, 3000),
        (4000, 6500),
        (7000, 9000),
    ]


def test_new_cues_are_put_where_the_film_is_and_others_removed(
    editing: Editing, portal: LivePortal, film: Title, stores: Stores, held: Held
) -> None:
    visitor = editing()
    page = visitor.page
    loaded = "() => document.getElementById('video').readyState > 1"
    visitor.until(lambda: page.evaluate(loaded), "the film is loaded")
    page.evaluate("() => { document.getElementById('video').currentTime = 20 }")
    visitor.until(
        lambda: page.locator("#now").text_content() == "00:00:20.000", "it is there"
    )

    page.keyboard.press("Alt+n")
    page.keyboard.type("Otra vez")
    page.keyboard.press("Alt+ArrowUp")
    page.keyboard.press("Alt+ArrowUp")
    page.get_by_role("button", name="Remove", exact=True).click()
    _save(visitor)

    assert [
        (cue.start, cue.text) for cue in _kept(portal, stores, film.slug, held)
    ] == [
        (1000, "Hello <i>there</i>"),
        (7000, "Goodbye"),
        (20_000, "Otra vez"),
    ]
    page.goto("about:blank")


def test_what_is_hard_to_read_is_marked_while_it_is_written(editing: Editing) -> None:
    visitor = editing()
    page = visitor.page
    assert page.get_by_role("button", name="Nothing to mend").is_disabled()

    _text(visitor, 3).fill("x" * 50)

    marks = page.get_by_label("Cue 3", exact=True).locator(".marks")
    visitor.until(
        lambda: "A line of 50 characters" in (marks.text_content() or ""), "its mark"
    )
    _text(visitor, 1).click()
    page.keyboard.press("Alt+l")
    focused = "() => document.activeElement.value"
    assert page.evaluate(focused) == "x" * 50
    page.get_by_label("Find in the cues").fill("PEPPER")
    page.keyboard.press("Enter")
    assert "pepper" in page.evaluate(focused)
    page.goto("about:blank")


def test_somebody_else_s_changes_are_not_lost_and_neither_are_mine(
    editing: Editing, portal: LivePortal, film: Title, stores: Stores, held: Held
) -> None:
    mine = editing()
    theirs = editing()
    _text(theirs, 1).fill("Theirs")
    _save(theirs)

    _text(mine, 1).fill("Mine")
    mine.page.keyboard.press("Control+s")
    problem = mine.page.locator("#problem")
    mine.until(problem.is_visible, "the conflict is told")

    mine.expect_problem("409")
    assert "Somebody changed these captions" in (problem.text_content() or "")
    assert "the-publisher" in (problem.text_content() or "")
    assert _text(mine, 1).input_value() == "Mine"
    assert _kept(portal, stores, film.slug, held)[0].text == "Theirs"
    mine.page.get_by_role("button", name="Save mine over it").click()
    mine.until(mine.page.get_by_role("button", name="Saved").is_visible, "it is saved")
    assert _kept(portal, stores, film.slug, held)[0].text == "Mine"
    assert problem.is_hidden()


def test_a_cue_that_can_t_be_kept_is_shown(
    editing: Editing, portal: LivePortal, film: Title, stores: Stores, held: Held
) -> None:
    visitor = editing()
    page = visitor.page
    _text(visitor, 2).fill("  ")
    page.keyboard.press("Control+s")

    problem = page.locator("#problem")
    visitor.until(problem.is_visible, "the refusal is told")
    assert "Cue 2 has no text" in (problem.text_content() or "")
    visitor.expect_problem("400")
    visitor.tolerated.append("400")
    _text(visitor, 2).fill("Something")
    page.get_by_label("Cue 1", exact=True).get_by_label("Begins").fill("1:75")
    page.keyboard.press("Control+s")
    visitor.until(lambda: "no time" in (problem.text_content() or ""), "a bad time")
    page.get_by_label("Cue 1", exact=True).get_by_label("Begins").fill("0:01")
    on_their_way: list[Route] = []
    page.route(f"**/captions/{held.id}", lambda route: on_their_way.append(route))
    page.keyboard.press("Control+s")
    visitor.until(lambda: on_their_way, "they are sent")
    assert problem.is_hidden()
    on_their_way[0].continue_()
    _until_saved(visitor)
    assert _kept(portal, stores, film.slug, held)[1].text == "Something"


def test_what_was_written_is_not_lost_by_leaving(editing: Editing) -> None:
    visitor = editing()
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.accept()

    visitor.page.on("dialog", leave)

    _text(visitor, 1).fill("Not saved")
    visitor.page.get_by_role("link", name="All captions").click()

    visitor.until(lambda: asked == ["beforeunload"], "the browser asks")


def test_captions_made_by_machine_are_reviewed(
    visit: Visit, portal: LivePortal, film: Title, stores: Stores
) -> None:
    asset = assets.playable(portal.db, film.id)
    assert asset is not None
    heard = Captions((Cue(500, 2500, "Ola", unsure=True), Cue(3000, 5000, "Tudo bem")))
    entry = caption_tracks.make(
        portal.make.storage,
        asset,
        Description.of("pt"),
        heard,
        {"origin": Origin.AUTO},
    )
    caption_switch.put_machine_made(portal.db, SYSTEM, asset, entry, "job")
    [made] = [
        each
        for each in captions.listing(portal.db, SYSTEM, film.slug)
        if each.language == "pt"
    ]
    visitor = _editing(visit, film.slug, made)
    page = visitor.page
    marks = page.get_by_label("Cue 1", exact=True).locator(".marks")
    assert "not sure of this" in (marks.text_content() or "")

    _text(visitor, 1).fill("Olá")
    _save(visitor)
    visitor.until(lambda: not marks.text_content(), "the doubt goes with the edit")
    page.get_by_role("button", name="Reviewed").click()

    page.get_by_text("viewers see them as “Português”").wait_for()
    visitor.until(lambda: page.locator(".cue-row").count() == 2, "the cues")
    [now] = [
        each
        for each in captions.listing(portal.db, SYSTEM, film.slug)
        if each.id == made.id
    ]
    assert (now.label, now.auto) == ("Português", False)
    # The page may still ask for what goes now.
    page.goto("about:blank")
    _remove(portal, film.slug, made)


def test_a_file_is_brought_edited_and_taken_away(
    visit: Visit, portal: LivePortal, film: Title
) -> None:
    visitor = visit(Role.PUBLISHER)
    page = visitor.page
    visitor.go(f"/studio/titles/{film.slug}/captions")
    page.get_by_label("File", exact=True).set_input_files(
        {"name": "it.srt", "mimeType": "text/plain", "buffer": SRT}
    )
    page.get_by_label("Language", exact=True).fill("it")
    page.get_by_label("What they are").select_option("caption")
    page.get_by_role("button", name="Add").click()

    page.get_by_role("heading", name="Italiano").wait_for()
    visitor.until(lambda: page.locator(".cue-row").count() == 3, "its cues")
    visitor.go(f"/studio/titles/{film.slug}/captions")
    with page.expect_download() as download:
        page.get_by_role("link", name="SRT of Italiano").click()
    assert download.value.suggested_filename == f"{film.slug}.it.srt"
    page.get_by_role("link", name="Remove Italiano").click()
    page.get_by_role("button", name="Remove").click()
    page.get_by_text("The captions “Italiano” are removed.").wait_for()


def test_a_file_that_is_none_is_refused_in_a_sentence(
    visit: Visit, film: Title
) -> None:
    visitor = visit(Role.PUBLISHER)
    page = visitor.page
    visitor.tolerated += ["400"]
    visitor.go(f"/studio/titles/{film.slug}/captions")
    for content, sentence in (
        (b"\x00\x01\x02\x03" * 300, "This file is not text"),
        (b"a" * 10_000_000, "is not read"),
        (b"no captions", "none of SRT, WebVTT, ASS and TTML"),
    ):
        page.get_by_label("File", exact=True).set_input_files(
            {"name": "x.srt", "mimeType": "text/plain", "buffer": content}
        )
        page.get_by_label("Language", exact=True).fill("it")
        page.get_by_role("button", name="Add").click()
        page.get_by_role("alert").get_by_text(sentence).wait_for()
        assert page.get_by_label("Language", exact=True).input_value() == "it"


def test_a_viewer_sees_the_captions_in_the_player(
    visit: Visit, film: Title, held: Held
) -> None:
    visitor = watching(visit, film, "?from=0")
    chosen = """() => {
        const video = document.getElementById("video");
        const player = video.ui.getControls().getPlayer();
        const track = player.getTextTracks().find((each) => each.language === "es");
        video.pause();
        video.currentTime = 4.5;
        player.selectTextTrack(track);
        return track.label;
    }"""

    assert visitor.page.evaluate(chosen) == held.label == "Español"

    shown = visitor.page.locator(".shaka-text-container")
    wanted = "Salt & pepper, 3 < 4"
    visitor.until(lambda: wanted in (shown.text_content() or ""), "the cue")


@pytest.mark.parametrize("size", [(1440, 900), (390, 844)])
@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_editor_can_be_used_by_everybody(
    editing: Editing, film: Title, size: tuple[int, int], theme: str
) -> None:
    width, height = size
    visitor = editing(width=width, height=height)
    page = visitor.page
    page.evaluate("theme => { document.documentElement.dataset.theme = theme }", theme)
    _text(visitor, 2).fill("y" * 60)
    marks = page.get_by_label("Cue 2", exact=True).locator(".marks")
    visitor.until(lambda: marks.text_content(), "its mark")

    assert violations(visitor) == []
    wide = "() => document.documentElement.scrollWidth <= window.innerWidth"
    assert page.evaluate(wide)
    visitor.go(f"/studio/titles/{film.slug}/captions")
    assert violations(visitor) == []
    assert page.evaluate(wide)


def test_a_long_film_s_captions_stay_quick_to_edit(
    visit: Visit, portal: LivePortal, film: Title, stores: Stores
) -> None:
    many = "\n".join(
        f"{n}\n00:{n // 60:02}:{n % 60:02},000 --> 00:{n // 60:02}:{n % 60:02},900\n"
        f"Line {n}\n"
        for n in range(1, 2400)
    )
    described = Description.of("fi")
    held = captions.add(
        portal.db, stores, SYSTEM, film.slug, many.encode(), described
    ).held
    visitor = _editing(visit, film.slug, held)
    timed = """async () => {
        const box = document.querySelector("[data-cue] textarea");
        const times = [];
        for (let n = 0; n < 5; n += 1) {
            const begun = performance.now();
            box.value = `Written ${n}`;
            box.dispatchEvent(new Event("input", { bubbles: true }));
            box.dispatchEvent(new Event("change", { bubbles: true }));
            await new Promise(requestAnimationFrame);
            times.push(performance.now() - begun);
        }
        return times.sort((a, b) => a - b)[2];
    }"""

    # It takes 10 ms where nothing else runs; a mistake makes it many times more.
    assert visitor.page.evaluate(timed) < 1000
    _save(visitor)
    visitor.page.goto("about:blank")
    _remove(portal, film.slug, held)


def test_slugs_and_ids_of_others_lead_nowhere(visit: Visit, film: Title) -> None:
    visitor = visit(Role.PUBLISHER)
    visitor.tolerated.append("404")
    answers = map(
        visitor.go,
        (f"/studio/titles/{film.slug}/captions/none", "/studio/titles/none/captions"),
    )
    assert [answer.status for answer in answers] == [404, 404]

"""Jobs that move on while somebody looks at them: no reload, no click."""

import json
import secrets
from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from appliance.db import write
from appliance.media import jobs
from appliance.media.units import Failure
from appliance.permissions import Role
from tests.browser.conftest import Visit
from tests.browser.live_portal import LivePortal

pytestmark = pytest.mark.browser


@pytest.fixture
def job(portal: LivePortal) -> Iterator[str]:
    """A job that waits for its first step; its title goes when the test is over."""
    title = portal.make.title("Night Shift", state="processing")
    asset = portal.make.asset(title, state="processing")
    with write(portal.db):
        # What other tests left in the queue would stand before it.
        portal.db.conn.execute(
            "update jobs set state = 'cancelled' where state in ('queued', 'running')"
        )
    yield portal.make.job(asset, state="queued")
    with write(portal.db):
        portal.db.conn.execute("delete from titles where id = ?", (title.id,))


def encode(portal: LivePortal, job: str, progress: float) -> None:
    """Let the worker of this test report how far it is."""
    db, key = portal.db, jobs.by_public_id(portal.db, job).id
    renditions = [{"name": name, "width": 640, "height": 360} for name in ("360p",)]
    with write(db):
        db.conn.execute("update jobs set state = 'running' where id = ?", (key,))
        db.conn.execute("delete from work_units where job_id = ?", (key,))
        db.table("work_units").insert(
            {
                "job_id": key,
                "name": "encode-0000",
                "step": "encode",
                "weight": 10,
                "state": "running",
                "progress": progress,
                "fps": 48.0,
                "attempt": 1,
                "attempt_key": secrets.token_hex(4),
                "started_at": db.now(seconds=-60),
                "heartbeat_at": db.now(),
                "spec": json.dumps({"renditions": renditions}),
            }
        )


def test_the_page_of_a_job_follows_it_to_the_end(
    visit: Visit, portal: LivePortal, job: str
) -> None:
    visitor = visit(Role.PUBLISHER)
    visitor.go(f"/studio/jobs/{job}")
    panel = visitor.page.get_by_role("region", name="Processing")
    expect(panel).to_contain_text("Next in line")

    encode(portal, job, 0.25)
    rendition = panel.get_by_role("row", name="360p")
    expect(rendition).to_contain_text("25 %", timeout=15_000)
    expect(rendition).to_contain_text("48")
    expect(panel).to_contain_text("25 % · 3 min left")
    expect(panel).to_contain_text("Running")
    encode(portal, job, 0.5)
    expect(rendition.get_by_role("progressbar")).to_have_js_property(
        "value", 50, timeout=15_000
    )

    jobs.finish(portal.db, jobs.by_public_id(portal.db, job))
    expect(panel).to_contain_text("The film is ready", timeout=15_000)
    expect(panel.get_by_role("link", name="Show the title")).to_be_visible()
    expect(panel.get_by_role("link", name="Cancel")).to_be_hidden()


def test_a_failure_appears_with_its_reason_and_log(
    visit: Visit, portal: LivePortal, job: str
) -> None:
    encode(portal, job, 0.25)
    visitor = visit(Role.PUBLISHER)
    visitor.go("/studio/jobs")
    row = visitor.page.get_by_role("row", name="Night Shift")
    expect(row).to_contain_text("Running")
    page = visit(Role.PUBLISHER)
    page.go(f"/studio/jobs/{job}")

    jobs.fail(
        portal.db,
        jobs.by_public_id(portal.db, job),
        Failure(
            "media.truncated",
            "The file is cut off: copy it again.",
            retry=False,
            log_tail="moov <atom>",
        ),
    )

    expect(row).to_contain_text("Failed", timeout=15_000)
    expect(row).to_contain_text("The file is cut off: copy it again.")
    panel = page.page.get_by_role("region", name="Processing")
    expect(panel).to_contain_text("The file is cut off: copy it again.", timeout=15_000)
    expect(panel).to_contain_text("moov <atom>")
    panel.get_by_role("button", name="Try again").click()
    expect(panel).to_contain_text("Queued")


def test_the_list_of_titles_follows_their_jobs(
    visit: Visit, portal: LivePortal, job: str
) -> None:
    visitor = visit(Role.PUBLISHER, 320, 640)
    visitor.go("/studio/?state=processing")
    row = visitor.page.get_by_role("row", name="Night Shift")
    expect(row).to_contain_text("Next in line")

    encode(portal, job, 0.25)

    expect(row).to_contain_text("25 % · 3 min left", timeout=15_000)


def test_a_title_is_published_and_removed_with_the_keyboard_alone(
    visit: Visit, portal: LivePortal
) -> None:
    title = portal.make.title("Welding 101", state="ready")
    portal.make.asset(title)
    visitor = visit(Role.PUBLISHER)
    visitor.go(f"/studio/titles/{title.slug}")
    page = visitor.page

    page.get_by_role("button", name="Publish", exact=True).press("Enter")
    expect(page.get_by_role("status")).to_contain_text("“Welding 101” is published.")
    page.get_by_role("link", name="Remove", exact=True).press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("into the trash?")
    page.get_by_role("button", name="Put it into the trash").press("Enter")

    told = page.get_by_role("status").filter(has_text="“Welding 101” is in the trash.")
    expect(told).to_be_visible()
    expect(page).to_have_url(f"{portal.url}/studio/")

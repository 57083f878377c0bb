"""Storage in the Studio: what takes how much, and when the disk is full."""

from flask.testing import FlaskClient

from appliance.clock import FixedClock
from appliance.db import Database
from appliance.media import usage
from appliance.media.tracks import TrackKind
from appliance.permissions import SYSTEM, Role
from tests.builders import Builders
from tests.conftest import SignIn

MEGABYTE = 1_000_000


def test_the_disk_is_full_when_films_come_as_they_came(
    db: Database, make: Builders, clock: FixedClock
) -> None:
    assert usage.forecast(db, 100 * MEGABYTE).days_left is None
    film = make.title("Sintel")
    asset = make.asset(film)
    db.table("assets").update(asset.id, {"source_bytes": 20 * MEGABYTE})
    db.conn.execute("delete from tracks")
    clock.advance(days=10)

    found = usage.forecast(db, 100 * MEGABYTE)

    assert (found.days, found.bytes_per_day, found.days_left) == (10, 2 * MEGABYTE, 50)
    clock.advance(days=40)
    assert usage.forecast(db, 100 * MEGABYTE).bytes_per_day == 0


def test_what_takes_most_stands_first(
    db: Database, make: Builders, client: FlaskClient, sign_in: SignIn
) -> None:
    for name, size in (("Small", 1), ("Large", 9)):
        asset = make.asset(make.title(name))
        db.table("assets").update(asset.id, {"source_bytes": size * MEGABYTE})
    db.conn.execute("delete from tracks")
    sign_in(client, Role.ADMINISTRATOR, "root")

    page = client.get("/studio/storage").get_data(as_text=True)

    assert page.index("Large") < page.index("Small")
    assert "9.0 MB" in page
    assert [each.bytes for each in usage.titles(db, SYSTEM)] == [
        9 * MEGABYTE,
        MEGABYTE,
    ]


def test_renditions_are_summed_over_titles(db: Database, make: Builders) -> None:
    for name in ("First", "Second"):
        make.asset(make.title(name))
    db.conn.execute("update tracks set bytes = ?", (MEGABYTE,))

    found = {each.name: each for each in usage.renditions(db, SYSTEM)}

    assert all(each.bytes == 2 * MEGABYTE for each in found.values())
    assert TrackKind.VIDEO in {each.kind for each in found.values()}
    assert all(each.local and not each.objects for each in usage.titles(db, SYSTEM))


def test_an_empty_house_says_so(client: FlaskClient, sign_in: SignIn) -> None:
    sign_in(client, Role.ADMINISTRATOR, "root")

    assert "There are no films yet" in client.get("/studio/storage").get_data(
        as_text=True
    )

"""What the control side removes of what it lent."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance import mounted
from appliance.errors import PreconditionFailed
from appliance.media_sections import Queue
from appliance.objects import ObjectStore
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import broker, queue
from jobs.exchange.lending import Lender
from jobs.exchange.mailbox import Mailbox
from jobs.queue import QueueName
from tests.host.object_server import ObjectServer
from tests.pipeline.redis_server import RedisServer, needs_redis
from tests.pipeline.served_home import until

pytestmark = needs_redis


@pytest.fixture
def lender(tmp_path: Path, bucket: ObjectServer) -> Iterator[Lender]:
    with RedisServer(tmp_path) as redis:
        settings = Settings(home=tmp_path / "home", queue=Queue(url=redis.url))
        settings = bucket.used_by(settings)
        storage = Storage(tmp_path / "media")
        objects = ObjectStore(settings)
        yield Lender(settings, storage, objects, Mailbox(broker.of(settings)))


def test_what_is_left_over_of_jobs_that_ended_is_removed(lender: Lender) -> None:
    lender.storage.write("work/open/attempts/key/spec.json", b"{}")
    for job in ("open", "ended"):
        lender.objects.write(f"work/{job}/pieces/{'0' * 64}", b"a piece")
    lender.objects.write("packages/film/init.mp4", b"a film")

    lender.round({})

    until(lambda: not list(lender.objects.listing("work/ended")))
    assert list(lender.objects.listing("work/open"))
    assert list(lender.objects.listing("packages"))


def test_nothing_is_removed_while_the_disk_of_films_is_away(lender: Lender) -> None:
    home = lender.settings.home
    (home / mounted.REMEMBERED).write_text("0123456789abcdef\n")
    lender.storage = Storage(lender.storage.root, home)
    lender.objects.write(f"work/open/pieces/{'0' * 64}", b"a piece")

    with pytest.raises(PreconditionFailed, match="not mounted"):
        lender.round({})

    assert list(lender.objects.listing("work/open"))


def test_hints_that_nobody_takes_do_not_pile_up(lender: Lender) -> None:
    line = queue.line(lender.settings, QueueName.CPU)
    for number in range(1001):
        line.send("job", str(number))

    lender.round({})

    until(lambda: line.waiting() == 0)

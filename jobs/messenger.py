"""The thread that tells the world outside: webhooks and e-mail.

Nobody in here waits for a server of somebody else: what is due stands in rows, and the
thread has a connection of its own.
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from appliance import db as database
from appliance.db import Database
from appliance.operations import deliveries, mail
from appliance.settings import Settings

_EVERY_SECONDS = 2.0

logger = logging.getLogger(__name__)


@contextmanager
def beside(settings: Settings, stop: threading.Event) -> Iterator[None]:
    """Tell what is to be told until the block ends or ``stop`` is set."""

    def work() -> None:
        with database.connect(settings.database) as db:
            while not stop.wait(_EVERY_SECONDS):
                try:
                    tell(db, settings)
                except Exception:  # the rows still say what is to be told
                    logger.exception("nobody could be told")

    thread = threading.Thread(target=work, name="messenger", daemon=True)
    thread.start()
    yield
    stop.set()
    thread.join(_EVERY_SECONDS)


def tell(db: Database, settings: Settings) -> int:
    """Write down what happened for whom it concerns, and send what is due."""
    deliveries.gather(db)
    mail.gather(db, settings)
    return deliveries.send_due(db, settings) + mail.send_due(db, settings)

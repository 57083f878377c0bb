"""Moves a title in a process that kills itself at the N-th thing it does outside.

Run as ``python -m tests.host.mortal_move HOME ENDPOINT SLUG PLACE N``. What counts are
files opened, renamed and removed, and requests sent. It prints how many it did.
"""

import os
import signal
import sys
from pathlib import Path

from appliance import db as database
from appliance.media.moving import Move
from appliance.media.tracks import Place
from appliance.objects import Stores
from appliance.permissions import SYSTEM
from appliance.sections import Objects
from appliance.settings import Settings
from appliance.storage import Storage
from tests.host.object_server import BUCKET

_COUNTED = {"open", "os.rename", "os.remove", "os.rmdir", "http.client.send"}


def main() -> None:
    """Move, and die on the way."""
    home, endpoint, slug, place, last = sys.argv[1:]
    done = 0

    def count(event: str, _: object) -> None:
        nonlocal done
        if event in _COUNTED:
            done += 1
            if done == int(last):
                os.kill(os.getpid(), signal.SIGKILL)

    objects = Objects(bucket=BUCKET, endpoint=endpoint)
    settings = Settings(home=Path(home), objects=objects)
    stores = Stores(Storage(settings.media, settings.home), settings)
    assert stores.objects
    with database.connect(settings.database) as db:
        sys.addaudithook(count)
        Move(db, stores, SYSTEM).title(slug, Place(place))
    sys.stdout.write(f"{done}\n")


if __name__ == "__main__":
    main()

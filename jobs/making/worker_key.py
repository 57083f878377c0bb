"""A new key to seal content keys with on their way to media workers."""

import json

from appliance.db import Database, write
from appliance.errors import Conflict
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check
from appliance.protection import sealing
from appliance.settings import Settings
from jobs.making import encryption


def rotate(db: Database, settings: Settings, actor: Actor) -> None:
    """Put a new worker.key into use.

    Errors: ``Conflict`` key.in-work while work units hold what the old one sealed.
    """
    check(actor, Action.KEY_MANAGE)
    with write(db):
        busy = _jobs_with_keys(db)
        if busy:
            raise Conflict(
                "key.in-work",
                f"Protected films are in work, with keys sealed by the old one: wait"
                f" until they are done, or cancel them ({', '.join(busy[:5])}).",
            )
        record(db, actor, Event.KEY_ROTATE, "worker-key")
        # Last in the transaction: without the file there is nothing to tell of.
        sealing.renew(settings.keys)


def _jobs_with_keys(db: Database) -> list[str]:
    rows = db.rows(
        """
        select j.public_id, u.spec from work_units u join jobs j on j.id = u.job_id
        where u.state in ('waiting', 'queued', 'running')
            and j.state in ('queued', 'running')
            and u.spec like '%"sealed"%'
        """
    )
    found = {
        each["public_id"]
        for each in rows
        if encryption.in_spec(json.loads(each["spec"]))
    }
    return sorted(found)

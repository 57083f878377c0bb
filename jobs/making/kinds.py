"""What a kind of job must know: what to do next, and what to do at the end.

The pipeline asks ``planned`` whenever everything that a job has is done: for the units
that come next, until there are none. Then it calls ``install``. Both may be called
again by whoever follows somebody who was killed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.db import Database
from appliance.media.assets import Asset
from appliance.media.jobs import Job
from appliance.settings import Settings
from appliance.storage import Storage
from jobs.errands import Errand
from jobs.planning.plan import NewUnit


@dataclass(frozen=True, slots=True)
class Due:
    """A job of which all that was planned is done, and what is at hand for it.

    ``done`` are the names of its units; ``errand`` asks for what others may take long
    to answer.
    """

    db: Database
    storage: Storage
    settings: Settings
    job: Job
    asset: Asset
    done: frozenset[str]
    errand: Errand


@dataclass(frozen=True, slots=True)
class Kind:
    """The two questions.

    ``planned`` returns the units that come next; [] when there are none; None while
    somebody is still being asked. ``install`` changes the rows and finishes the job in
    one transaction; the pipeline throws away its scratch afterwards. A job that had
    nothing to do is finished without it.
    Errors of both: those that :func:`jobs.pipeline.advance` understands.
    """

    planned: Callable[[Due], list[NewUnit] | None]
    install: Callable[[Due], None]

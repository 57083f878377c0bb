"""What a film gets besides its tracks: a preview, a fingerprint, its chapters."""

from appliance.media import assets, markers, units
from appliance.media.markers import MarkerKind, MarkerOrigin, Stretch
from appliance.permissions import SYSTEM
from jobs import attempts
from jobs.listening import seasons
from jobs.making.kinds import Due
from jobs.planning.plan import INSPECT
from jobs.steps import fingerprint


def keep(due: Due) -> None:
    """Put the files in their places; doing it again changes nothing."""
    made = units.result(due.db, due.job.id, "fingerprint")
    if made is not None:
        source = attempts.done_place(due.job.public_id, "fingerprint")
        found = due.storage.existing(source / fingerprint.FILE)
        due.storage.write(seasons.place(due.asset.public_id), found.read_bytes())
    preview = _preview(due)
    if preview is not None:
        source = attempts.done_place(due.job.public_id, "preview")
        found = due.storage.existing(source / preview)
        place = assets.preview_place(due.asset.public_id)
        due.storage.write(place, found.read_bytes())


def tell(due: Due) -> None:
    """Write the rows, in the transaction that installs the film."""
    if _preview(due) is not None:
        assets.previewed(due.db, due.asset.id, due.job.public_id)
    facts = units.result(due.db, due.job.id, INSPECT)
    if facts is not None:
        chapters = [
            Stretch(MarkerKind.CHAPTER, each["start"], each["end"], each["title"])
            for each in facts["chapters"]
        ]
        kinds = (MarkerKind.CHAPTER,)
        markers.found(
            due.db, SYSTEM, due.asset.id, MarkerOrigin.SOURCE, kinds, chapters
        )


def _preview(due: Due) -> str | None:
    made = units.result(due.db, due.job.id, "preview")
    return None if made is None else made["file"]

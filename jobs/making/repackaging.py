"""Packages a film once more that was to be protected otherwise in the meantime."""

from appliance.media import transitions, units
from jobs import attempts
from jobs.making import protection
from jobs.making.kinds import Due

_AGAIN = ("package", "verify")


def package_again(due: Due) -> None:
    """Let packaging and verifying wait again, as the title wants it now.

    What was encoded stays. Nothing is changed while keys are asked for.
    """
    package = units.spec(due.db, due.job.id, "package")
    heights = [each["height"] for each in package["video"]]
    needed = protection.labels(heights, sound=bool(package["audio"]))
    keys = protection.spec(due.db, due.settings, due.job, due.asset, needed, due.errand)
    if keys is None:
        return
    for name in _AGAIN:
        due.storage.remove(attempts.done_place(due.job.public_id, name))
    specs = {
        name: units.spec(due.db, due.job.id, name) | {"encryption": keys.encryption}
        for name in _AGAIN
    }
    transitions.plan_again(due.db, due.job.id, specs)

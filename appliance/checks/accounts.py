"""Checks of people and what they may see: administrators, countries."""

from appliance.access import availability, territory
from appliance.accounts import people
from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.operations.findings import Level


def _administrator(examined: Examined) -> Answer:
    with examined.db() as db:
        if people.any_administrator(db):
            return ok("somebody can administer this installation")
    return Level.WARN, "there is no administrator", "matinee init"


def _countries(examined: Examined) -> Answer:
    territory.check(examined.settings)
    path = examined.settings.access.geoip_database
    if path:
        return ok(f"countries come from {path}")
    with examined.db() as db:
        waiting = availability.titles_by_country(db)
    if waiting:
        return (
            Level.WARN,
            f"{waiting} titles are for some countries only, and no file tells where"
            " somebody is: they are refused",
            "set access.geoip_database to a MaxMind DB file",
        )
    return ok("no title is for some countries only")


CHECKS: Checks = {
    "accounts.administrator": Check(_administrator),
    "access.countries": Check(_countries),
}

"""Checks of what is told to others: e-mail."""

from datetime import timedelta

from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.clock import to_text
from appliance.events import Event
from appliance.operations import mail
from appliance.operations.findings import Level

_UNSET = "no e-mail is sent (mail.host)"


def _server(examined: Examined) -> Answer:
    settings = examined.settings
    if not settings.mail.host:
        return ok(_UNSET)
    if problem := mail.trouble(settings):
        fix = "correct [mail] in the settings, then: matinee mail test ADDRESS"
        return Level.FAIL, problem, fix
    return ok(f"{settings.mail.host} takes letters from us")


def _alerts(examined: Examined) -> Answer:
    """Say whether somebody hears of it when something is wrong."""
    settings = examined.settings
    if not settings.mail.host or settings.mail.alerts == "nobody":
        return ok("no e-mail about alerts is sent (mail.host, mail.alerts)")
    with examined.db() as db:
        told = mail.told_of(mail.in_force(db, settings), Event.ALERT_RAISE)
    if told:
        return ok(f"alerts are written to {', '.join(told)}")
    sentence = "nobody is written to about alerts: no administrator has an address"
    return Level.WARN, sentence, "set mail.alerts to your address"


def _letters(examined: Examined) -> Answer:
    if not examined.settings.mail.host:
        return ok(_UNSET)
    with examined.db() as db:
        count = mail.failed(db, to_text(examined.clock.now() - timedelta(days=1)))
    if count:
        sentence = f"{count} letters of the last day were given up"
        return Level.WARN, sentence, "matinee mail log says why"
    return ok("no letter of the last day was given up")


CHECKS: Checks = {
    "mail.alerts": Check(_alerts),
    "mail.letters": Check(_letters),
    "mail.send": Check(_server, slow=True, seconds=60),
}

"""Checks of how films and pages reach viewers."""

from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.delivery import routes
from appliance.delivery.cdn import vendors
from appliance.media import tracks
from appliance.operations.findings import Level
from nginx import just_in_time


def _cdn(examined: Examined) -> Answer:
    settings = examined.settings
    through = routes.cdn(settings)
    if through is None:
        return ok("films come from this installation itself")
    if through.vendor:
        vendors.signer(settings, through.vendor)
    return ok(f"films come through {through.base}; matinee cdn doctor asks it")


def _doors(examined: Examined) -> Answer:
    web = examined.settings.web
    if web.host in ("127.0.0.1", "::1", "localhost") or web.secure_cookies:
        return ok(f"the web server listens on {web.host}:{web.port}")
    return (
        Level.WARN,
        f"the web server listens on {web.host}:{web.port}, and cookies travel"
        " without TLS",
        "put a proxy with TLS in front and set web.secure_cookies = true",
    )


def _just_in_time(examined: Examined) -> Answer:
    settings = examined.settings
    with examined.db() as db:
        films = tracks.films(db)
    if settings.origin.mode != "vod":
        if not films:
            return ok("films lie packaged on the disk")
        return (
            Level.WARN,
            "films lie for nginx-vod-module, which is switched off, so that nobody can"
            f" watch them: {films}",
            "set origin.mode = vod, or have them packaged: matinee key replace SLUG",
        )
    for sentence, fix in just_in_time.troubles(settings):
        return Level.FAIL, sentence, fix
    return ok(f"films that are packaged just in time: {films}")


CHECKS: Checks = {
    "delivery.cdn": Check(_cdn),
    "web.doors": Check(_doors),
    "origin.films": Check(_just_in_time),
}

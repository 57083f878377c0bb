"""Checks of a CDN that is set up, through its public address."""

from collections.abc import Callable
from functools import partial

from appliance.checks import through_cdn
from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.checks.through_cdn import Visit
from appliance.delivery import routes
from appliance.media import assets
from appliance.operations.findings import Level

_TOKENS = ("token.expired", "token.foreign", "token.forged", "token.bare")
_LEVELS = (Level.OK, Level.WARN, Level.FAIL)


def _reachable(_visit: Visit) -> Answer:
    return ok("the CDN gives films")


def _kept(visit: Visit) -> Answer:
    return through_cdn.CHECKS["cdn.hit"](visit)


def _signed(visit: Visit) -> Answer:
    """Return the worst of what comes of wrong signatures."""
    found = [through_cdn.CHECKS[name](visit) for name in _TOKENS]
    return max(found, key=lambda each: _LEVELS.index(each[0]))


def _through(check: Callable[[Visit], Answer], examined: Examined) -> Answer:
    """Ask for the newest film, as a viewer does, and go on from there."""
    settings = examined.settings
    route = routes.cdn(settings)
    if route is None:
        return ok("no CDN is set up")
    with examined.db() as db:
        film = assets.newest(db)
    if film is None:
        return ok("there is no film yet to ask the CDN for")
    asking = through_cdn.visitor(settings, route, film.public_id)
    now = int(examined.now)
    level, sentence, fix, segment = through_cdn.reach(asking, now)
    if not segment:
        return level, sentence, fix
    portal = settings.portal.public_url.rstrip("/")
    return check(Visit(asking, portal, segment, now, through_cdn.PAGES))


CHECKS: Checks = {
    "cdn.reachable": Check(partial(_through, _reachable), slow=True, seconds=90),
    "cdn.cache_hit": Check(partial(_through, _kept), slow=True, seconds=120),
    "cdn.signed_url": Check(partial(_through, _signed), slow=True, seconds=120),
}

"""``GET /metrics``, for those machines alone that nginx would let ask, too."""

import ipaddress

from flask import Response, abort, request

from appliance import counts
from appliance.errors import Forbidden
from appliance.settings import Settings
from web import context, guard
from web.monitoring import exposition, figures
from web.monitoring.families import FAMILIES


@guard.public("token: the address it comes from is looked at here")
def metrics() -> Response:
    """Answer with the figures of all processes. Errors: ``Forbidden``."""
    settings = context.settings()
    if not settings.monitoring.metrics:
        abort(404)
    _require_inside(settings)
    counted = counts.totals(settings.home / "state" / "counts")
    body = exposition.text(
        FAMILIES,
        [
            *counted.items(),
            *figures.derived(counted),
            *figures.measured(context.installation()),
        ],
    )
    return Response(
        body, content_type=exposition.TYPE, headers={"Cache-Control": "no-store"}
    )


def _require_inside(settings: Settings) -> None:
    """Refuse unless everybody on the way here is inside; none can lie himself in.

    That is whoever is connected to us and whoever a proxy says it asks for. A Unix
    socket has no address: the machine itself is at its other end.
    """
    environ = request.environ
    connected = environ.get("werkzeug.proxy_fix.orig", environ).get("REMOTE_ADDR")
    told = environ.get("HTTP_X_FORWARDED_FOR", "")
    addresses = [connected or "", *told.split(",")]
    networks = [
        ipaddress.ip_network(each.strip(), strict=False)
        for each in settings.nginx.internal_networks.split(",")
        if each.strip()
    ]
    for each in filter(None, (address.strip() for address in addresses)):
        if not _is_in(each, networks):
            raise Forbidden(
                "monitoring.outside",
                "Figures are told to machines of the house only"
                " (nginx.internal_networks).",
            )


def _is_in(
    text: str, networks: list[ipaddress.IPv4Network | ipaddress.IPv6Network]
) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any((mapped or address) in each for each in networks)

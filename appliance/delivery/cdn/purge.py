"""Makes a CDN forget films.

Nothing needs it day by day: files of a new encode have new addresses, manifests live
ten seconds, and without a signature nobody gets what is kept. It is for what must be
gone everywhere at once, and for a cache that was filled with something wrong.
"""

from collections.abc import Sequence
from datetime import datetime

from appliance import outbound
from appliance.delivery import routes
from appliance.delivery.cdn import vendors
from appliance.delivery.cdn.purging import Ask, Target
from appliance.errors import PreconditionFailed
from appliance.settings import Settings

NAMES = {
    "cloudfront": "CloudFront",
    "akamai": "Akamai",
    "google": "Google Cloud CDN",
    "bunny": "Bunny",
    "cloudflare": "Cloudflare",
    "fastly": "Fastly",
}


def purge(
    settings: Settings, assets: Sequence[str], now: datetime, nonce: str
) -> Target:
    """Have the CDN forget the files of assets, by public ids; of none: everything.

    ``nonce`` is a word that was never used before. Errors: ``PreconditionFailed``
    cdn.none or cdn.no-purge, those of :meth:`SecretFile.section` and of
    :func:`appliance.calls.call`.
    """
    through = routes.cdn(settings)
    if through is None:
        raise PreconditionFailed(
            "cdn.none", "No CDN is set up here: set cdn.name and cdn.url."
        )
    forget = vendors.PURGES.get(through.vendor)
    if forget is None:
        raise PreconditionFailed(
            "cdn.no-purge",
            "A CDN of your own has no API that Matinee knows. Files of films never"
            " change under one address, so that none has to be forgotten; on an edge of"
            " ours, delete the folder of its cache.",
        )
    target = Target(through.base, tuple(assets))
    secrets = vendors.secrets(settings, through.vendor)
    ask = Ask(NAMES[through.vendor], secrets, outbound.of(settings), now, nonce)
    forget(ask, target)
    return target

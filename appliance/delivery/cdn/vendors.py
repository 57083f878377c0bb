"""The CDNs by name: who signs, what forgets, and where their secrets are."""

from collections.abc import Callable, Mapping

from appliance.delivery.cdn import (
    akamai,
    bunny,
    cloudflare,
    cloudfront,
    fastly,
    google,
)
from appliance.delivery.cdn.purging import Purge
from appliance.delivery.cdn.signed import Signer
from appliance.secret_file import SecretFile, Section
from appliance.settings import Settings

SIGNERS: Mapping[str, Callable[[Section], Signer]] = {
    "cloudfront": cloudfront.of_section,
    "akamai": akamai.of_section,
    "google": google.of_section,
    "bunny": bunny.of_section,
    "cloudflare": cloudflare.of_section,
    "fastly": fastly.of_section,
}

PURGES: Mapping[str, Purge] = {
    "cloudfront": cloudfront.purge,
    "akamai": akamai.purge,
    "google": google.purge,
    "bunny": bunny.purge,
    "cloudflare": cloudflare.purge,
    "fastly": fastly.purge,
}


def signer(settings: Settings, vendor: str) -> Signer:
    """Return who signs for a CDN.

    Errors: those of :meth:`SecretFile.section`, with codes that begin with
    ``cdn.credentials``.
    """
    return SIGNERS[vendor](secrets(settings, vendor))


def secrets(settings: Settings, vendor: str) -> Section:
    """Return the section of a CDN in ``cdn.toml``, or in ``cdn.credentials``."""
    file = SecretFile(
        name="cdn.toml",
        folder=settings.keys,
        named=settings.cdn.credentials,
        code="cdn.credentials",
        whose="the CDN",
    )
    return file.section(vendor)

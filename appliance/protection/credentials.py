"""The DRM providers' secrets: the file ``drm.toml``, or ``protection.credentials``."""

from collections.abc import Mapping

from appliance.secret_file import SecretFile, Section
from appliance.settings import Settings

__all__ = ["Section", "section"]


def section(
    settings: Settings, name: str, environ: Mapping[str, str] | None = None
) -> Section:
    """Return the secrets for a service. Errors: as of :meth:`SecretFile.section`."""
    file = SecretFile(
        name="drm.toml",
        folder=settings.keys,
        named=settings.protection.credentials,
        code="protection.credentials",
        whose="the provider",
    )
    return file.section(name, environ)

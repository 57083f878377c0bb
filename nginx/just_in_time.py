"""What the templates of role vod see: where nginx asks itself, and by which secret."""

from collections.abc import Mapping
from typing import Any

from appliance import keyring
from appliance.settings import Settings
from nginx import words
from nginx.secrets import Secrets

PACKAGED_MODULE = "modules/ngx_http_vod_module.so"
"""Where packages of nginx-vod-module put it, below nginx's own folder."""

# A key system may leave at any minute; what is known must outlast a restart.
FRESH_SECONDS = 10
KNOWN_MINUTES = 60


def module(settings: Settings) -> str:
    """Return the file of nginx-vod-module. Errors: ``ConfigError``."""
    named = settings.origin.vod_module
    return words.path("origin.vod_module", named) if named else PACKAGED_MODULE


def values(settings: Settings, _secrets: Secrets) -> Mapping[str, Any]:
    """Return what the templates see. Errors: ``ConfigError``."""
    return {
        "vod_port": words.port("origin.vod_port", settings.origin.vod_port),
        "vod_secret": keyring.key(settings.keys, "internal").hex(),
        "vod_segment_milliseconds": settings.encode.segment_seconds * 1000,
        "vod_fresh_seconds": FRESH_SECONDS,
        "vod_known_minutes": KNOWN_MINUTES,
    }

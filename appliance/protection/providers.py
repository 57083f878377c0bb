"""Who makes content keys: this machine, Widevine's service, or a SPEKE one.

Whoever it is, a key comes as it is, with ``pssh`` boxes: there is one way to encrypt.
"""

from collections.abc import Callable, Mapping

from appliance.protection import local, speke, widevine
from appliance.protection.provided import KeyProvider, ProvidedKey
from appliance.settings import Settings

__all__ = ["KeyProvider", "ProvidedKey", "provider"]

_PROVIDERS: Mapping[str, Callable[[Settings], KeyProvider]] = {
    "local": lambda _: local.LocalKeys(),
    "widevine": widevine.of_settings,
    "speke": speke.of_settings,
}


def provider(settings: Settings) -> KeyProvider:
    """Return who makes the keys, by ``protection.keys_from``.

    Errors: ``ConfigError`` and ``PreconditionFailed`` for missing addresses or secrets.
    """
    return _PROVIDERS[settings.protection.keys_from](settings)

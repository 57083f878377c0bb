"""What the templates of role vod see: where nginx asks itself, and by which secret."""

from collections.abc import Iterator, Mapping
from pathlib import Path
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


def troubles(settings: Settings) -> Iterator[tuple[str, str]]:
    """Yield what is wrong on this machine, each with what to do about it."""
    named = settings.origin.vod_module
    if named and not Path(named).is_file():
        yield (
            f"nginx-vod-module is not at {named}",
            "install it, or set origin.vod_module to its file",
        )
    if not _in_memory(Path(settings.nginx.run)):
        yield (
            f"{settings.nginx.run} lies on a disk, and content keys are kept there",
            "set nginx.run to a folder below /run, which lies in memory",
        )


def _in_memory(folder: Path) -> bool:
    """Say whether a folder, or the one that it will be made in, is on a tmpfs."""
    text = Path("/proc/self/mountinfo").read_text(encoding="utf-8")
    lines = [line.split(" - ") for line in text.splitlines()]
    kinds = {left.split()[4]: right.split()[0] for left, right in lines}
    whole = folder.resolve()
    nearest = next(str(each) for each in (whole, *whole.parents) if str(each) in kinds)
    return kinds[nearest] in ("tmpfs", "ramfs")

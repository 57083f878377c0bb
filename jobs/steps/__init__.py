"""The steps of the pipeline: each takes a spec and its work, and returns JSON."""

from collections.abc import Callable, Mapping
from typing import Any

from jobs.steps import (
    audio,
    decrypt,
    encode,
    inspect,
    join,
    package,
    text,
    thumbnails,
    verify,
)
from jobs.work import Work

STEPS: Mapping[str, Callable[[dict[str, Any], Work], dict[str, Any]]] = {
    "inspect": inspect.run,
    "encode": encode.run,
    "audio": audio.run,
    "text": text.run,
    "join": join.run,
    "decrypt": decrypt.run,
    "package": package.run,
    "thumbnails": thumbnails.run,
    "verify": verify.run,
}

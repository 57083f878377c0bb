"""The steps of the pipeline: each takes a spec and its work, and returns JSON."""

from collections.abc import Callable, Mapping
from typing import Any

from jobs.steps import (
    analyse,
    audio,
    decrypt,
    encode,
    fingerprint,
    inspect,
    join,
    package,
    preview,
    speech,
    text,
    thumbnails,
    verify,
)
from jobs.work import Work

STEPS: Mapping[str, Callable[[dict[str, Any], Work], dict[str, Any]]] = {
    "inspect": inspect.run,
    "analyse": analyse.run,
    "encode": encode.run,
    "audio": audio.run,
    "text": text.run,
    "join": join.run,
    "decrypt": decrypt.run,
    "package": package.run,
    "thumbnails": thumbnails.run,
    "fingerprint": fingerprint.run,
    "preview": preview.run,
    "speech": speech.run,
    "verify": verify.run,
}

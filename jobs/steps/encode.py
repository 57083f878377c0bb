"""Encode: one chunk of a film, all its renditions of a codec from one decode."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from appliance import digests
from appliance.errors import TryAgain
from jobs.encoders import hardware
from jobs.steps import chunk
from jobs.steps.graphics import Device
from jobs.steps.pictures import chunk_args, codec_of, family_of
from jobs.tools import ffmpeg, mp4
from jobs.tools.encoders import Family
from jobs.work import Work

logger = logging.getLogger(__name__)


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Write ``<track id>.mp4`` of every rendition.

    Returns ``{"frames", "device", "tracks": {id: {"codec", "bytes", "sha256"}}}``;
    ``codec`` tells chunks apart that can't be joined, the digest those that a disk
    changed, ``device`` is empty for the processor.
    Errors: ``encoder.hardware`` when a graphics processor did not manage.
    """
    source = work.storage.existing(spec["source"])
    device = ""
    if family_of(spec) is Family.SOFTWARE:
        _encode(spec, source, work, None)
    else:
        spec = spec | {"turned": hardware.turned(source, work)}
        with hardware.used(codec_of(spec), family_of(spec), work) as used:
            _encode(spec, source, work, used)
            device = used.path
    return {
        "frames": spec["to"] - spec["from"],
        "device": device,
        "tracks": {
            each["id"]: _described(work.folder / f"{each['id']}.mp4")
            for each in spec["renditions"]
        },
    }


def _encode(
    spec: Mapping[str, Any], source: Path, work: Work, device: Device | None
) -> None:
    _run(spec, source, work, spec["seek"], device)
    wrong = chunk.wrong(spec, work.folder)
    if wrong and spec["seek"] is not None:
        # A seek that went astray is the usual reason, and the file's own fault.
        logger.info("%s; once more without seeking", wrong)
        _run(spec, source, work, None, device)
        wrong = chunk.wrong(spec, work.folder)
    if wrong:
        raise TryAgain("encode.frames", f"{wrong}: the chunk is encoded again.")


def _run(
    spec: Mapping[str, Any],
    source: Path,
    work: Work,
    seek: float | None,
    device: Device | None,
) -> None:
    args = chunk_args(spec, source, work.folder, seek, device)
    ffmpeg.run(args, work, frames=spec["to"] - spec["from"])


def _described(path: Path) -> dict[str, Any]:
    size, digest = digests.of_file(path)
    return {"codec": mp4.facts(path).codec, "bytes": size, "sha256": digest}

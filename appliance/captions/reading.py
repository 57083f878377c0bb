"""Any captions file that people have, as cues: the format is seen from the text."""

from appliance.captions import encodings, substation, timed_blocks, ttml
from appliance.captions.cues import MOST_BYTES, MOST_CUES, Captions, Reading
from appliance.errors import InvalidInput

_MEGABYTE = 1024 * 1024


def read(data: bytes, language: str = "", encoding: str = "") -> Reading:
    """Read a file; the ``language`` of what is said helps to read older encodings.

    Errors: ``InvalidInput`` with ``captions.empty``, ``.too-large``, ``.binary``,
    ``.encoding``, ``.format``, ``.broken``, ``.no-cues``, ``.too-many``.
    """
    if not data.strip():
        raise _refusal("empty", "This file is empty.")
    if len(data) > MOST_BYTES:
        raise _refusal(
            "too-large",
            f"Captions of a film are small; this file has over"
            f" {MOST_BYTES // _MEGABYTE} MB and is not read.",
        )
    return of_text(encodings.decode(data, language, encoding))


def of_text(text: str) -> Reading:
    """Read what has been decoded."""
    text = text.removeprefix("\ufeff").replace("\0", "")
    format = _format(text)
    if format == "ttml":
        captions, remarks = ttml.read(text)
    elif format == "ass":
        captions, remarks = substation.read(text)
    else:
        captions, remarks = timed_blocks.read(text, webvtt=format == "vtt")
    return Reading(_sensible(captions), format, remarks)


def stored(text: str) -> Captions:
    """Read what :func:`appliance.captions.writing.webvtt` wrote; it may be empty."""
    return timed_blocks.read(text, webvtt=True)[0]


def _format(text: str) -> str:
    begin = text.lstrip()[:4096]
    if begin.startswith("WEBVTT"):
        return "vtt"
    if begin.startswith("<") and ("<tt" in begin or ":tt" in begin):
        return "ttml"
    if begin.startswith(("[Script Info]", "[V4")) or "\nDialogue:" in text:
        return "ass"
    if "-->" in text:
        return "srt"
    raise _refusal(
        "format",
        "This is none of SRT, WebVTT, ASS and TTML: export the captions as one of"
        " these.",
    )


def _sensible(captions: Captions) -> Captions:
    if not captions.cues:
        raise _refusal(
            "no-cues", "There is no text with a time in this file: is it complete?"
        )
    if len(captions.cues) > MOST_CUES:
        raise _refusal("too-many", f"Captions have {MOST_CUES:,} cues at most.")
    return captions


def _refusal(code: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"captions.{code}", sentence, {"field": "file"})

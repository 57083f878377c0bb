"""What may stand in the settings of the work on films; each refusal says what would."""

import re
from collections.abc import Mapping
from types import MappingProxyType

from appliance.media_sections import Encode, Quality, Queue, Speech

CODECS = ("h264", "hevc", "av1")
HEIGHTS = (234, 360, 480, 720, 1080, 1440, 2160)
PRESETS = (
    "ultrafast",
    "superfast",
    "veryfast",
    "faster",
    "fast",
    "medium",
    "slow",
    "slower",
    "veryslow",
)
ROLES = ("cpu", "gpu", "speech")
# What Whisper's models were taught, as they call it.
_SPOKEN = re.compile(
    "af|am|ar|as|az|ba|be|bg|bn|bo|br|bs|ca|cs|cy|da|de|el|en|es|et|eu|fa|fi|fo|fr|gl|gu"
    "|ha|haw|he|hi|hr|ht|hu|hy|id|is|it|ja|jw|ka|kk|km|kn|ko|la|lb|ln|lo|lt|lv|mg|mi|mk"
    "|ml|mn|mr|ms|mt|my|ne|nl|nn|no|oc|pa|pl|ps|pt|ro|ru|sa|sd|si|sk|sl|sn|so|sq|sr|su"
    "|sv|sw|ta|te|tg|th|tk|tl|tr|tt|uk|ur|uz|vi|yi|yo|yue|zh"
)
# Languages that they know under another code.
CALLED: Mapping[str, str] = MappingProxyType({"nb": "no", "fil": "tl", "jv": "jw"})
_MOST_DAYS = 3650
_MOST_THREADS = 256
_MODEL = re.compile(r"/.+|package:\s*[A-Za-z_]\w*\s*", re.ASCII)
_SHA256 = re.compile(r"[0-9a-f]{64}", re.ASCII | re.IGNORECASE)
_REDIS = re.compile(
    r"rediss?://([^@/?#\s]*@)?([\w.-]+|\[[0-9A-Fa-f:]+\])(:\d{1,5})?(/\d+)?"
    r"(\?ssl_\w+=[^&#\s]+(&ssl_\w+=[^&#\s]+)*)?",
    re.ASCII,
)
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,62})", re.ASCII)


def names(text: str) -> tuple[str, ...]:
    """Return what a text lists with commas between."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def source_days(keep_source: str) -> int | None:
    """Return after how many days a source goes; None where time does not decide."""
    return int(keep_source) if keep_source.isascii() and keep_source.isdigit() else None


def of_encode(encode: Encode) -> Mapping[str, tuple[bool, str]]:
    """Say of the fields that a library may set whether they are right, and what is."""
    codecs = names(encode.codecs)
    days = source_days(encode.keep_source)
    return {
        "codecs": (
            "h264" in codecs
            and set(codecs) <= set(CODECS)
            and len(set(codecs)) == len(codecs),
            "must name h264, which every player knows, and may name hevc and av1.",
        ),
        "max_height": (
            encode.max_height in HEIGHTS,
            f"must be one of {', '.join(map(str, HEIGHTS))}.",
        ),
        "keep_source": (
            encode.keep_source in ("keep", "verified")
            or (days is not None and 1 <= days <= _MOST_DAYS),
            f"must be keep, verified, or a number of days from 1 to {_MOST_DAYS}.",
        ),
        "preset": (
            encode.preset in PRESETS,
            f"must be a preset of x264: {', '.join(PRESETS)}.",
        ),
        "crf": (0 <= encode.crf <= 51, "must lie between 0 and 51."),
        "loudness": (
            -40 <= encode.loudness <= -10,
            "must lie between -40 and -10 (LUFS).",
        ),
    }


def of_queue(queue: Queue) -> tuple[tuple[bool, str], ...]:
    """Say of the queue whether it is right; the address, a secret, is not repeated."""
    roles, labels = names(queue.roles), names(queue.labels)
    return (
        (
            not queue.url or _REDIS.fullmatch(queue.url) is not None,
            "queue.url must be empty, or like redis://:password@host:6379/0, with signs"
            " like @ and / in the password written as %40 and %2F.",
        ),
        (
            queue.exchange in ("folder", "objects"),
            "queue.exchange must be folder or objects.",
        ),
        (
            queue.exchange != "objects" or bool(queue.url),
            "queue.exchange is objects: set queue.url, the Redis server of the"
            " control worker, as well.",
        ),
        (
            not queue.node or _NAME.fullmatch(queue.node) is not None,
            "queue.node must be letters, digits, dots and hyphens, 63 at most.",
        ),
        (
            bool(roles) and set(roles) <= set(ROLES),
            f"queue.roles must name some of: {', '.join(ROLES)}.",
        ),
        (
            all(_NAME.fullmatch(label) for label in labels),
            "queue.labels must be words of letters, digits, dots and hyphens.",
        ),
        (queue.slots >= 0, "queue.slots must be 0 (by cores) or more."),
        (
            5 <= queue.lease_seconds <= 60,
            "queue.lease_seconds must lie between 5 and 60.",
        ),
    )


def of_quality(quality: Quality) -> tuple[tuple[bool, str], ...]:
    """Say of the limits of quality reports whether they make sense."""
    shortest = min(
        quality.black_seconds, quality.freeze_seconds, quality.silence_seconds
    )
    return (
        (
            quality.decode in ("samples", "all"),
            "quality.decode must be samples or all.",
        ),
        (
            0 <= quality.least_score <= 100,
            "quality.least_score must lie between 0 and 100.",
        ),
        (
            shortest > 0,
            "quality.black_seconds, freeze_seconds and silence_seconds: > 0.",
        ),
        (quality.sync_milliseconds > 0, "quality.sync_milliseconds: > 0."),
    )


def of_speech(speech: Speech) -> tuple[tuple[bool, str], ...]:
    """Say of captions by machine whether what is set can be right.

    Whether the model is there is seen on the machine that recognises speech.
    """
    model, sha256 = speech.model.strip(), speech.sha256.strip()
    wrong = [each for each in names(speech.languages) if not _spoken(each)]
    return (
        (
            not model or _MODEL.fullmatch(model) is not None,
            "speech.model must be the whole path of a folder, from / on, or"
            " package:NAME for an installed Python package.",
        ),
        (
            not sha256 or _SHA256.fullmatch(sha256) is not None,
            "speech.sha256 must be 64 hexadecimal digits, as `sha256sum model.bin`"
            " writes them.",
        ),
        (
            not model or bool(sha256),
            "speech.model is set without speech.sha256, and a model that is not pinned"
            " is not used: compare what `sha256sum model.bin` says in its folder with"
            " what its maker says, and set that.",
        ),
        (
            not wrong,
            f"speech.languages: “{', '.join(wrong)[:60]}” is none that Whisper knows;"
            " list codes with commas between, as en, de, pt.",
        ),
        (
            not speech.automatic or bool(model),
            "speech.automatic needs a model: set speech.model and speech.sha256.",
        ),
        (
            1 <= speech.threads <= _MOST_THREADS,
            f"speech.threads must lie between 1 and {_MOST_THREADS}.",
        ),
    )


def _spoken(language: str) -> bool:
    code = language.lower()
    return _SPOKEN.fullmatch(CALLED.get(code, code)) is not None

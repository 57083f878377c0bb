"""The sections of the settings that say how films are made."""

from dataclasses import dataclass

from appliance.sections import setting


@dataclass(frozen=True, slots=True)
class Queue:
    url: str = setting(
        "",
        "The Redis server of a cluster, as redis://:password@host:6379/0, or rediss://"
        " for TLS; empty: hints are queued in the home, for one machine.",
        secret=True,
    )
    credentials: str = setting(
        "",
        "The file, mode 0600, with username and password of the Redis server in a"
        " section [redis], in place of a password in queue.url; empty: queue.toml in"
        " the folder of keys, where there is one.",
    )
    certificates: str = setting(
        "",
        "The file with the certificates that a Redis server is known by, with rediss;"
        " empty: queue-ca.pem in the folder of keys, else those of the system.",
    )
    exchange: str = setting(
        "folder",
        "How `matinee worker --media` gets at films: folder, for the one that machines"
        " share, or objects, by the bucket of objects.bucket, on one without it.",
    )
    node: str = setting(
        "", "What this machine is called among the others; empty: its host name."
    )
    roles: str = setting(
        "cpu, gpu, speech",
        "What the media worker of this machine does, with commas between: cpu for"
        " everything but what gpu (encoding on graphics processors) and speech"
        " (captions by machine) stand for.",
    )
    labels: str = setting(
        "", "Words to find this machine by, with commas between, as rack-2, fast."
    )
    slots: int = setting(0, "Media work units at once on this machine; 0: by cores.")
    lease_seconds: int = setting(
        15, "After how long without a sign of life a work unit is given to another."
    )
    attempts: int = setting(
        3, "How often a work unit that failed is tried before its job fails."
    )
    stall_seconds: int = setting(
        120, "After how long without progress an encoder is stopped and retried."
    )


@dataclass(frozen=True, slots=True)
class Encode:
    preset: str = setting("veryfast", "The x264 preset.")
    crf: int = setting(21, "The x264 quality (lower is better) below the rate caps.")
    chunk_seconds: int = setting(
        28, "About how long a chunk is; rounded to whole segments."
    )
    segment_seconds: int = setting(4, "The length of a segment.")
    keyframe_seconds: int = setting(2, "The distance of keyframes.")
    audio_kbps: int = setting(128, "The bit rate of a stereo AAC track.")
    thumbnail_seconds: int = setting(5, "One seek-bar picture every so many seconds.")
    codecs: str = setting(
        "h264",
        "The codecs of the ladder, with commas between: h264 always, av1 and hevc for"
        " players that know them. A library may say otherwise.",
    )
    max_height: int = setting(
        2160, "The highest rendition. A library may say otherwise."
    )
    per_title: bool = setting(
        True,
        "Encode samples first, and choose quality and renditions by them.",
    )
    quick_first: bool = setting(
        False,
        "Make a low rendition first, so that a film can be watched while the others"
        " are made.",
    )
    keep_source: str = setting(
        "keep",
        "What becomes of a source: keep, a number of days, or verified to remove it"
        " when its film has passed its checks. A library may say otherwise.",
    )
    keep_versions_days: int = setting(
        7, "How long the tracks of an older version are kept for going back to it."
    )
    normalise: bool = setting(
        False, "Bring the loudness of sound to encode.loudness (EBU R 128)."
    )
    loudness: int = setting(-23, "The loudness that is aimed at, in LUFS.")
    surround: bool = setting(
        True, "Keep sound of more than two channels as a 5.1 track beside the stereo."
    )


@dataclass(frozen=True, slots=True)
class Hardware:
    family: str = setting(
        "auto",
        "What encodes: auto for the graphics processors that passed their test, else"
        " vaapi, qsv, nvenc, or software for the processor only.",
    )
    devices: str = setting(
        "", "The render nodes, as /dev/dri/renderD128, with commas; empty: all."
    )
    sessions: int = setting(2, "How many encodes one render node does at once.")
    probe_seconds: int = setting(
        60, "How long the test of an encoder may take until it counts as hanging."
    )
    retry_minutes: int = setting(
        30, "After how long an encoder that failed is tested again."
    )


@dataclass(frozen=True, slots=True)
class Quality:
    block: bool = setting(
        True, "Whether a film whose quality report failed can't be published."
    )
    review: bool = setting(
        False, "Whether somebody must approve a film before it can be published."
    )
    four_eyes: bool = setting(
        False, "Whether that must be somebody else than who uploaded it."
    )
    decode: str = setting(
        "samples", "How much of a film is decoded to check it: samples or all."
    )
    least_score: int = setting(
        70, "The VMAF below which the largest rendition gets a warning; 0: none."
    )
    sync_milliseconds: int = setting(
        45, "By how much sound may be off the picture without a warning."
    )
    black_seconds: int = setting(5, "After how long a black picture is remarked.")
    freeze_seconds: int = setting(10, "After how long a frozen picture is remarked.")
    silence_seconds: int = setting(15, "After how long silence is remarked.")
    true_peak: int = setting(
        -1, "Above which true peak, in dBTP, sound gets a warning."
    )


@dataclass(frozen=True, slots=True)
class Speech:
    model: str = setting(
        "",
        "The folder of a Whisper model in CTranslate2’s form, or package:NAME for the"
        " one in an installed Python package, for captions by machine; empty: none are"
        " made. It is the same on every machine that recognises speech.",
    )
    sha256: str = setting(
        "", "The SHA-256 of its model.bin: without it, and with another, none is used."
    )
    languages: str = setting(
        "",
        "The languages that captions are made in, with commas between; empty: all that"
        " the model knows.",
    )
    automatic: bool = setting(
        False, "Caption new films that have no captions in their own language."
    )
    threads: int = setting(1, "How many threads recognising speech takes.")

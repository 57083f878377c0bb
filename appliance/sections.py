"""The sections of the settings; every setting carries the sentence that documents it.

:mod:`appliance.settings` puts them together and reads them.
"""

from dataclasses import dataclass, field
from typing import TypeVar

LICENCE_SERVICES = (
    "widevine-cloud",
    "axinom",
    "doverunner",
    "ezdrm",
    "keyos",
    "expressplay",
    "drmtoday",
)

CDNS = ("own", "cloudfront", "akamai", "google", "bunny", "cloudflare", "fastly")

_T = TypeVar("_T")


def _setting(default: _T, doc: str) -> _T:
    value: _T = field(default=default, metadata={"doc": doc})
    return value


@dataclass(frozen=True, slots=True)
class Portal:
    name: str = _setting("Matinee", "The name in the header and on the sign-in page.")
    public_url: str = _setting(
        "", "The address people type, as https://host; empty trusts the request's Host."
    )
    trusted_proxies: int = _setting(
        0, "How many proxies stand in front and set X-Forwarded-For and -Proto."
    )
    home_cards: int = _setting(12, "How many cards a row of the home page shows.")
    home_genres: int = _setting(6, "How many genres have a row on the home page.")


@dataclass(frozen=True, slots=True)
class Web:
    host: str = _setting("127.0.0.1", "The address that the web server listens on.")
    port: int = _setting(8600, "The port that the web server listens on.")
    socket: str = _setting(
        "", "A Unix socket to listen on instead, for an nginx on this machine."
    )
    workers: int = _setting(2, "How many web processes run.")
    threads: int = _setting(8, "How many requests one web process answers at once.")
    secure_cookies: bool = _setting(
        False, "Send cookies over https only; switch on wherever TLS is in front."
    )


@dataclass(frozen=True, slots=True)
class Nginx:
    folder: str = _setting(
        "/etc/matinee/nginx", "The folder that rendered configurations are put into."
    )
    roles: str = _setting(
        "portal, origin", "What this machine's nginx does: portal, origin, edge, vod."
    )
    user: str = _setting("www-data", "Whom it runs as; empty: whoever starts it.")
    workers: str = _setting("auto", "How many processes it runs; auto: one for a core.")
    address: str = _setting("", "The address it listens on; empty: all of them.")
    http_port: int = _setting(80, "The port without TLS.")
    https_port: int = _setting(443, "The port with TLS.")
    tls_certificate: str = _setting(
        "", "The certificate with its chain, in PEM; empty: no TLS."
    )
    tls_key: str = _setting("", "Its private key, in PEM.")
    run: str = _setting("/run/matinee-nginx", "The folder of its process id.")
    log: str = _setting("/var/log/matinee", "The folder of its logs.")
    cache: str = _setting("/var/cache/matinee", "The folder of what it caches.")
    slow_disks: bool = _setting(
        False, "Read files in threads, for disks that make a reader wait."
    )
    internal_networks: str = _setting(
        "127.0.0.0/8, ::1",
        "Who may ask for /metrics and /-/ready, with commas between.",
    )


@dataclass(frozen=True, slots=True)
class Origin:
    mode: str = _setting(
        "packaged",
        "Whether films lie packaged on disk (packaged), or nginx-vod-module packages"
        " them when they are asked for (vod).",
    )
    token: str = _setting(
        "md5",
        "How media tokens are signed: md5, which nginx checks itself, or"
        " hmac-sha256, which needs its JavaScript module.",
    )
    cors_origins: str = _setting(
        "", "Other sites that may play our films, as https://host, with commas between."
    )
    vod_module: str = _setting(
        "",
        "The file of nginx-vod-module (origin.mode = vod), which the operator brings;"
        " empty: modules/ngx_http_vod_module.so, where packages put it.",
    )
    vod_port: int = _setting(
        8610, "The port of 127.0.0.1 where nginx keeps what the module asks for."
    )


@dataclass(frozen=True, slots=True)
class Edge:
    url: str = _setting(
        "",
        "The address of this machine's own edge, as https://edge.example (nginx.roles ="
        " edge); empty: whatever it is asked for.",
    )
    origin: str = _setting(
        "", "The origin that this edge caches, as https://host (nginx.roles = edge)."
    )
    cache_gigabytes: int = _setting(50, "How much of the disk an edge may fill.")
    free_gigabytes: int = _setting(
        2, "How much of the disk an edge leaves free, whatever else lies there."
    )
    cache_days: int = _setting(30, "After how long unused an edge forgets a segment.")
    sites: str = _setting(
        "",
        "The edges that viewers are sent to: name=https://host, and with brackets the"
        " networks that it serves, as berlin=https://edge.example[10.1.0.0/16]; without"
        " them it serves everybody.",
    )
    required: bool = _setting(
        False,
        "Whether the origin gives segments to edges only, which show its secret;"
        " manifests, keys and licences stay open to whoever holds a token.",
    )


@dataclass(frozen=True, slots=True)
class Cdn:
    name: str = _setting(
        "",
        "The CDN in front: cloudfront, akamai, google, bunny, cloudflare, fastly or"
        " own, for one that passes our token on; empty: none.",
    )
    url: str = _setting("", "Its address, as https://films.example.")
    credentials: str = _setting(
        "", "The file, mode 0600, with its secrets; empty: cdn.toml in the keys."
    )


@dataclass(frozen=True, slots=True)
class StorageSettings:
    database: str = _setting("", "The database file; empty: matinee.db in the home.")
    media: str = _setting("", "The folder of films and packages; empty: media in home.")
    keys: str = _setting("", "The folder of key files; empty: keys in the home.")


@dataclass(frozen=True, slots=True)
class Objects:
    bucket: str = _setting(
        "",
        "The bucket of an S3-compatible storage that packages may be moved to with"
        " `matinee storage move`; empty: none.",
    )
    endpoint: str = _setting(
        "", "Its address, as https://s3.example.org; empty: Amazon's, by the region."
    )
    region: str = _setting("us-east-1", "Its region; many storages know only one.")
    prefix: str = _setting("", "The folder in the bucket that is ours; empty: all.")
    path_style: bool = _setting(
        True,
        "Name the bucket in the path; false: in the host name, as Amazon wants it.",
    )
    credentials: str = _setting(
        "",
        "The file, mode 0600, with access_key and secret_key in a section [s3];"
        " empty: s3.toml in the folder of keys.",
    )
    timeout_seconds: int = _setting(10, "How long it may take to begin to answer.")
    cache_gigabytes: int = _setting(
        20, "How much of it nginx may keep on the disk of an origin."
    )


@dataclass(frozen=True, slots=True)
class Queue:
    kind: str = _setting("sqlite", "Where hints are queued: sqlite or redis.")
    redis_url: str = _setting(
        "redis://127.0.0.1:6379/0", "The Redis server of a cluster (kind = redis)."
    )
    slots: int = _setting(0, "Media work units at once on this machine; 0: by cores.")
    lease_seconds: int = _setting(
        15, "After how long without a sign of life a work unit is given to another."
    )
    attempts: int = _setting(
        3, "How often a work unit that failed is tried before its job fails."
    )
    stall_seconds: int = _setting(
        120, "After how long without progress an encoder is stopped and retried."
    )


@dataclass(frozen=True, slots=True)
class Encode:
    preset: str = _setting("veryfast", "The x264 preset.")
    crf: int = _setting(21, "The x264 quality (lower is better) below the rate caps.")
    chunk_seconds: int = _setting(
        28, "About how long a chunk is; rounded to whole segments."
    )
    segment_seconds: int = _setting(4, "The length of a segment.")
    keyframe_seconds: int = _setting(2, "The distance of keyframes.")
    audio_kbps: int = _setting(128, "The bit rate of a stereo AAC track.")
    thumbnail_seconds: int = _setting(5, "One seek-bar picture every so many seconds.")


@dataclass(frozen=True, slots=True)
class Uploads:
    max_gigabytes: int = _setting(200, "The largest source that is taken.")
    chunk_megabytes: int = _setting(16, "How much the page sends in one request.")
    abandon_days: int = _setting(7, "After how long an unfinished upload is removed.")
    watch_folder: str = _setting("", "A folder whose films are taken in; empty: none.")
    watch_still_seconds: int = _setting(
        60, "How long a file in the watch folder must be still before it is taken."
    )
    watch_publish: bool = _setting(False, "Publish what the watch folder brought in.")


@dataclass(frozen=True, slots=True)
class Accounts:
    session_days: int = _setting(30, "How long a session lives without being used.")
    password_length: int = _setting(10, "The shortest password that is taken.")
    throttle_after: int = _setting(
        5, "After how many wrong passwords in a row a source is slowed down."
    )
    token_hours: int = _setting(12, "How long an API token lives.")


@dataclass(frozen=True, slots=True)
class Playback:
    heartbeat_seconds: int = _setting(10, "How often a player reports.")
    media_token_seconds: int = _setting(
        300,
        "How long a media token lives at most where the player swaps in a fresh one:"
        " after so long, whoever was stopped sees nothing more.",
    )
    native_token_seconds: int = _setting(
        21600, "How long a media token lives at most for players that cannot swap it."
    )
    streams: int = _setting(
        0,
        "How many streams an account may watch at once; 0: no limit. A right of"
        " its own, as from a plan, counts instead.",
    )
    uhd_streams: int = _setting(
        0, "How many of them may be sharper than 1080p; 0: no limit of their own."
    )
    watermark: str = _setting(
        "off", "Where the viewer's name moves over the picture: off, protected or all."
    )
    resume_least_percent: int = _setting(5, "Below this much watched, start over.")
    resume_most_percent: int = _setting(90, "Above this much watched, it is finished.")


@dataclass(frozen=True, slots=True)
class Protection:
    protect_new: bool = _setting(False, "Protect new titles unless somebody says not.")
    key_systems: str = _setting(
        "clearkey",
        "What opens protected titles that do not say so themselves: clearkey,"
        " widevine, playready, fairplay, with commas between.",
    )
    scheme: str = _setting(
        "cbcs", "How they are encrypted: cbcs, or cenc for devices before about 2018."
    )
    clear_lead_seconds: int = _setting(
        0, "How much of the beginning stays unencrypted, so that it starts sooner."
    )
    keys_from: str = _setting(
        "local", "Who makes content keys: local, widevine or speke."
    )
    keys_url: str = _setting(
        "", "The key service of the provider (keys_from = widevine or speke)."
    )
    licences_from: str = _setting(
        "",
        "Whose licence service stands behind ours: widevine-cloud, axinom, doverunner,"
        " ezdrm, keyos, expressplay or drmtoday; empty: none but ClearKey.",
    )
    widevine_url: str = _setting("", "Its Widevine address, where it is not the usual.")
    playready_url: str = _setting("", "Its PlayReady address.")
    fairplay_url: str = _setting("", "Its FairPlay address.")
    credentials: str = _setting(
        "",
        "The file, mode 0600, with the provider's secrets; empty: drm.toml in the"
        " folder of keys.",
    )
    timeout_seconds: int = _setting(10, "How long a provider may take to answer.")
    licences_per_session: int = _setting(
        200, "How many licences one playback session may ask for."
    )


@dataclass(frozen=True, slots=True)
class Access:
    geoip_database: str = _setting(
        "", "A MaxMind DB file that names the country of an address; empty: none."
    )
    home_country: str = _setting(
        "", "The country of private addresses, as DE; empty: unknown."
    )

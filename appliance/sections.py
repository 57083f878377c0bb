"""The sections of the settings; every setting carries the sentence that documents it.

Those of the work on films stand in :mod:`appliance.media_sections`.
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


def setting(default: _T, doc: str, *, secret: bool = False) -> _T:
    """Declare a setting with the sentence that documents it.

    One that may hold a ``secret`` is left out where its section is written down.
    """
    value: _T = field(default=default, repr=not secret, metadata={"doc": doc})
    return value


@dataclass(frozen=True, slots=True)
class Portal:
    name: str = setting("Matinee", "The name in the header and on the sign-in page.")
    public_url: str = setting(
        "",
        "The address people type, as https://host: links lead there, and no other name"
        " is answered; empty trusts the request's Host.",
    )
    trusted_proxies: str = setting(
        "",
        "The networks of proxies in front, as 10.0.0.5/32, with commas between: what"
        " they say in X-Forwarded-For and -Proto is believed; empty: nobody.",
    )
    home_cards: int = setting(12, "How many cards a row of the home page shows.")
    home_genres: int = setting(6, "How many genres have a row on the home page.")


@dataclass(frozen=True, slots=True)
class Web:
    host: str = setting("127.0.0.1", "The address that the web server listens on.")
    port: int = setting(8600, "The port that the web server listens on.")
    socket: str = setting(
        "", "A Unix socket to listen on instead, for an nginx on this machine."
    )
    workers: int = setting(2, "How many web processes run.")
    threads: int = setting(8, "How many requests one web process answers at once.")
    secure_cookies: bool = setting(
        False, "Send cookies over https only; switch on wherever TLS is in front."
    )


@dataclass(frozen=True, slots=True)
class Nginx:
    folder: str = setting(
        "/etc/matinee/nginx", "The folder that rendered configurations are put into."
    )
    roles: str = setting(
        "portal, origin", "What this machine's nginx does: portal, origin, edge, vod."
    )
    user: str = setting("www-data", "Whom it runs as; empty: whoever starts it.")
    workers: str = setting("auto", "How many processes it runs; auto: one for a core.")
    address: str = setting("", "The address it listens on; empty: all of them.")
    http_port: int = setting(80, "The port without TLS.")
    https_port: int = setting(443, "The port with TLS.")
    tls_certificate: str = setting(
        "", "The certificate with its chain, in PEM; empty: no TLS."
    )
    tls_key: str = setting("", "Its private key, in PEM.")
    run: str = setting("/run/matinee-nginx", "The folder of its process id.")
    log: str = setting("/var/log/matinee", "The folder of its logs.")
    cache: str = setting("/var/cache/matinee", "The folder of what it caches.")
    slow_disks: bool = setting(
        False, "Read files in threads, for disks that make a reader wait."
    )
    internal_networks: str = setting(
        "127.0.0.0/8, ::1",
        "Who may ask for /metrics and /-/ready, with commas between.",
    )


@dataclass(frozen=True, slots=True)
class Origin:
    mode: str = setting(
        "packaged",
        "Whether films lie packaged on disk (packaged), or nginx-vod-module packages"
        " them when they are asked for (vod).",
    )
    token: str = setting(
        "md5",
        "How media tokens are signed: md5, which nginx checks itself, or"
        " hmac-sha256, which needs its JavaScript module.",
    )
    cors_origins: str = setting(
        "", "Other sites that may play our films, as https://host, with commas between."
    )
    vod_module: str = setting(
        "",
        "The file of nginx-vod-module (origin.mode = vod), which the operator brings;"
        " empty: modules/ngx_http_vod_module.so, where packages put it.",
    )
    vod_port: int = setting(
        8610, "The port of 127.0.0.1 where nginx keeps what the module asks for."
    )


@dataclass(frozen=True, slots=True)
class Edge:
    url: str = setting(
        "",
        "The address of this machine's own edge, as https://edge.example (nginx.roles ="
        " edge); empty: whatever it is asked for.",
    )
    origin: str = setting(
        "", "The origin that this edge caches, as https://host (nginx.roles = edge)."
    )
    certificates: str = setting(
        "",
        "The file with the certificates that the origin is known by; empty:"
        " origin-ca.pem in the folder of keys, else those of the system.",
    )
    cache_gigabytes: int = setting(50, "How much of the disk an edge may fill.")
    free_gigabytes: int = setting(
        2, "How much of the disk an edge leaves free, whatever else lies there."
    )
    cache_days: int = setting(30, "After how long unused an edge forgets a segment.")
    sites: str = setting(
        "",
        "The edges that viewers are sent to: name=https://host, and with brackets the"
        " networks that it serves, as berlin=https://edge.example[10.1.0.0/16]; without"
        " them it serves everybody.",
    )
    required: bool = setting(
        False,
        "Whether the origin gives segments to edges only, which show its secret;"
        " manifests, keys and licences stay open to whoever holds a token.",
    )


@dataclass(frozen=True, slots=True)
class Cdn:
    name: str = setting(
        "",
        "The CDN in front: cloudfront, akamai, google, bunny, cloudflare, fastly or"
        " own, for one that passes our token on; empty: none.",
    )
    url: str = setting("", "Its address, as https://films.example.")
    credentials: str = setting(
        "", "The file, mode 0600, with its secrets; empty: cdn.toml in the keys."
    )


@dataclass(frozen=True, slots=True)
class StorageSettings:
    database: str = setting("", "The database file; empty: matinee.db in the home.")
    media: str = setting("", "The folder of films and packages; empty: media in home.")
    keys: str = setting("", "The folder of key files; empty: keys in the home.")


@dataclass(frozen=True, slots=True)
class Objects:
    bucket: str = setting(
        "",
        "The bucket of an S3-compatible storage that packages may be moved to with"
        " `matinee storage move`; empty: none.",
    )
    endpoint: str = setting(
        "", "Its address, as https://s3.example.org; empty: Amazon's, by the region."
    )
    region: str = setting("us-east-1", "Its region; many storages know only one.")
    prefix: str = setting("", "The folder in the bucket that is ours; empty: all.")
    path_style: bool = setting(
        True,
        "Name the bucket in the path; false: in the host name, as Amazon wants it.",
    )
    credentials: str = setting(
        "",
        "The file, mode 0600, with access_key and secret_key in a section [s3];"
        " empty: s3.toml in the folder of keys.",
    )
    timeout_seconds: int = setting(10, "How long it may take to begin to answer.")
    cache_gigabytes: int = setting(
        20, "How much of it nginx may keep on the disk of an origin."
    )


@dataclass(frozen=True, slots=True)
class Uploads:
    max_gigabytes: int = setting(200, "The largest source that is taken.")
    chunk_megabytes: int = setting(16, "How much the page sends in one request.")
    abandon_days: int = setting(7, "After how long an unfinished upload is removed.")
    watch_folder: str = setting("", "A folder whose films are taken in; empty: none.")
    watch_still_seconds: int = setting(
        60, "How long a file in the watch folder must be still before it is taken."
    )
    watch_publish: bool = setting(False, "Publish what the watch folder brought in.")
    from_urls: bool = setting(
        False, "Let the Studio fetch films from http and https addresses."
    )
    url_networks: str = setting(
        "",
        "Private networks that films may be fetched from, as 10.2.0.0/16, with commas"
        " between; public addresses always may.",
    )
    url_hours: int = setting(12, "After how long a film that is fetched is given up.")


@dataclass(frozen=True, slots=True)
class Studio:
    four_eyes: bool = setting(
        False,
        "Publish only what somebody approved who is not the one that asked for it.",
    )
    trash_days: int = setting(30, "How long removed titles stay in the trash.")
    undo_hours: int = setting(24, "How long a change of many titles can be undone.")
    import_rows: int = setting(
        10_000,
        "How many rows a table of titles may have: ten thousand are a request of"
        " some ten seconds, which nginx gives up after sixty.",
    )
    import_megabytes: int = setting(20, "How large a table of titles may be.")


@dataclass(frozen=True, slots=True)
class Accounts:
    session_days: int = setting(30, "How long a session lives without being used.")
    password_length: int = setting(10, "The shortest password that is taken.")
    throttle_after: int = setting(
        5, "After how many wrong passwords in a row a source is slowed down."
    )
    token_hours: int = setting(12, "How long an API token lives.")
    profiles: int = setting(5, "How many profiles an account may have.")


@dataclass(frozen=True, slots=True)
class Playback:
    heartbeat_seconds: int = setting(10, "How often a player reports.")
    media_token_seconds: int = setting(
        300,
        "How long a media token lives at most where the player swaps in a fresh one:"
        " after so long, whoever was stopped sees nothing more.",
    )
    native_token_seconds: int = setting(
        21600, "How long a media token lives at most for players that cannot swap it."
    )
    streams: int = setting(
        0,
        "How many streams an account may watch at once; 0: no limit. A right of"
        " its own, as from a plan, counts instead.",
    )
    uhd_streams: int = setting(
        0, "How many of them may be sharper than 1080p; 0: no limit of their own."
    )
    watermark: str = setting(
        "off", "Where the viewer's name moves over the picture: off, protected or all."
    )
    resume_least_percent: int = setting(5, "Below this much watched, start over.")
    resume_most_percent: int = setting(90, "Above this much watched, it is finished.")


@dataclass(frozen=True, slots=True)
class Protection:
    protect_new: bool = setting(False, "Protect new titles unless somebody says not.")
    key_systems: str = setting(
        "clearkey",
        "What opens protected titles that do not say so themselves: clearkey,"
        " widevine, playready, fairplay, with commas between.",
    )
    scheme: str = setting(
        "cbcs", "How they are encrypted: cbcs, or cenc for devices before about 2018."
    )
    clear_lead_seconds: int = setting(
        0, "How much of the beginning stays unencrypted, so that it starts sooner."
    )
    keys_from: str = setting(
        "local", "Who makes content keys: local, widevine or speke."
    )
    keys_url: str = setting(
        "", "The key service of the provider (keys_from = widevine or speke)."
    )
    licences_from: str = setting(
        "",
        "Whose licence service stands behind ours: widevine-cloud, axinom, doverunner,"
        " ezdrm, keyos, expressplay or drmtoday; empty: none but ClearKey.",
    )
    widevine_url: str = setting("", "Its Widevine address, where it is not the usual.")
    playready_url: str = setting("", "Its PlayReady address.")
    fairplay_url: str = setting("", "Its FairPlay address.")
    credentials: str = setting(
        "",
        "The file, mode 0600, with the provider's secrets; empty: drm.toml in the"
        " folder of keys.",
    )
    timeout_seconds: int = setting(10, "How long a provider may take to answer.")
    licences_per_session: int = setting(
        200, "How many licences one playback session may ask for."
    )


@dataclass(frozen=True, slots=True)
class Access:
    geoip_database: str = setting(
        "", "A MaxMind DB file that names the country of an address; empty: none."
    )
    home_country: str = setting(
        "", "The country of private addresses, as DE; empty: unknown."
    )


@dataclass(frozen=True, slots=True)
class Webhooks:
    timeout_seconds: int = setting(10, "How long a webhook may take to answer.")


@dataclass(frozen=True, slots=True)
class Mail:
    host: str = setting("", "The server that takes our e-mail; empty: none is sent.")
    port: int = setting(587, "The port of that server.")
    security: str = setting(
        "starttls",
        "How it is reached: starttls, tls, or none inside one's own network.",
    )
    sender: str = setting("", "Whom e-mail comes from, as matinee@example.org.")
    credentials: str = setting(
        "",
        "The file, mode 0600, with username and password in a section [smtp]; empty:"
        " mail.toml in the folder of keys. Without a username nobody signs in.",
    )
    timeout_seconds: int = setting(20, "How long the server may take to answer.")
    alerts: str = setting(
        "administrators",
        "Whom alerts and what the doctor finds to have changed are written to where no"
        " rule says it: administrators, those who have an e-mail address; addresses,"
        " divided by commas; or nobody.",
    )

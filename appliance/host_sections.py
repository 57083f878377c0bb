"""The sections of the settings about the machine itself: backups, disks, TLS, alerts.

:mod:`appliance.settings` puts them together with the others and reads them.
"""

from dataclasses import dataclass

from appliance.sections import setting


@dataclass(frozen=True, slots=True)
class Backup:
    place: str = setting(
        "",
        "Where backups go: a folder (also one of a file server), s3:BUCKET/FOLDER, or"
        " restic:REPOSITORY; empty: backups in the home.",
    )
    media: str = setting(
        "none",
        "What of the films is kept as well: none, sources, or all with what was made"
        " of them.",
    )
    credentials: str = setting(
        "",
        "The file, mode 0600, with the secrets of that place in a section [s3] or"
        " [restic]; empty: backup.toml in the folder of keys.",
    )
    keep_daily: int = setting(7, "Of how many days the last backup is kept.")
    keep_weekly: int = setting(4, "Of how many weeks the last backup is kept.")
    keep_monthly: int = setting(6, "Of how many months the last backup is kept.")
    oldest_days: int = setting(
        2, "After how many days without a backup doctor says that there is none."
    )
    copies: str = setting(
        "",
        "Where the database is copied to all the time by Litestream: a folder or"
        " s3:BUCKET/FOLDER; empty: nowhere.",
    )


@dataclass(frozen=True, slots=True)
class Disk:
    warn_percent: int = setting(
        15, "When less of a disk than this is free, it is said; 0: never."
    )
    pause_percent: int = setting(
        8, "When less is free, no work on films begins; what runs goes on; 0: never."
    )
    refuse_percent: int = setting(5, "When less is free, no upload is taken; 0: never.")


@dataclass(frozen=True, slots=True)
class Monitoring:
    metrics: bool = setting(
        True, "Answer /metrics, for Prometheus, to nginx.internal_networks."
    )
    log_format: str = setting(
        "text", "How our processes write their logs: text or json, a line each."
    )
    log_level: str = setting("info", "From which level on: debug, info or warning.")
    alert_minutes: int = setting(
        5, "How long something must be wrong before it is told."
    )


@dataclass(frozen=True, slots=True)
class Outbound:
    proxy: str = setting(
        "",
        "The proxy that calls to other services go through, as http://host:port; empty:"
        " none.",
    )
    direct: str = setting(
        "", "The hosts and networks that are called without it, with commas between."
    )
    ca_bundle: str = setting(
        "",
        "The file of the certificate authorities that other services are believed by;"
        " empty: those of the system.",
    )


@dataclass(frozen=True, slots=True)
class Tls:
    acme_directory: str = setting(
        "",
        "The ACME server that gives and renews the certificate, as"
        " https://ca.example/directory; empty: none.",
    )
    acme_email: str = setting("", "Whom that server writes to before one expires.")
    acme_ca: str = setting(
        "", "The file of the authority that it is believed by; empty: the system's."
    )
    renew_days: int = setting(30, "How many days before its end it is renewed.")
    warn_days: int = setting(14, "How many days before the end doctor says so.")

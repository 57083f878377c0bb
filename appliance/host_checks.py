"""What makes sense in the settings of the machine itself.

Each function returns for each rule whether it is kept, and the sentence that says it.
"""

import re
from ipaddress import ip_network

from appliance.host_sections import Backup, Disk, Monitoring, Outbound, Tls
from appliance.sections import Portal

PRIVATE = "127.0.0.0/8, ::1/128, 10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16, fc00::/7"
"""The networks that nobody in the world comes from."""

Rules = tuple[tuple[bool, str], ...]

_PLACE = re.compile(r"(/.*|s3:[a-z0-9.-]{3,63}(/[\w.-]+)*|restic:.+)?")
_COPIES = re.compile(r"(/.*|s3:[a-z0-9.-]{3,63}(/[\w.-]+)*)?")
_PROXY = re.compile(r"(http://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?/?)?")


def of_portal(portal: Portal) -> Rules:
    """Return the rules of what stands in front of the portal."""
    named = [each.strip() for each in portal.trusted_proxies.split(",") if each.strip()]
    return (
        (
            all(map(_is_network, named)),
            "portal.trusted_proxies must be networks like 10.0.0.5/32, with commas"
            " between.",
        ),
    )


def _is_network(text: str) -> bool:
    try:
        return ip_network(text).prefixlen > 0
    except ValueError:
        return False


def of_backup(backup: Backup) -> Rules:
    """Return the rules of backups."""
    kept = (backup.keep_daily, backup.keep_weekly, backup.keep_monthly)
    return (
        (
            _PLACE.fullmatch(backup.place) is not None,
            "backup.place must be a folder from / on, s3:BUCKET/FOLDER or"
            " restic:REPOSITORY.",
        ),
        (
            _COPIES.fullmatch(backup.copies) is not None,
            "backup.copies must be a folder from / on, or s3:BUCKET/FOLDER.",
        ),
        (
            backup.media in ("none", "sources", "all"),
            "backup.media must be none, sources or all.",
        ),
        (
            min(kept) >= 0 and sum(kept) > 0,
            "backup.keep_daily, keep_weekly and keep_monthly must keep something.",
        ),
        (backup.oldest_days > 0, "backup.oldest_days: > 0."),
    )


def of_disk(disk: Disk) -> Rules:
    """Return the rules of the marks of a disk that fills up."""
    marks = (disk.warn_percent, disk.pause_percent, disk.refuse_percent)
    return (
        (
            all(0 <= mark < 100 for mark in marks),
            "disk.warn_percent, pause_percent and refuse_percent must be 0 to 99.",
        ),
        (
            disk.refuse_percent <= disk.pause_percent or not disk.pause_percent,
            "disk.refuse_percent must not be more than disk.pause_percent.",
        ),
    )


def of_monitoring(monitoring: Monitoring) -> Rules:
    """Return the rules of logs and alerts."""
    return (
        (
            monitoring.log_format in ("text", "json"),
            "monitoring.log_format must be text or json.",
        ),
        (
            monitoring.log_level in ("debug", "info", "warning"),
            "monitoring.log_level must be debug, info or warning.",
        ),
        (monitoring.alert_minutes >= 0, "monitoring.alert_minutes must be 0 or more."),
    )


def of_calls(outbound: Outbound, tls: Tls) -> Rules:
    """Return the rules of what calls other services."""
    return (
        (
            _PROXY.fullmatch(outbound.proxy) is not None,
            "outbound.proxy must be an address like http://proxy.example:3128; its user"
            " name and password belong into proxy.toml in the folder of keys.",
        ),
        (
            not tls.acme_directory or tls.acme_directory.startswith("https://"),
            "tls.acme_directory must begin with https://.",
        ),
        (
            0 < tls.warn_days <= tls.renew_days,
            "tls.warn_days must be more than 0, and not more than tls.renew_days.",
        ),
    )

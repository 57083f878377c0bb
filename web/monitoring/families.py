"""Every figure that is told, and what it means.

Labels are words of ours and sets that do not grow: never a title, an account, an
address or a machine.
"""

from collections.abc import Mapping

from web import door
from web.monitoring import watching
from web.monitoring.exposition import Family, Kind

_C, _G, _H = Kind.COUNTER, Kind.GAUGE, Kind.HISTOGRAM

LICENCES = "matinee_licences_total"
HEARTBEATS = "matinee_heartbeats_total"

FAMILIES: Mapping[str, Family] = {
    "matinee_build_info": Family(_G, "Which release this is; always 1.", ("version",)),
    door.REQUESTS: Family(
        _C, "Requests that were answered, by view and status.", ("status", "view")
    ),
    door.SPENT: Family(_C, "Seconds that were spent on the answers.", ("view",)),
    door.SECONDS: Family(
        _H, "How long answers took, by the part of the portal.", ("le", "place")
    ),
    LICENCES: Family(
        _C,
        "Licence requests, by key system: granted, refused, or failed.",
        ("outcome", "system"),
    ),
    HEARTBEATS: Family(_C, "Signs of life of players, by status.", ("status",)),
    watching.STARTUP: Family(
        _H, "How long players took to show the first picture.", ("le",)
    ),
    watching.STALLS: Family(_C, "How often players stood still for want of data."),
    watching.STALLED: Family(_C, "Seconds for which players waited for data."),
    "matinee_playback_sessions": Family(
        _G, "Playback sessions that are open, by what the player does.", ("state",)
    ),
    "matinee_playback_bandwidth_bytes": Family(
        _G, "Bytes a second of the renditions that are being played, in all."
    ),
    "matinee_uploads": Family(_G, "Films on their way in.", ("origin",)),
    "matinee_jobs": Family(_G, "Jobs by state.", ("state",)),
    "matinee_units": Family(_G, "Work units that are not done, by state.", ("state",)),
    "matinee_queue_units": Family(
        _G, "Work units that were handed out and nobody has begun.", ("queue",)
    ),
    "matinee_queue_oldest_seconds": Family(
        _G, "For how long the oldest of them has waited.", ("queue",)
    ),
    "matinee_queue_pickup_seconds": Family(
        _G, "How long units that run now had waited, on average.", ("queue",)
    ),
    "matinee_control_worker_up": Family(_G, "Whether a control worker is at work."),
    "matinee_nodes": Family(_G, "Media workers by state.", ("state",)),
    "matinee_encoders_degraded": Family(_G, "Encoders that failed and are left alone."),
    "matinee_disk_free_bytes": Family(_G, "Bytes that are free.", ("disk",)),
    "matinee_disk_size_bytes": Family(_G, "Bytes that can be used in all.", ("disk",)),
    "matinee_disk_pressure": Family(
        _G, "What the disk of films is too full for: 1 warn, 2 pause, 3 refuse."
    ),
    "matinee_database_up": Family(_G, "Whether the database could be read."),
    "matinee_database_bytes": Family(_G, "Size of the database's files.", ("file",)),
    "matinee_backup_age_seconds": Family(
        _G, "Since when the last backup, or its verification, is done.", ("kind",)
    ),
    "matinee_certificate_days": Family(_G, "Days until the certificate ends."),
    "matinee_findings": Family(
        _G, "Findings of the doctor's quick checks by level.", ("level",)
    ),
    "matinee_finding": Family(
        _G, "A check that does not find all well: 1 warn, 2 fail.", ("check",)
    ),
    "matinee_findings_age_seconds": Family(_G, "When those checks were made last."),
    "matinee_alerts": Family(_G, "Alerts that are raised, by level.", ("level",)),
    "matinee_messages_waiting": Family(
        _G, "E-mails and webhook deliveries on their way.", ("kind",)
    ),
    "matinee_sign_in_failures": Family(
        _G, "Sign-ins that failed lately, as the throttle counts them."
    ),
}

"""What makes sense in the settings of services that others run.

Each function returns for each rule whether it is kept, and the sentence that says it.
"""

import re
from collections.abc import Sequence

from appliance.cenc import SHORT, Scheme
from appliance.sections import LICENCE_SERVICES, Mail, Objects, Protection, Webhooks

Rules = tuple[tuple[bool, str], ...]

_MAILBOX = re.compile(r"[^@\s<>]{1,64}@[A-Za-z0-9.-]{1,253}")


def of_protection(protection: Protection, systems: Sequence[str]) -> Rules:
    """Return the rules of protection; ``systems`` are its key systems."""
    return (
        (
            protection.scheme in tuple(Scheme),
            "protection.scheme must be cbcs or cenc.",
        ),
        (
            bool(systems) and set(systems) <= set(SHORT),
            f"protection.key_systems must name some of: {', '.join(SHORT)}.",
        ),
        (
            protection.keys_from in ("local", "widevine", "speke"),
            "protection.keys_from must be local, widevine or speke.",
        ),
        (
            protection.licences_from in ("", *LICENCE_SERVICES),
            "protection.licences_from must be empty or one of:"
            f" {', '.join(LICENCE_SERVICES)}.",
        ),
        (protection.timeout_seconds > 0, "protection.timeout_seconds: > 0."),
    )


def of_objects(objects: Objects) -> Rules:
    """Return the rules of the object storage."""
    address = re.fullmatch(r"https?://[A-Za-z0-9.:\[\]-]+/?", objects.endpoint)
    parts = objects.prefix.strip("/").split("/") if objects.prefix else []
    return (
        (
            not objects.endpoint or address is not None,
            "objects.endpoint must be an address like https://s3.example.org.",
        ),
        (
            not objects.bucket
            or re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", objects.bucket)
            is not None,
            "objects.bucket must be 3 to 63 lower-case letters, digits, dots and"
            " hyphens.",
        ),
        (
            all(re.fullmatch(r"[\w.-]+", part, re.ASCII) for part in parts)
            and not {".", ".."} & set(parts),
            "objects.prefix must be plain names with slashes between, as films/main.",
        ),
        (
            objects.path_style
            or re.match(r"https?://(\[|\d+(\.\d+){3}\b)", objects.endpoint) is None,
            "objects.path_style must be true: an IP address has no room for a bucket.",
        ),
        (bool(objects.region), "objects.region must not be empty."),
        (
            min(objects.timeout_seconds, objects.cache_gigabytes) > 0,
            "objects.timeout_seconds and cache_gigabytes: > 0.",
        ),
    )


def of_telling(mail: Mail, webhooks: Webhooks) -> Rules:
    """Return the rules of e-mail and webhooks."""
    return (
        (webhooks.timeout_seconds > 0, "webhooks.timeout_seconds: > 0."),
        (
            mail.security in ("starttls", "tls", "none"),
            "mail.security must be starttls, tls or none.",
        ),
        (0 < mail.port < 65536, "mail.port must be a port, as 587."),
        (
            not mail.host or _MAILBOX.fullmatch(mail.sender) is not None,
            "mail.sender must be an address as matinee@example.org where mail.host is"
            " set.",
        ),
        (mail.timeout_seconds > 0, "mail.timeout_seconds: > 0."),
        (
            mail.alerts in ("administrators", "nobody")
            or all(_MAILBOX.fullmatch(each.strip()) for each in mail.alerts.split(",")),
            "mail.alerts must be administrators, nobody, or addresses as"
            " you@example.org, divided by commas.",
        ),
    )

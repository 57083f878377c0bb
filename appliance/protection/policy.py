"""What a policy of licences says: what a device must be, and how long it may keep one.

ClearKey knows none of it but persistence. The licence services of Widevine, PlayReady
and FairPlay are told the rest in their own words.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from appliance.cenc import Label
from appliance.errors import InvalidInput


class Hdcp(StrEnum):
    """The least protection of the cable to the screen."""

    NONE = "none"
    V1 = "1.0"
    V2 = "2.0"
    V2_1 = "2.1"
    V2_2 = "2.2"
    V2_3 = "2.3"


@dataclass(frozen=True, slots=True)
class Policy:
    """What licences under one policy say. Seconds of 0 mean: no limit.

    ``robustness`` is Widevine's scale from 1 (software) to 5 (all in hardware).
    ``rental_seconds`` run until playback starts, ``playback_seconds`` from then on;
    ``licence_seconds`` are the life of one licence. ``persistent`` licences may be
    kept by the device, to watch without a connection.
    """

    robustness: Mapping[Label, int]
    hdcp: Mapping[Label, Hdcp]
    licence_seconds: int = 0
    rental_seconds: int = 0
    playback_seconds: int = 0
    persistent: bool = False


# What is usual: hardware is asked for where studios ask for it, and nowhere else, as
# browsers on computers have none.
DEFAULT = Policy(
    MappingProxyType({Label.AUDIO: 1, Label.SD: 1, Label.HD: 1, Label.UHD: 5}),
    MappingProxyType(
        {
            Label.AUDIO: Hdcp.NONE,
            Label.SD: Hdcp.NONE,
            Label.HD: Hdcp.NONE,
            Label.UHD: Hdcp.V2_2,
        }
    ),
)

_LONGEST_SECONDS = 10 * 365 * 24 * 3600
_SECONDS = ("licence_seconds", "rental_seconds", "playback_seconds")
_BY_LABEL = ("robustness", "hdcp")
_YES_NO = {
    "yes": True,
    "true": True,
    "1": True,
    "no": False,
    "false": False,
    "0": False,
}

FIELDS = (
    *(f"{each}.{label.lower()}" for each in _BY_LABEL for label in Label),
    *_SECONDS,
    "persistent",
)
"""Every field by the name that commands, forms and rows give it."""


def changed(policy: Policy, changes: Mapping[str, Any]) -> Policy:
    """Return ``policy`` with the named fields changed; values may be text.

    Errors: ``InvalidInput`` policy.field or policy.value, with what would do.
    """
    values = fields(policy)
    for name, value in changes.items():
        if name not in values:
            raise InvalidInput(
                "policy.field",
                f"A policy has no “{name}”. It has: {', '.join(FIELDS)}.",
            )
        values[name] = _read(name, value)
    return _policy(values)


def fields(policy: Policy) -> dict[str, Any]:
    """Return the fields of a policy by name, as JSON values."""
    found: dict[str, Any] = {}
    for label in Label:
        found[f"robustness.{label.lower()}"] = policy.robustness[label]
    for label in Label:
        found[f"hdcp.{label.lower()}"] = policy.hdcp[label].value
    for name in _SECONDS:
        found[name] = getattr(policy, name)
    found["persistent"] = policy.persistent
    return found


def _policy(values: Mapping[str, Any]) -> Policy:
    labels = tuple(Label)
    return replace(
        DEFAULT,
        robustness={each: values[f"robustness.{each.lower()}"] for each in labels},
        hdcp={each: Hdcp(values[f"hdcp.{each.lower()}"]) for each in labels},
        persistent=values["persistent"],
        **{name: values[name] for name in _SECONDS},
    )


def _read(name: str, value: Any) -> Any:
    reader = _READERS[name.partition(".")[0]]
    try:
        return reader(value)
    except ValueError:
        raise InvalidInput("policy.value", f"{name} {_WANTED[reader]}.") from None


def _robustness(value: Any) -> int:
    if int(str(value)) not in range(1, 6):
        raise ValueError
    return int(str(value))


def _hdcp(value: Any) -> str:
    return Hdcp(str(value).lower()).value


def _seconds(value: Any) -> int:
    if int(str(value)) not in range(_LONGEST_SECONDS + 1):
        raise ValueError
    return int(str(value))


def _persistent(value: Any) -> bool:
    if str(value).lower() not in _YES_NO:
        raise ValueError
    return _YES_NO[str(value).lower()]


_READERS: Mapping[str, Callable[[Any], Any]] = {
    "robustness": _robustness,
    "hdcp": _hdcp,
    **dict.fromkeys(_SECONDS, _seconds),
    "persistent": _persistent,
}
_WANTED: Mapping[Callable[[Any], Any], str] = {
    _robustness: "must be a number from 1 (software) to 5 (all in hardware)",
    _hdcp: f"must be one of: {', '.join(Hdcp)}",
    _seconds: "must be a number of seconds up to ten years; 0 is no limit",
    _persistent: "must be yes or no",
}

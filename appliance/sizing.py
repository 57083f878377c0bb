"""How much of a machine each part of Matinee gets: pure, from what the machine has."""

from dataclasses import asdict, dataclass
from typing import Any

_GIGABYTE = 1024
# What a web process has in memory after a day, and what an encoder of 1080p needs.
_WEB_PROCESS = 180
_ENCODER = 700
# What the system, nginx, the control worker and the cache of files want first.
_SYSTEM = 900
_MOST_WEB_PROCESSES = 8
_MOST_NGINX_PROCESSES = 8


@dataclass(frozen=True, slots=True)
class Machine:
    """What counts of a machine; ``memory`` in MiB."""

    cores: int
    memory: int


@dataclass(frozen=True, slots=True)
class Choice:
    """One setting, its value here, and the reason in a sentence."""

    key: str
    value: int | str
    reason: str


@dataclass(frozen=True, slots=True)
class Sizes:
    """The settings that follow from a machine, and limits of its work on films in MiB.

    ``media_high`` is where that work is slowed down, ``media_most`` where it is ended.
    """

    choices: tuple[Choice, ...]
    media_high: int
    media_most: int

    def settings(self) -> dict[str, dict[str, int | str]]:
        """Return the values by section and name, as a configuration file has them."""
        found: dict[str, dict[str, int | str]] = {}
        for each in self.choices:
            section, name = each.key.split(".")
            found.setdefault(section, {})[name] = each.value
        return found

    def said(self) -> list[str]:
        """Return each choice with its reason, a line each."""
        return [
            *(f"{each.key} = {each.value}: {each.reason}" for each in self.choices),
            f"Work on films is slowed down at {self.media_high} MiB of memory, and"
            f" ended at {self.media_most} MiB.",
        ]

    def document(self) -> dict[str, Any]:
        return {
            "settings": self.settings(),
            "said": self.said(),
            "media_high": self.media_high,
            "media_most": self.media_most,
        }


def sizes(machine: Machine) -> Sizes:
    """Return what to set on a machine; more of anything never gives less of anything.

    Playback comes first: work on films gets what is left after system and portal.
    """
    web, web_reason = _web(machine)
    threads = 8 if machine.memory >= 2 * _GIGABYTE else 4
    slots, slots_reason = _slots(machine, web)
    nginx = max(1, min(machine.cores, _MOST_NGINX_PROCESSES))
    return Sizes(
        (
            Choice("web.workers", web, web_reason),
            Choice(
                "web.threads",
                threads,
                f"{threads} requests at once in each: most of them wait for the disk"
                " or for others.",
            ),
            Choice("queue.slots", slots, slots_reason),
            Choice(
                "nginx.workers",
                str(nginx),
                f"one for each of {machine.cores} cores, {_MOST_NGINX_PROCESSES} at"
                " most: the kernel does the sending.",
            ),
        ),
        media_high=max(512, machine.memory * 60 // 100),
        media_most=max(768, machine.memory * 75 // 100),
    )


def _web(machine: Machine) -> tuple[int, str]:
    by_cores = max(2, machine.cores)
    by_memory = max(1, machine.memory // 4 // _WEB_PROCESS)
    count = min(by_cores, by_memory, _MOST_WEB_PROCESSES)
    if count == by_memory and count < by_cores:
        why = f"a quarter of {machine.memory} MiB holds {count} of {_WEB_PROCESS} MiB"
    elif count == _MOST_WEB_PROCESSES:
        why = "more would wait for one another at the database"
    else:
        why = f"one for each of {machine.cores} cores, and two at least"
    return count, f"{why}."


def _slots(machine: Machine, web: int) -> tuple[int, str]:
    left = machine.memory - _SYSTEM - web * _WEB_PROCESS
    by_cores = max(2, machine.cores)
    by_memory = max(1, left // _ENCODER)
    count = min(by_cores, by_memory)
    if count < by_cores:
        return count, (
            f"{max(0, left)} MiB are left for encoders, which want {_ENCODER} MiB each."
        )
    return count, (
        f"one for each of {machine.cores} cores, and two at least, so that something"
        " small does not wait for something long."
    )


def as_document(machine: Machine) -> dict[str, Any]:
    """Return the sizes with the machine that they are for."""
    return {"machine": asdict(machine), **sizes(machine).document()}

"""What a check is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.checks.examined import Examined
from appliance.operations.findings import Level

Answer = tuple[Level, str, str]
"""Level, sentence and repair: what a check returns; what is well needs no repair."""


@dataclass(frozen=True, slots=True)
class Check:
    """How something is looked at, without changing it.

    A ``slow`` one is run by ``matinee doctor --full`` and once a night only. After
    ``seconds`` it has failed.
    """

    look: Callable[[Examined], Answer]
    slow: bool = False
    seconds: float = 10.0


Checks = Mapping[str, Check]
"""The checks of one subject, by their ids: ``noun.what``."""


def ok(sentence: str) -> Answer:
    """Return the answer of a check that has nothing to say against it."""
    return Level.OK, sentence, ""

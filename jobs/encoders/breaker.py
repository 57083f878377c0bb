"""The circuit breaker: an encoder that failed is left alone, and tested again later.

It is tested once right away, too: where it passes, the film was to blame rather than
the device, and only that film goes to the processor. A second failure soon after is not
forgiven.
"""

import logging
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from appliance.clock import from_text, to_text
from jobs.encoders import proofs
from jobs.encoders.proofs import Breaker, Proof, Proofs
from jobs.tools.encoders import Codec, Family

_LONGEST_WHY = 300

logger = logging.getLogger(__name__)


def trip(
    home: Path,
    place: tuple[Family, str, Codec],
    why: str,
    now: datetime,
    minutes: int,
) -> bool:
    """Leave an encoder alone for some minutes; say whether it had failed before.

    That is, within the minutes that its last failure counts.
    """
    family, device, codec = place
    with proofs.changing(home) as held:
        (found,) = held
        before = next((each for each in found.breakers if each.place == place), None)
        again = before is not None and from_text(before.until) > now
        since = before.since if before is not None and before.open else to_text(now)
        until = to_text(now + timedelta(minutes=minutes))
        tripped = Breaker(family, device, codec, since, until, why[:_LONGEST_WHY])
        held[0] = _with(found, tripped)
    logger.warning("%s for %s on %s is left alone: %s", family, codec, device, why)
    return again


def passed(home: Path, proof: Proof, now: datetime) -> None:
    """Use an encoder again that has passed its test."""
    with proofs.changing(home) as held:
        (found,) = held
        rest = tuple(_closed(each, proof, now) for each in found.breakers)
        kept = tuple(each for each in rest if each is not None)
        held[0] = replace(_proved(found, proof), breakers=kept)
    logger.info("%s for %s on %s is used again", *proof.place)


def failed(home: Path, proof: Proof, now: datetime, minutes: int) -> None:
    """Leave an encoder alone for longer that has not passed its test."""
    with proofs.changing(home) as held:
        held[0] = _proved(held[0], proof)
    trip(home, proof.place, proof.why, now, minutes)


def due(found: Proofs, now: datetime) -> list[Breaker]:
    """Return what is to be tested again."""
    return [
        each for each in found.breakers if each.open and from_text(each.until) <= now
    ]


def _closed(each: Breaker, proof: Proof, now: datetime) -> Breaker | None:
    """Return what stays of a breaker: for a while, that it was one."""
    if each.place != proof.place:
        return each
    return replace(each, open=False) if from_text(each.until) > now else None


def _with(found: Proofs, tripped: Breaker) -> Proofs:
    others = [each for each in found.breakers if each.place != tripped.place]
    return replace(found, breakers=(*others, tripped))


def _proved(found: Proofs, proof: Proof) -> Proofs:
    others = [each for each in found.proofs if each.place != proof.place]
    return replace(found, proofs=(*others, proof))

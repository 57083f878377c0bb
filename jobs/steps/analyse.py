"""Analyse: encode a few samples, and choose quality and renditions by them.

It only ever makes a film better or smaller: whatever goes wrong here leaves the ladder
that every film gets, with a note that says why.
"""

import logging
from collections.abc import Mapping
from typing import Any

from appliance.errors import MatineeError
from jobs.planning import choosing, content
from jobs.planning.ladder import LadderPolicy, Rendition
from jobs.planning.source import Source, from_facts
from jobs.steps import trials
from jobs.tools import scores
from jobs.tools.process import Cancelled
from jobs.work import Work

# Shorter clips cost less than what would be saved.
LEAST_SECONDS = 8.0

logger = logging.getLogger(__name__)


def run(spec: dict[str, Any], work: Work) -> dict[str, Any]:
    """Return the analysis: see :func:`jobs.planning.choosing.choose`.

    Its ``note`` says why nothing was chosen, where nothing was. Errors: ``Cancelled``.
    """
    source = from_facts(spec["facts"])
    if source.duration < LEAST_SECONDS:
        return fixed("Too short to be worth it: encoded as every film is.")
    try:
        return _analysed(spec, source, work)
    except Cancelled:
        raise
    except (MatineeError, OSError, ValueError, LookupError) as error:
        logger.warning("not analysed: %s", error)
        return fixed(f"Samples could not be compared ({error}): as every film.")


def fixed(note: str) -> dict[str, Any]:
    """Return an analysis that changes nothing."""
    return {"kind": content.FILM, "measure": "", "renditions": [], "note": note}


def _analysed(spec: Mapping[str, Any], source: Source, work: Work) -> dict[str, Any]:
    renditions = [Rendition(**each) for each in spec["renditions"]]
    outcome = trials.run(spec, source, trials.tried(renditions), work)
    return choosing.choose(
        renditions,
        outcome.tried,
        LadderPolicy(crf=spec["crf"]),
        kind=content.kind(outcome.looks),
        measure=scores.measure(),
        seconds=source.duration,
    )

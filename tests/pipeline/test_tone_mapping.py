"""Bright films on ordinary screens: as the standards say, computed without filters."""

from pathlib import Path

import numpy as np
import pytest

from tests import tone_reference
from tests.pipeline.conftest import Process
from tests.tone_reference import HLG, PQ

# Of 255: what eight bits and a lossy encoder take.
_NEAR = 4.0


@pytest.mark.parametrize(
    ("transfer", "told", "peak"),
    [
        (PQ, (), 1000),
        (PQ, ("hdr10=1", "max-cll=4000,400"), 4000),
        (HLG, (), 1000),
    ],
)
def test_bright_films_are_shown_with_the_light_and_colours_they_should_have(
    tmp_path: Path,
    process_film: Process,
    transfer: str,
    told: tuple[str, ...],
    peak: float,
) -> None:
    clip = tone_reference.source(tmp_path, transfer, *told)

    run = process_film(clip, until="join", crf=10, per_title=False)

    assert run.source.picture.transfer == transfer
    largest = run.specs["encode-0000"]["renditions"][-1]["id"]
    shown = tone_reference.shown(run.folder("join") / f"{largest}.mp4")
    wanted = tone_reference.patches().expected(transfer, peak)
    np.testing.assert_allclose(shown, wanted, atol=_NEAR)


def test_brighter_light_is_shown_brighter_up_to_the_peak(
    tmp_path: Path, process_film: Process
) -> None:
    clip = tone_reference.source(tmp_path, PQ)

    run = process_film(clip, until="join", crf=10, per_title=False)

    largest = run.specs["encode-0000"]["renditions"][-1]["id"]
    shown = tone_reference.shown(run.folder("join") / f"{largest}.mp4")
    greys = shown[: tone_reference.GREYS]
    assert (np.ptp(greys, axis=1) < 2).all()
    assert (np.diff(greys[:, 1]) > 2).all()
    # The white of paper is neither grey nor glaring.
    assert 170 < greys[tone_reference.PAPER, 1] < 215

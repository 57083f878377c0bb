"""Where chunks, segments and keyframes begin, in frames."""

from fractions import Fraction

import pytest

from jobs.planning.chunks import Chunk, Grid

RATES = [
    Fraction(24000, 1001),
    Fraction(24),
    Fraction(25),
    Fraction(30000, 1001),
    Fraction(50),
    Fraction(60000, 1001),
]
rates = pytest.mark.parametrize("rate", RATES, ids=str)


def _grid(seconds: int, rate: Fraction) -> Grid:
    return Grid(round(seconds * rate), rate, segment=4, distance=2)


@rates
def test_keyframes_are_the_first_frames_at_or_after_every_two_seconds(
    rate: Fraction,
) -> None:
    keys = _grid(100, rate).keyframes()

    assert len(keys) == 50
    for number, key in enumerate(keys):
        assert key / rate >= 2 * number
        assert key == 0 or (key - 1) / rate < 2 * number


@rates
def test_segments_and_chunks_begin_at_keyframes_and_leave_nothing_out(
    rate: Fraction,
) -> None:
    grid = _grid(101, rate)

    for parts in (grid.segments(), grid.chunks(28)):
        assert {part.start for part in parts} <= set(grid.keyframes())
        assert parts[0].start == 0
        assert parts[-1].end == grid.frames
        assert [p.end for p in parts[:-1]] == [p.start for p in parts[1:]]
    segments = {segment.start for segment in grid.segments()}
    assert {chunk.start for chunk in grid.chunks(28)} <= segments


@rates
def test_every_frame_takes_whole_ticks(rate: Fraction) -> None:
    grid = _grid(10, rate)

    assert Fraction(grid.timescale, grid.ticks) == rate
    assert 10000 <= grid.timescale <= 60000


def test_the_first_keyframes_of_a_film_at_23_976() -> None:
    assert _grid(8, Fraction(24000, 1001)).keyframes() == [0, 48, 96, 144]
    assert _grid(10, Fraction(30000, 1001)).keyframes() == [0, 60, 120, 180, 240]


def test_the_length_of_a_chunk_is_rounded_to_whole_segments() -> None:
    assert _grid(60, Fraction(25)).chunks(30)[0] == Chunk(0, 700)
    assert _grid(60, Fraction(25)).chunks(1)[0] == Chunk(0, 100)


@rates
@pytest.mark.parametrize("seconds", [1, 5, 29, 43, 60, 65, 119, 600, 7201])
def test_chunks_are_even_and_about_as_long_as_asked(
    rate: Fraction, seconds: int
) -> None:
    lengths = [chunk.frames / rate for chunk in _grid(seconds, rate).chunks(28)]

    assert max(lengths) - min(lengths) <= 8
    assert max(lengths) <= 28 * 1.5
    assert min(lengths) >= min(seconds - 0.1, 16)


def test_a_film_of_one_frame_is_one_chunk() -> None:
    grid = Grid(1, Fraction(25), 4, 2)

    assert grid.chunks(28) == grid.segments() == [Chunk(0, 1)]
    assert grid.keyframes() == [0]


def test_a_grid_survives_being_written_to_a_spec() -> None:
    grid = _grid(10, Fraction(24000, 1001))

    assert Grid.from_spec(grid.as_spec()) == grid

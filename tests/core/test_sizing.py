"""How much of a machine each part gets."""

from itertools import pairwise

import pytest

from appliance import machine
from appliance import settings as configuration
from appliance.sizing import Machine, Sizes, sizes

MACHINES = [
    Machine(cores, memory)
    for cores in (1, 2, 4, 8, 16, 64)
    for memory in (1900, 3900, 7900, 15900, 64000, 256000)
]


def _values(found: Sizes) -> dict[str, int]:
    return {each.key: int(each.value) for each in found.choices}


def test_a_small_machine_serves_pages_and_makes_films_one_by_one() -> None:
    found = _values(sizes(Machine(cores=2, memory=1900)))

    assert found["web.workers"] == 2
    assert found["web.threads"] == 4
    assert found["queue.slots"] == 1


def test_a_large_machine_is_used_with_measure() -> None:
    found = _values(sizes(Machine(cores=32, memory=128 * 1024)))

    assert found["web.workers"] == 8
    assert found["queue.slots"] == 32
    assert found["nginx.workers"] == 8


@pytest.mark.parametrize("here", MACHINES, ids=str)
def test_everything_fits_into_the_memory(here: Machine) -> None:
    found = sizes(here)

    assert min(_values(found).values()) >= 1
    assert found.media_high < found.media_most <= here.memory * 3 // 4
    slots = _values(found)["queue.slots"]
    assert slots == 1 or slots * 700 < here.memory


@pytest.mark.parametrize("memory", [1900, 7900, 64000])
def test_more_cores_never_give_less(memory: int) -> None:
    grown = [_values(sizes(Machine(cores, memory))) for cores in (1, 2, 4, 8, 32)]

    for less, more in pairwise(grown):
        for key in ("web.workers", "nginx.workers"):
            assert less[key] <= more[key]


@pytest.mark.parametrize("here", MACHINES, ids=str)
def test_each_choice_has_its_reason_and_is_a_setting(here: Machine) -> None:
    known = {each.key: each.kind for each in configuration.documented()}

    for each in sizes(here).choices:
        assert each.reason.endswith(".")
        assert known[each.key] == type(each.value).__name__


def test_this_machine_has_cores_and_memory() -> None:
    here = machine.this()

    assert here.cores >= 1
    assert here.memory > 256

"""What a cluster needs is broken, and the doctor says so."""

import json
import time
from dataclasses import replace

import pytest

from appliance.checks import Examined, Level
from appliance.settings import Edge
from appliance.storage import Storage
from jobs.machines import nodes
from tests.unwell import unwell, well


@pytest.mark.parametrize(
    ("ahead", "level"), [(20.0, Level.WARN), (600.0, Level.FAIL), (-600.0, Level.FAIL)]
)
def test_a_machine_whose_clock_is_wrong(
    examined: Examined, storage: Storage, ahead: float, level: Level
) -> None:
    def announce(clock: float) -> None:
        told = {"name": "one", "place": "elsewhere", "slots": {"cpu": 2}}
        text = json.dumps({**told, "clock": time.time() + clock})
        storage.write(nodes.FOLDER / "one.json", text.encode())

    announce(0)
    well("cluster.clocks", examined)
    announce(ahead)

    found = unwell("cluster.clocks", examined, level)

    assert "the clock of one is" in found.sentence


def test_an_edge_that_is_away(examined: Examined) -> None:
    well("cluster.edges", examined)
    edge = Edge(sites="berlin=https://127.0.0.1:1")
    named = replace(examined.settings, edge=edge)

    found = unwell("cluster.edges", replace(examined, settings=named), Level.WARN)

    assert "berlin" in found.sentence
    assert "--edge berlin" in found.fix

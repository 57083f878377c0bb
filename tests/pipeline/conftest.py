"""What pipeline tests ask for besides: a folder of clips, and a run without a queue."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.settings import Encode, Settings
from appliance.storage import Storage
from jobs.work import Work
from tests.pipeline.local_run import JOB, LocalRun, run_pipeline

Process = Callable[..., LocalRun]


@pytest.fixture(scope="session")
def clips(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of clips that were made once for all tests."""
    return tmp_path_factory.mktemp("clips")


@pytest.fixture
def work(tmp_path: Path) -> Work:
    """Work in an empty scratch, with a storage that a test may fill."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return Work(folder, Storage(tmp_path / "storage"), JOB)


@pytest.fixture
def process_film(tmp_path: Path) -> Process:
    """``process_film(path, until="join", chunk_seconds=4)``: run the pipeline."""

    def run(source: Path, *, until: str = "", **encode: Any) -> LocalRun:
        chosen: dict[str, Any] = {"preset": "ultrafast", "chunk_seconds": 4} | encode
        settings = replace(Settings(home=tmp_path), encode=Encode(**chosen))
        return run_pipeline(source, tmp_path / "media", settings, until=until)

    return run

"""The control side, killed at any line: a process of its own that dies before it."""

import os
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from appliance import db as database
from jobs import pipeline
from tests.pipeline.control_room import ControlRoom

KILLED = 9


def killed_at(room: ControlRoom, job: str, line: int) -> bool:
    """Advance in a process that dies before it runs the given line of ours."""
    child = os.fork()
    if child:
        _, status = os.waitpid(child, 0)
        return os.waitstatus_to_exitcode(status) == KILLED
    try:
        _die_at(line)
        with database.connect(room.settings.database, room.clock) as db:
            pipeline.advance(db, room.storage, room.settings, job)
        os._exit(0)
    finally:
        os._exit(1)


def _die_at(line: int) -> None:
    left = line
    ours = str(Path(pipeline.__file__).parents[1])

    def trace(frame: FrameType, event: str, _arg: object) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.startswith(ours):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os._exit(KILLED)
        return trace

    sys.settrace(trace)

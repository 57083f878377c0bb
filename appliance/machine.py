"""What this machine has, as far as we size ourselves by it.

``python -m appliance.machine`` shows the installer what follows from it, before there
is a configuration.
"""

import json
import os
from pathlib import Path

from appliance.sizing import Machine, as_document

_MEMINFO = Path("/proc/meminfo")


def this() -> Machine:
    """Return the cores and the memory that processes of ours may use here."""
    return Machine(cores=len(os.sched_getaffinity(0)), memory=memory())


def memory(meminfo: Path = _MEMINFO) -> int:
    """Return the memory in MiB."""
    for line in meminfo.read_text(encoding="ascii").splitlines():
        if line.startswith("MemTotal:"):
            return int(line.split()[1]) // 1024
    return 0


if __name__ == "__main__":
    print(json.dumps(as_document(this())))  # noqa: T201

"""Load on one nginx with one worker: how many requests, and what they cost it."""

import os
import re
from dataclasses import dataclass
from pathlib import Path

from tests.bench import figures
from tests.host.served_nginx import Nginx


@dataclass(frozen=True, slots=True)
class Rate:
    """Requests by the second: of nginx's CPU time, and of the clock."""

    cpu: float
    wall: float


def rate(nginx: Nginx, address: str, seconds: int) -> Rate:
    """Ask for an address over and over, on eight connections.

    The worker and who asks it stay on processors of their own, where there are two:
    wandering between them costs as much as what is measured.
    """
    process = worker(nginx)
    first, *others = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(process, {first})
    there = ",".join(map(str, others or [first]))
    before = _cpu(process)
    out = figures.run(f"taskset -c {there} wrk -t1 -c8 -d{seconds}s {address}").decode()
    spent = _cpu(process) - before
    assert "Non-2xx" not in out, out
    count = re.search(r"(\d+) requests in ([\d.]+)s", out)
    assert count is not None, out
    done, lasted = int(count[1]), float(count[2])
    return Rate(done / spent, done / lasted)


def worker(nginx: Nginx) -> int:
    """Return the process id of its worker."""
    assert nginx.process is not None
    pid = nginx.process.pid
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    # Caches have processes of their own, which look after them.
    (found,) = (
        int(each)
        for each in children
        if b"worker process" in Path(f"/proc/{each}/cmdline").read_bytes()
    )
    return found


def resident(process: int) -> int:
    """Return the bytes of memory that it holds."""
    pages = Path(f"/proc/{process}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def _cpu(process: int) -> float:
    """Return the seconds that it has run, to the nanosecond: ticks miss short turns."""
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1e9

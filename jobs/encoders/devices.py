"""The graphics processors of this machine, and whose turn it is on them."""

import fcntl
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from appliance.media_sections import Hardware
from jobs.encoders import proofs
from jobs.tools.encoders import HARDWARE, Family

_RENDER_NODES = "/dev/dri"
_NVIDIA = "/dev"
_LOOK_SECONDS = 0.2


def of_family(hardware: Hardware, family: Family) -> list[str]:
    """Return the devices of a family that are there; the processor has no name."""
    if family is Family.SOFTWARE:
        return [""]
    if hardware.family not in ("auto", family):
        return []
    if family is Family.NVENC:
        found = [str(each) for each in Path(_NVIDIA).glob("nvidia*")]
        return sorted(each for each in found if re.search(r"nvidia\d+$", each))
    wanted = [each.strip() for each in hardware.devices.split(",") if each.strip()]
    if wanted:
        return [each for each in wanted if Path(each).exists()]
    return sorted(str(each) for each in Path(_RENDER_NODES).glob("renderD*"))


def present(hardware: Hardware) -> set[str]:
    """Return every graphics processor that is there and may be used."""
    return {device for family in HARDWARE for device in of_family(hardware, family)}


@contextmanager
def session(
    home: Path,
    devices: list[str],
    most: int,
    cancelled: Callable[[], bool],
) -> Iterator[str | None]:
    """Wait for a free session on one of the devices; give the device.

    None when the work was cancelled meanwhile. A session is a locked file: whoever
    dies gives it back.
    """
    never = threading.Event()
    with ExitStack() as stack:
        while not cancelled():
            # The first session of each, then the second: load is spread.
            for number in range(most):
                for device in devices:
                    if _taken(stack, home, device, number):
                        yield device
                        return
            never.wait(_LOOK_SECONDS)
        yield None


def _taken(stack: ExitStack, home: Path, device: str, number: int) -> bool:
    folder = proofs.folder(home)
    folder.mkdir(parents=True, exist_ok=True)
    name = device.strip("/").replace("/", "-") or "processor"
    file = (folder / f"{name}.{number}.session").open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return False
    stack.enter_context(file)
    return True

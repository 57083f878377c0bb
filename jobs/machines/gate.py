"""Whether this media worker may take another work unit now, and why not.

A machine may be draining, limited to a few units, refused for its versions, or cut off
from the storage. Whatever it is, hints stay in the queue for the others.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from jobs.machines.wishes import Wish


@dataclass(slots=True)
class Gate:
    """Shared by the threads that take work; closed until somebody has looked.

    ``refused`` and ``trouble`` are sentences, empty when there is nothing to say;
    ``unseals`` says whether units of protected films may be taken.
    """

    refused: str = ""
    trouble: str = "It has just started."
    wish: Wish = field(default_factory=Wish)
    unseals: bool = True
    _inside: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def open(self) -> bool:
        """Say whether anything new may be taken at all."""
        return not (self.refused or self.trouble or self.wish.drain)

    @contextmanager
    def place(self) -> Iterator[bool]:
        """Take a place for one unit, and give it back; give False when there is none.

        Whoever waits for a hint stands inside already, so that two can't take the last
        place at once.
        """
        with self._lock:
            limit = self.wish.limit
            free = self.open and not (limit and self._inside >= limit)
            self._inside += free
        try:
            yield free
        finally:
            with self._lock:
                self._inside -= free

"""Letters of far media workers in Redis, and what the control side answers.

Nothing in here is missed when Redis comes back empty: the next letter says it all.
"""

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from appliance.clock import from_text
from appliance.errors import TryAgain
from jobs.broker import Broker

Letter = dict[str, Any]

_LETTER = "matinee-exchange:letter:"
_ANSWER = "matinee-exchange:answer:"
# A letter comes several times a second; an answer outlives a restart of control.
_LETTER_SECONDS, _ANSWER_SECONDS = 10, 120
_KEY = re.compile(r"[0-9a-f]{16}", re.ASCII)


class Mailbox:
    """Where letters and answers lie. Errors of every method: ``TryAgain``."""

    def __init__(self, broker: Broker) -> None:
        self._redis: Any = Redis(connection_pool=broker.pool())

    def tell(self, worker: str, letter: Letter) -> None:
        """Leave the newest letter of a worker in place of the last one."""
        with _asked():
            self._redis.set(_LETTER + worker, json.dumps(letter), ex=_LETTER_SECONDS)

    def letters(self) -> dict[str, Letter]:
        """Return the letters of the workers that live, by their keys."""
        with _asked():
            names = [name.decode() for name in self._redis.scan_iter(f"{_LETTER}*")]
            found = self._redis.mget(names) if names else []
        read = zip(names, map(_read, found), strict=True)
        letters = {name.removeprefix(_LETTER): letter for name, letter in read}
        return {
            key: letter
            for key, letter in letters.items()
            if letter is not None and _KEY.fullmatch(key)
        }

    def answer(self, worker: str, letter: Letter) -> None:
        """Leave what a worker is to know, in place of what it was told before."""
        with _asked():
            self._redis.set(_ANSWER + worker, json.dumps(letter), ex=_ANSWER_SECONDS)

    def answered(self, worker: str) -> Letter | None:
        """Return what the control side told a worker last."""
        with _asked():
            return _read(self._redis.get(_ANSWER + worker))


def clock(letter: Letter) -> dict[str, float]:
    """Return the time on the machine that wrote a letter when it did."""
    try:
        return {"clock": from_text(str(letter.get("at"))).timestamp()}
    except ValueError:
        return {}


def _read(data: bytes | None) -> Letter | None:
    if data is None:
        return None
    try:
        found = json.loads(data)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


@contextmanager
def _asked() -> Iterator[None]:
    try:
        yield
    except RedisError as error:
        raise TryAgain(
            "queue.unreachable",
            "Redis (queue.url) does not answer: see to it, or to the network.",
        ) from error

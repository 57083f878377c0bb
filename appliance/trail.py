"""What leads from a line of a log to the request that it comes from.

The words travel with the thread: the web edge begins them with each request, a media
worker with each work unit. Logs and the audit log take them from here.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar, Token
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})
_words: ContextVar[Mapping[str, str]] = ContextVar("trail", default=_NOTHING)


def words() -> Mapping[str, str]:
    """Return what is known of what is done now: request, job, unit."""
    return _words.get()


def request() -> str:
    """Return the id of the request that this was asked by, or nothing."""
    return _words.get().get("request", "")


def begin(request: str) -> Token[Mapping[str, str]]:
    """Let lines lead to a request, for whoever can't afford a ``with``."""
    return _words.set({"request": request})


def end(begun: Token[Mapping[str, str]]) -> None:
    """End what :func:`begin` has begun."""
    _words.reset(begun)


@contextmanager
def leading(**given: str) -> Iterator[None]:
    """Let lines of logs lead there until the block ends; empty words are left out."""
    named = {name: word for name, word in given.items() if word}
    before = _words.set({**_words.get(), **named})
    try:
        yield
    finally:
        _words.reset(before)

"""Calls to the services of others, bounded in time and size, mute on secrets.

What is asked and answered here holds keys and passwords: no address, header or body
of a call stands in an error, and none is kept in the errors that led to it. Which proxy
is taken and whom we believe is decided by :mod:`appliance.outbound`.
"""

import io
import logging
import socket
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import DefaultCookiePolicy
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import ConnectionPool, HTTPConnectionPool
from urllib3.exceptions import HTTPError

from appliance.errors import ConfigError, MatineeError, PreconditionFailed, TryAgain
from appliance.outbound import Ways

_MEBIBYTE = 1024 * 1024
_PIECE = 64 * 1024
_SHOWN = 200
_BUSY = 429

# It logs whole addresses, and some providers want their token in there.
logging.getLogger("urllib3.connectionpool").setLevel(logging.ERROR)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a service answered; the names of headers are found in any case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)


def call(
    method: str,
    url: str,
    *,
    ways: Ways,
    headers: Mapping[str, str],
    body: bytes,
    timeout: float,
    service: str = "The provider",
    code: str = "protection.provider",
    largest: int = _MEBIBYTE,
    explain: Callable[[Answer], str] = lambda _: "",
) -> Answer:
    """Ask a service; return its answer if that is a success (2xx).

    ``timeout`` is for the whole answer, in seconds, and once more for the connection;
    ``service`` begins the sentences of errors and ``code`` their codes; ``explain``
    picks out of an error answer what is known to hold no secret and may be shown.
    Errors: ``ConfigError`` ``-address`` for one that cannot be used; ``TryAgain`` with
    ``-unreachable``, ``-slow`` or ``-failed``; ``PreconditionFailed`` with
    ``-refused``, ``-moved``, ``-untrusted`` or ``-too-large``: somebody has to mend
    something first.
    """
    answer = ask(
        method,
        url,
        ways=ways,
        headers=headers,
        body=body,
        timeout=timeout,
        service=service,
        code=code,
        largest=largest,
    )
    return _accepted(answer, service, code, explain)


def ask(
    method: str,
    url: str,
    *,
    ways: Ways,
    headers: Mapping[str, str],
    body: bytes,
    timeout: float,
    service: str,
    code: str,
    largest: int = _MEBIBYTE,
) -> Answer:
    """Ask a service; return its answer, a refusal too. Errors: as of :func:`call`."""
    check_address(url, service, code)
    request = requests.Request(method, url, headers=dict(headers), data=body)
    got = _asked(request, _Route(ways.proxies_for(url), ways.trusted), timeout, largest)
    if isinstance(got, Answer):
        return got
    # Raised here, where no exception of the libraries, which hold the request, is
    # being handled: the error has no context to leak it.
    kind, sentence = _TROUBLES[got]
    raise kind(f"{code}-{_CODES.get(got, got)}", f"{service} {sentence}")


def library_answer(answer: Answer) -> requests.Response:
    """Return an answer in the form that libraries of others know."""
    response = requests.Response()
    response.status_code = answer.status
    response.headers.update(answer.headers)
    response.raw = io.BytesIO(answer.body)
    response.encoding = "utf-8"
    return response


def check_address(url: str, service: str, code: str) -> None:
    address = None
    with suppress(ValueError):
        address = urlsplit(url)
    if address is None or not address.hostname or address.username is not None:
        raise ConfigError(
            f"{code}-address",
            f"{service} needs an address like https://host/path, without a password.",
        )
    if address.scheme == "https":
        return
    if address.scheme != "http" or not _is_loopback(address.hostname):
        raise ConfigError(
            f"{code}-address",
            f"{service} must be reached with https: keys and passwords travel there.",
        )


def _is_loopback(host: str) -> bool:
    with suppress(ValueError):
        return ip_address(host).is_loopback
    return host == "localhost"


def _accepted(
    answer: Answer, service: str, code: str, explain: Callable[[Answer], str]
) -> Answer:
    """Return an answer of success, refuse any other."""
    if answer.status // 100 == 2:
        return answer
    said = _shown(explain(answer))
    told = f" with {answer.status}{said}"
    details = {"status": answer.status}
    if answer.status // 100 == 3:
        raise PreconditionFailed(
            f"{code}-moved",
            f"{service} sends us elsewhere{told}: set the address that it moved to.",
            details,
        )
    if answer.status // 100 == 5 or answer.status == _BUSY:
        raise TryAgain(
            f"{code}-failed",
            f"{service} failed{told}. Try again later, or ask the provider.",
            details,
        )
    raise PreconditionFailed(
        f"{code}-refused",
        f"{service} refused{told}. Check its address and the credentials for it.",
        details,
    )


def _shown(words: str) -> str:
    line = " ".join("".join(c if c.isprintable() else " " for c in words).split())
    return f" (“{line[:_SHOWN]}”)" if line else ""


_TROUBLES: Mapping[str, tuple[type[MatineeError], str]] = {
    "unreachable": (
        TryAgain,
        "cannot be reached, or broke off. Check its address and the network, then try"
        " again.",
    ),
    "slow": (TryAgain, "did not answer in time. Try again later."),
    "untrusted": (
        PreconditionFailed,
        "cannot be trusted: its certificate does not hold, or it speaks no TLS. Check"
        " its address, and this machine’s clock and certificates.",
    ),
    "proxy": (
        TryAgain,
        "cannot be reached through the proxy: look at outbound.proxy, what it lets"
        " pass, and outbound.direct for what needs none.",
    ),
    "unsendable": (
        ConfigError,
        "cannot be asked: its address or a secret for it holds characters that cannot"
        " be sent.",
    ),
    "too-large": (
        PreconditionFailed,
        "answered with more than any answer needs. Check its address.",
    ),
}
_CODES = {"unsendable": "address"}


@dataclass(frozen=True, slots=True)
class _Route:
    """Through which proxies a request goes, and the file of those we believe."""

    proxies: Mapping[str, str] = field(repr=False)
    trusted: str


def _asked(
    request: requests.Request, route: _Route, timeout: float, largest: int
) -> Answer | str:
    """Return the answer, or which of `_TROUBLES` there was instead."""
    cutter = _own.cutter = _Cutter(timeout)
    trouble = "too-large"
    try:
        with _sent(request, route, timeout) as response:
            body = _read(response, largest)
            # Cut in the middle, a body without a length looks like a whole one.
            if body is not None and not cutter.fired:
                return Answer(response.status_code, response.headers, body)
    except requests.exceptions.SSLError:
        trouble = "untrusted"
    except requests.exceptions.ProxyError:
        trouble = "proxy"
    except requests.exceptions.ReadTimeout:
        trouble = "slow"
    except ValueError:
        trouble = "unsendable"
    except (requests.RequestException, HTTPError, HTTPException, OSError):
        trouble = "unreachable"
    finally:
        cutter.stop()
    return "slow" if cutter.fired else trouble


def _sent(
    request: requests.Request, route: _Route, timeout: float
) -> requests.Response:
    """Send; what comes back has its head, and its body is still to be read."""
    session = _own.session
    return session.send(
        session.prepare_request(request),
        timeout=timeout,
        allow_redirects=False,
        stream=True,
        proxies=dict(route.proxies),
        verify=route.trusted,
    )


def _read(response: requests.Response, largest: int) -> bytes | None:
    """Return the body; None if it is larger than that."""
    body = bytearray()
    for piece in response.iter_content(_PIECE):
        body += piece
        if len(body) > largest:
            return None
    return bytes(body)


class _Cutter:
    """Closes a connection when the time for an answer is over.

    The time-outs of sockets begin anew with each byte: who sends one a second could
    hold us for hours.
    """

    def __init__(self, seconds: float) -> None:
        self.fired = False
        self._until = time.monotonic() + seconds
        self._timer: threading.Timer | None = None

    def watch(self, connection: socket.socket) -> None:
        self.stop()
        left = max(0.0, self._until - time.monotonic())
        self._timer = threading.Timer(left, self._cut, (connection,))
        self._timer.daemon = True
        self._timer.start()

    def stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def _cut(self, connection: socket.socket) -> None:
        self.fired = True
        with suppress(OSError):
            # Not TLS's own shutdown, which would wait for the other side.
            socket.socket.shutdown(connection, socket.SHUT_RDWR)


class _Plain(HTTPConnection):
    def getresponse(self) -> Any:
        _watch(self.sock)
        return super().getresponse()


class _Secure(HTTPSConnection):
    def getresponse(self) -> Any:
        _watch(self.sock)
        return super().getresponse()


def _watch(connection: socket.socket | None) -> None:
    if isinstance(connection, socket.socket):
        _own.cutter.watch(connection)


class _Adapter(HTTPAdapter):
    """Uses connections that end when the time is over."""

    def get_connection_with_tls_context(
        self, *args: Any, **kwargs: Any
    ) -> ConnectionPool:
        pool = super().get_connection_with_tls_context(*args, **kwargs)
        assert isinstance(pool, HTTPConnectionPool)
        pool.ConnectionCls = _Secure if pool.scheme == "https" else _Plain
        return pool


class _Own(threading.local):
    """What each thread has for itself: connections kept open, and a cutter."""

    cutter: _Cutter

    def __init__(self) -> None:
        self.session = requests.Session()
        self.session.mount("http://", _Adapter())
        self.session.mount("https://", _Adapter())
        self.session.headers = {"Accept-Encoding": "identity"}
        self.session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        # Otherwise it asks the environment for proxies and authorities, and looks for
        # passwords in ~/.netrc, which it sends in place of ours.
        self.session.trust_env = False


_own = _Own()

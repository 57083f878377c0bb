"""Films fetched from addresses, beside the rounds of the control worker.

The rows say what is wanted; a film whose fetching was cut short by a restart begins
anew. Each connection goes to an address that was checked, each redirection is checked
as the first address was, and what is no film is given up with its first bytes. Through
a proxy the name goes, which the proxy resolves: what names mean here is checked all the
same, where they mean anything.
"""

import logging
import re
import socket
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from appliance import clock, outbound, studio_checks
from appliance.accounts import people
from appliance.db import Database
from appliance.errors import InvalidInput, MatineeError, NotFound, TryAgain
from appliance.media import assets, fetches, sources, uploads
from appliance.media.fetches import Fetch
from appliance.permissions import SYSTEM, Actor
from appliance.room import Pressure
from appliance.safe_addresses import Target
from appliance.settings import Settings
from appliance.storage import Storage
from jobs import connecting, queue
from jobs.errands import Beside, Errand, ErrandFailed

_FOLDER = "uploads/fetched"
_AT_ONCE = 2
_REDIRECTIONS = 5
_HEAD_SECONDS = 60.0
_PIECE = 1024 * 1024
_TOLD_SECONDS = 1.0
_AGENT = "Matinee"

logger = logging.getLogger(__name__)


class _GivenUp(MatineeError):
    """Nobody wants the film any more."""


@dataclass(slots=True)
class Fetching:
    """Looks at the rows, and has at most two films fetched at a time."""

    storage: Storage
    settings: Settings
    errand: Errand
    under_way: set[str] = field(default_factory=set)

    @classmethod
    def of(cls, storage: Storage, settings: Settings) -> "Fetching":
        """Return one that works in threads of its own."""
        beside = Beside(settings.database, lambda _: None, settings.queue.attempts)
        return cls(storage, settings, beside)

    def look(self, db: Database) -> None:
        """Begin what is to be fetched, and finish what has come."""
        wanted = fetches.unfinished(db)
        # On a disk that is nearly full what waits goes on waiting.
        full = wanted and self.storage.pressure(self.settings.disk) is Pressure.REFUSE
        most = 0 if full else _AT_ONCE
        for each in wanted:
            if each.public_id in self.under_way or len(self.under_way) < most:
                self._go_on(db, each)
        # What was cancelled ends by itself; its errand is collected here.
        for public_id in self.under_way - {each.public_id for each in wanted}:
            self._go_on(db, fetches.by_id(db, public_id))

    def _go_on(self, db: Database, each: Fetch) -> None:
        self.under_way.add(each.public_id)

        def action(own: Database) -> bool:
            return fetch(own, self.storage, self.settings, each.public_id)

        try:
            done = self.errand(db, each.public_id, "fetch", action)
        except TryAgain as error:
            logger.info("a film is fetched again later: %s", error)
            self.under_way.discard(each.public_id)
        except ErrandFailed as error:
            self.under_way.discard(each.public_id)
            code, message = error.code, error.message
            fetches.ended(db, each.public_id, "failed", code=code, message=message)
        except Exception:
            self.under_way.discard(each.public_id)
            logger.exception("fetching a film failed")
            message = "It failed unexpectedly: see the log."
            fetches.ended(
                db, each.public_id, "failed", code="fetch.unexpected", message=message
            )
        else:
            if done is not None:
                self.under_way.discard(each.public_id)


def fetch(db: Database, storage: Storage, settings: Settings, public_id: str) -> bool:
    """Fetch one film and take it in; say whether it was wanted to the end.

    Errors: ``TryAgain``, and others with a sentence of why it can't be had.
    """
    each = fetches.by_id(db, public_id)
    if not each.open:
        return False
    part = storage.path(f"{_FOLDER}/{public_id}")
    part.parent.mkdir(parents=True, exist_ok=True)
    try:
        filename, received = _download(db, storage, settings, each, part)
        slug = _take_in(db, storage, settings, each, part, filename)
    except _GivenUp:
        return False
    finally:
        part.unlink(missing_ok=True)
    fetches.arrived(db, public_id, slug, received)
    return True


def _take_in(
    db: Database,
    storage: Storage,
    settings: Settings,
    each: Fetch,
    part: Path,
    filename: str,
) -> str:
    replaces = assets.playable(db, each.title_id) if each.title_id else None
    arrival = uploads.take_in(
        *(db, storage, settings, _actor(db, each), part, filename),
        title_id=each.title_id,
        keep_source=False,
        publish=each.publish,
        replaces=replaces,
    )
    queue.wake(settings, arrival.job)
    return arrival.title_slug


def _actor(db: Database, each: Fetch) -> Actor:
    """Return who asked, with the roles of now."""
    if each.account_id is None:
        return Actor(username=each.username, roles=SYSTEM.roles)
    account = people.by_id(db, each.account_id)
    return Actor(username=account.username, account_id=account.id, roles=account.roles)


def _download(
    db: Database, storage: Storage, settings: Settings, each: Fetch, part: Path
) -> tuple[str, int]:
    """Write the film into ``part``; return its name and size."""
    until = db.clock.now() + timedelta(hours=settings.uploads.url_hours)
    with _answered(each.url, settings) as (response, target):
        filename = _filename(response, target)
        total = _length(response)
        most = settings.uploads.max_gigabytes * 1_000_000_000
        _require_size(total or 0, most, filename)
        storage.require_room(total or 0)
        storage.require_takes(settings.disk, total or 0)
        meter = _Meter(db, each.public_id, total, filename)
        meter.tell(0)
        received = 0
        with part.open("wb") as file:
            for piece in _pieces(response):
                if received == 0:
                    _require_film(piece, response)
                received += len(piece)
                _require_size(received, most, filename)
                if total is None:
                    storage.require_takes(settings.disk, len(piece))
                    storage.require_room(len(piece))
                file.write(piece)
                meter.tell(received)
                if db.clock.now() > until:
                    raise _failed("slow", "It took too long, and was given up.")
        if received == 0 or (total is not None and received != total):
            raise TryAgain(
                "fetch.short", "The connection broke off: not all of the film came."
            )
        meter.require_wanted(received)
        return filename, received


@contextmanager
def _answered(url: str, settings: Settings) -> Iterator[tuple[HTTPResponse, Target]]:
    """Ask an address, and those it sends us to; each is checked before it is asked."""
    allowed, ways = studio_checks.networks(settings.uploads), outbound.of(settings)
    for _ in range(_REDIRECTIONS + 1):
        target, proxy = connecting.target(url, ways, allowed)
        connection = connecting.connection(target, proxy, ways)
        with closing(connection):
            response = _asked(connection, target, proxy)
            if response.status in (301, 302, 303, 307, 308):
                url = urljoin(url, response.getheader("Location") or "")
                continue
            if response.status != 200:
                raise _refused(response.status, target)
            yield response, target
            return
    raise _failed("redirected", "The address sends us on and on.")


def _asked(connection: HTTPConnection, target: Target, proxy: str) -> HTTPResponse:
    headers = {
        "Host": target.named,
        "User-Agent": _AGENT,
        "Accept": "video/*, application/octet-stream, */*;q=0.5",
        "Accept-Encoding": "identity",
    }
    path = target.path
    if proxy and target.scheme == "http":
        path, headers = target.url, headers | outbound.proof(proxy)
    try:
        connection.connect()
        with _in_time(connection):
            connection.request("GET", path, headers=headers)
            return connection.getresponse()
    except ssl.SSLError as error:
        raise _failed(
            "untrusted", f"The certificate of {target.host} does not hold."
        ) from error
    except (OSError, HTTPException, ValueError) as error:
        raise TryAgain(
            "fetch.unreachable", f"{target.host} can’t be reached, or broke off."
        ) from error


@contextmanager
def _in_time(connection: HTTPConnection) -> Iterator[None]:
    """Cut off whoever sends its headers a byte at a time."""

    def cut() -> None:
        with suppress(OSError):
            socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)

    timer = threading.Timer(_HEAD_SECONDS, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def _pieces(response: HTTPResponse) -> Iterator[bytes]:
    try:
        while piece := response.read1(_PIECE):
            yield piece
    except (OSError, HTTPException, ValueError) as error:
        raise TryAgain(
            "fetch.short", "The connection broke off: not all of the film came."
        ) from error


@dataclass(slots=True)
class _Meter:
    """Writes down how far it is, once a second, and hears that it is cancelled."""

    db: Database
    public_id: str
    total: int | None
    filename: str
    told_at: Any = None

    def tell(self, received: int) -> None:
        now = self.db.clock.now()
        if self.told_at and now - self.told_at < timedelta(seconds=_TOLD_SECONDS):
            return
        self.told_at = now
        self.require_wanted(received)

    def require_wanted(self, received: int) -> None:
        if not fetches.note(
            self.db, self.public_id, received, self.total, self.filename
        ):
            raise _GivenUp("fetch.cancelled", "It was cancelled.")


def _filename(response: HTTPResponse, target: Target) -> str:
    """Return what the film is called there, without any path."""
    said = response.getheader("Content-Disposition") or ""
    named = re.search(r"filename\*=(?:UTF-8|utf-8)''([^;]+)", said)
    plain = re.search(r'filename="?([^";]+)"?', said)
    if named:
        name = unquote(named.group(1))
    elif plain:
        name = plain.group(1)
    else:
        name = unquote(urlsplit(target.path).path.rsplit("/", 1)[-1])
    last = re.split(r"[/\\]", name)[-1].strip()
    shown = "".join(each for each in last if each.isprintable())
    return sources.clean_filename(shown or "film")


def _length(response: HTTPResponse) -> int | None:
    text = response.getheader("Content-Length") or ""
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 19 else None


def _require_size(size: int, most: int, filename: str) -> None:
    if size > most:
        raise _failed(
            "too-large",
            f"“{filename}” is larger than the {most // 1_000_000_000} GB that are"
            " taken here.",
        )


_SIGNS: Mapping[str, re.Pattern[bytes]] = {
    "MP4 or QuickTime": re.compile(rb"....(ftyp|moov|mdat|free|skip|wide)", re.DOTALL),
    "Matroska or WebM": re.compile(rb"\x1a\x45\xdf\xa3"),
    "AVI": re.compile(rb"RIFF....AVI ", re.DOTALL),
    "MPEG transport stream": re.compile(
        rb"(.{0,4}\x47.{187}){2}|(.{4}\x47.{187}){2}", re.DOTALL
    ),
    "MPEG programme stream": re.compile(rb"\x00\x00\x01[\xba\xb3]"),
    "MXF": re.compile(rb".{0,65536}?\x06\x0e\x2b\x34\x02\x05\x01\x01", re.DOTALL),
    "Windows Media": re.compile(rb"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    "Flash Video": re.compile(rb"FLV\x01"),
    "Ogg": re.compile(rb"OggS"),
}


def _require_film(beginning: bytes, response: HTTPResponse) -> None:
    """Refuse at once what does not begin as films do, whatever it is called."""
    if any(sign.match(beginning) for sign in _SIGNS.values()):
        return
    kind = (response.getheader("Content-Type") or "").partition(";")[0].strip()
    told = f" but {kind[:60]}" if re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind) else ""
    raise _failed("no-film", f"What is at this address is no film{told}.")


def _refused(status: int, target: Target) -> MatineeError:
    if status >= 500 or status == 429:
        return TryAgain("fetch.failed", f"{target.host} failed with {status}.")
    if status in (404, 410):
        return NotFound("fetch.nothing", f"{target.host} has nothing at this address.")
    return _failed("refused", f"{target.host} refused with {status}.")


def _failed(code: str, sentence: str) -> InvalidInput:
    return InvalidInput(f"fetch.{code}", sentence)


def drop_old(db: Database, storage: Storage, days: int = 30) -> None:
    """Forget what was fetched long ago, and parts that nobody fetches any more."""
    fetches.forget(db, clock.to_text(db.clock.now() - timedelta(days=days)))
    known = {each.public_id for each in fetches.unfinished(db)}
    for path in storage.root.glob(f"{_FOLDER}/*"):
        if path.name not in known:
            path.unlink(missing_ok=True)

"""Object storage that speaks S3: where the immutable tracks of packages may lie.

What can be asked for is what the storage on disk offers too, without renaming: put,
open, fetch, list, remove. Calls have time-outs and never happen inside ``write(db)``.
Everything is signed with its hash, so that the other side takes nothing damaged.
"""

import hashlib
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from threading import Event
from typing import Any

from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectionError,
    HTTPClientError,
    IncompleteReadError,
)
from botocore.session import Session
from urllib3.exceptions import HTTPError

from appliance import outbound
from appliance.errors import (
    ConfigError,
    MatineeError,
    NotFound,
    PreconditionFailed,
    StorageFull,
    TryAgain,
)
from appliance.secret_file import SecretFile, Section
from appliance.settings import Settings
from appliance.storage import Storage

_TOGETHER = 8
_BLOCK = 256 * 1024
_ATTEMPTS = 3
_UNTIL_CONNECTED = 3
# What the machine's own AWS files and variables say is for others.
_ELSEWHERE = ("profile", "config_file", "credentials_file")
_NOWHERE = (None, None, None, None)
_REFUSED = (401, 403)
_BUSY = 429
_BROKEN = (ConnectionError, HTTPClientError, IncompleteReadError, HTTPError)


@dataclass
class Stores:
    """The storage on disk and the one for objects, which is asked for when needed."""

    storage: Storage
    settings: Settings

    @cached_property
    def objects(self) -> "ObjectStore":
        """Errors: ``ConfigError``, ``PreconditionFailed`` where none is set up."""
        return ObjectStore(self.settings)


@dataclass(slots=True)
class Opened:
    """A part of an object on its way: read ``blocks`` to the end or close it.

    ``span`` is the value of ``Content-Range``, empty for the whole.
    """

    length: int
    span: str
    body: Any = field(repr=False)

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes. Errors: ``TryAgain`` when they break off."""
        with _explained("the object storage"):
            yield from self.body.iter_chunks(_BLOCK)

    def close(self) -> None:
        self.body.close()


class ObjectStore:
    """The folder of a bucket that is ours; safe to use from many threads.

    ``secrets`` are used in place of those that the settings lead to.
    """

    def __init__(self, settings: Settings, secrets: Section | None = None) -> None:
        self._settings = settings.objects
        if not self._settings.bucket:
            raise ConfigError(
                "objects.unset",
                "No object storage is set up: set objects.bucket and objects.endpoint,"
                " and write access_key and secret_key into a section [s3] of s3.toml in"
                " the folder of keys.",
            )
        prefix = self._settings.prefix.strip("/")
        self._prefix = f"{prefix}/" if prefix else ""
        self.name = f"s3://{self._settings.bucket}/{self._prefix}"
        self._client = _client(settings, secrets or keys(settings))

    def check(self) -> None:
        """Ask for something small, to see whether the storage would answer at all."""
        with self._asked():
            self._client.list_objects_v2(
                Bucket=self._settings.bucket, Prefix=self._prefix, MaxKeys=1
            )

    def put(self, source: Path, relative: str, mimetype: str, caching: str) -> None:
        """Copy a file in, over an older one if any; it appears whole.

        Errors: ``StorageFull``, ``PreconditionFailed``, ``TryAgain``.
        """
        with source.open("rb") as file, self._asked():
            self._client.put_object(
                Bucket=self._settings.bucket,
                Key=self._key(relative),
                Body=file,
                ContentType=mimetype,
                CacheControl=caching,
            )

    def write(self, relative: str, data: bytes) -> None:
        """Write what is small, over an older one if any; it appears whole.

        Errors: those of :meth:`put`.
        """
        with self._asked():
            self._client.put_object(
                Bucket=self._settings.bucket, Key=self._key(relative), Body=data
            )

    def copy(self, source: str, relative: str) -> None:
        """Copy a file within the storage; it appears whole, with its type and caching.

        Errors: ``NotFound`` for the source, and those of :meth:`put`.
        """
        with self._asked():
            self._client.copy_object(
                Bucket=self._settings.bucket,
                Key=self._key(relative),
                CopySource={
                    "Bucket": self._settings.bucket,
                    "Key": self._key(source),
                },
            )

    def open(self, relative: str, span: str = "") -> Opened:
        """Begin to read a file, or the part that ``span`` names as in ``Range``.

        Errors: ``NotFound`` for the file, ``PreconditionFailed`` with
        ``objects.range`` when there is no such part; ``TryAgain``.
        """
        asked = {"Range": span} if span else {}
        with self._asked():
            got = self._client.get_object(
                Bucket=self._settings.bucket, Key=self._key(relative), **asked
            )
            return Opened(
                got["ContentLength"], got.get("ContentRange", ""), got["Body"]
            )

    def size(self, relative: str) -> int:
        """Return how many bytes a file has. Errors: ``NotFound``."""
        with self._asked():
            found: int = self._client.head_object(
                Bucket=self._settings.bucket, Key=self._key(relative)
            )["ContentLength"]
            return found

    def read(self, relative: str, see: Callable[[bytes], object]) -> int:
        """Show a file to ``see`` in blocks, and return how many bytes there were."""
        size = 0
        opened = self.open(relative)
        try:
            for block in opened.blocks():
                see(block)
                size += len(block)
        finally:
            opened.close()
        return size

    def digest(self, relative: str) -> tuple[int, str]:
        """Read a file and return its size and its SHA-256."""
        digest = hashlib.sha256()
        return self.read(relative, digest.update), digest.hexdigest()

    def listing(self, folder: str) -> Iterator[tuple[str, int]]:
        """Yield the names below a folder, relative to it, with their sizes."""
        start = self._key(folder.rstrip("/") + "/")
        more: dict[str, str] = {}
        while True:
            with self._asked():
                page = self._client.list_objects_v2(
                    Bucket=self._settings.bucket, Prefix=start, **more
                )
            for each in page.get("Contents", ()):
                yield each["Key"].removeprefix(start), each["Size"]
            if not page.get("IsTruncated"):
                return
            more = {"ContinuationToken": page["NextContinuationToken"]}

    def remove(self, relative: str) -> None:
        """Remove a file; one that is not there is removed already."""
        with self._asked():
            self._client.delete_object(
                Bucket=self._settings.bucket, Key=self._key(relative)
            )

    def remove_folder(self, folder: str) -> None:
        """Remove every file below a folder."""
        names = [name for name, _ in self.listing(folder)]
        together(lambda name: self.remove(f"{folder}/{name}"), names)

    def _key(self, relative: str) -> str:
        return f"{self._prefix}{relative}"

    def _asked(self) -> Any:
        return _explained(self.name)


def together(do: Callable[[str], object], names: Iterable[str]) -> None:
    """Do it for all names, some at a time; after the first error no more is begun."""
    stop = Event()

    def one(name: str) -> None:
        if stop.is_set():
            return
        try:
            do(name)
        except BaseException:
            stop.set()
            raise

    with ThreadPoolExecutor(_TOGETHER, thread_name_prefix="objects") as pool:
        futures = [pool.submit(one, name) for name in names]
        try:
            for future in futures:
                future.result()
        finally:
            stop.set()


@dataclass(frozen=True, slots=True)
class Address:
    """Where our folder is for whoever signs requests: ``url`` is the host alone."""

    url: str
    folder: str


def place(settings: Settings) -> Address:
    """Return the address of our folder in the bucket, which ends with a slash."""
    objects = settings.objects
    default = f"https://s3.{objects.region}.amazonaws.com"
    scheme, _, host = (objects.endpoint.rstrip("/") or default).partition("://")
    prefix = objects.prefix.strip("/")
    folder = f"/{prefix}/" if prefix else "/"
    if objects.path_style:
        return Address(f"{scheme}://{host}", f"/{objects.bucket}{folder}")
    return Address(f"{scheme}://{objects.bucket}.{host}", folder)


def keys(settings: Settings) -> Section:
    """Return ``access_key`` and ``secret_key``. Errors: as of :class:`SecretFile`."""
    return SecretFile(
        name="s3.toml",
        folder=settings.keys,
        named=settings.objects.credentials,
        code="objects.credentials",
        whose="the object storage",
    ).section("s3")


def _client(settings: Settings, secrets: Section) -> Any:
    objects = settings.objects
    session = Session(session_vars=dict.fromkeys(_ELSEWHERE, _NOWHERE))
    ways = outbound.of(settings)
    return session.create_client(
        "s3",
        region_name=objects.region,
        endpoint_url=objects.endpoint or None,
        aws_access_key_id=secrets["access_key"],
        aws_secret_access_key=secrets["secret_key"],
        verify=ways.trusted,
        config=Config(
            # None of them would have the environment asked.
            proxies=dict(ways.proxies_for(place(settings).url)),
            signature_version="s3v4",
            connect_timeout=_UNTIL_CONNECTED,
            read_timeout=objects.timeout_seconds,
            retries={"mode": "standard", "total_max_attempts": _ATTEMPTS},
            max_pool_connections=2 * _TOGETHER,
            ignore_configured_endpoint_urls=True,
            # Only Amazon's own servers know the newer checksums at the end of a body.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
            s3={
                "addressing_style": "path" if objects.path_style else "virtual",
                "payload_signing_enabled": True,
            },
        ),
    )


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise _answered(name, error) from error
    except _BROKEN as error:
        raise TryAgain(
            "objects.unreachable",
            f"{name} cannot be reached, or broke off: check objects.endpoint and the"
            " network, then try again.",
        ) from error
    except BotoCoreError as error:
        raise PreconditionFailed(
            "objects.unusable",
            f"{name} cannot be used as it is set up ({type(error).__name__}): check the"
            " settings of objects.",
        ) from error


def _answered(name: str, error: ClientError) -> MatineeError:
    """Return what an answer other than success means."""
    code = str(error.response.get("Error", {}).get("Code", ""))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    if code == "NoSuchBucket":
        return PreconditionFailed(
            "objects.no-bucket",
            f"There is no bucket for {name}: make it, or set objects.bucket.",
        )
    if status == 416:
        return PreconditionFailed("objects.range", "There is no such part of the file.")
    if status == 404:
        return NotFound("storage.missing", f"The file is not in {name}.")
    if status in _REFUSED:
        return PreconditionFailed(
            "objects.refused",
            f"{name} refused us ({code}): check access_key and secret_key in s3.toml,"
            " objects.region, this machine’s clock, and what the key may do there.",
        )
    if code in ("QuotaExceeded", "XMinioStorageFull") or status == 507:
        return StorageFull(
            "objects.full", f"{name} has no room left: free some, and try again."
        )
    if status >= 500 or status == _BUSY or code == "SlowDown":
        return TryAgain(
            "objects.failed", f"{name} failed ({status} {code}): try again later."
        )
    return PreconditionFailed(
        "objects.answer",
        f"{name} answered {status} {code}: check the settings of objects.",
    )

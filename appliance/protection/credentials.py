"""The providers' secrets, from a file that nobody but the service may read.

The file is TOML with a section for each service, as ``[widevine]`` or ``[speke]``. It
is ``protection.credentials``, else what systemd hands over as the credential
``drm.toml``, else ``drm.toml`` in the folder of keys.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from appliance.errors import ConfigError, PreconditionFailed
from appliance.settings import Settings

_NAME = "drm.toml"
_OTHERS = 0o077


class Section(Mapping[str, str]):
    """The fields of one service; one that is missing is an error with its name.

    It shows the names of its fields and never what is in them.
    """

    def __init__(
        self, place: Path, name: str, fields: Mapping[str, str], *, guarded: bool
    ) -> None:
        self.place, self.name = place, name
        self._fields, self._guarded = fields, guarded

    def __getitem__(self, field: str) -> str:
        if not self._fields.get(field):
            raise ConfigError(
                "protection.credentials-field",
                f"{self.place}: section [{self.name}] has no “{field}”: add it.",
            )
        return self._fields[field]

    def __contains__(self, field: object) -> bool:
        return field in self._fields

    def __iter__(self) -> Iterator[str]:
        return iter(self._fields)

    def __len__(self) -> int:
        return len(self._fields)

    def __repr__(self) -> str:
        return f"Section({self.name}: {', '.join(self._fields)})"

    def get(self, field: str, default: Any = "") -> Any:
        """Return a field that need not be there."""
        return self._fields.get(field, default)

    def secret_bytes(self, field: str, length: int) -> bytes:
        """Return a field that holds so many bytes as hexadecimal digits."""
        text = self[field]
        # Not `bytes.fromhex` at once: its error would say what stands there.
        right = len(text) == 2 * length and all(c in _HEXADECIMAL for c in text)
        if not right:
            raise ConfigError(
                "protection.credentials-field",
                f"{self.place}: “{field}” of section [{self.name}] must be"
                f" {2 * length} hexadecimal digits.",
            )
        return bytes.fromhex(text)

    def private_file(self, field: str) -> bytes:
        """Return what is in the file that a field names, beside this one or absolute.

        Errors: ``PreconditionFailed`` when others may read it too, or it is missing.
        """
        remedy = f"Set “{field}” in {self.place} to where it is."
        path = self.place.parent / self[field]
        return _private(path, remedy, guarded=self._guarded)


def section(
    settings: Settings, name: str, environ: Mapping[str, str] | None = None
) -> Section:
    """Return the secrets for a service.

    Errors: ``PreconditionFailed`` when the file is missing, cannot be read, or can be
    read by others too; ``ConfigError`` when the section or, later, a field is missing.
    """
    environ = os.environ if environ is None else environ
    path, guarded = _path(settings, environ)
    remedy = f"Write it with a section [{name}], and chmod it to 0600."
    text = _private(path, remedy, guarded=guarded)
    found = _parsed(path, text).get(name)
    if not isinstance(found, dict):
        raise ConfigError(
            "protection.credentials-section", f"{path} has no section [{name}]: add it."
        )
    for field, value in found.items():
        if not isinstance(value, str):
            raise ConfigError(
                "protection.credentials-field",
                f"{path}: “{field}” of section [{name}] must be a text in quotes.",
            )
    return Section(path, name, found, guarded=guarded)


_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


def _path(settings: Settings, environ: Mapping[str, str]) -> tuple[Path, bool]:
    """Return where the file is, and whether systemd guards it."""
    if settings.protection.credentials:
        return Path(settings.protection.credentials), False
    folder = environ.get("CREDENTIALS_DIRECTORY")
    if folder and (Path(folder) / _NAME).is_file():
        return Path(folder) / _NAME, True
    return settings.keys / _NAME, False


def _private(path: Path, remedy: str, *, guarded: bool) -> bytes:
    """Return what is in a file that only its owner may read."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read()
    except OSError as error:
        raise PreconditionFailed(
            "protection.credentials-missing",
            f"{path} with the provider’s secrets cannot be read"
            f" ({error.strerror}). {remedy}",
        ) from error
    # systemd guards the folder as a whole, and its access list for our user shows up
    # in the bits of the group.
    if mode & _OTHERS and not guarded:
        raise PreconditionFailed(
            "protection.credentials-open",
            f"Others than its owner may read {path}. Say chmod 600 {path}, and have"
            " the provider change what is in it if others were on this machine.",
        )
    return content


def _parsed(path: Path, content: bytes) -> Mapping[str, Any]:
    trouble = "it is not UTF-8 text"
    try:
        return tomllib.loads(content.decode("utf-8"))
    except tomllib.TOMLDecodeError as error:
        trouble = str(error)
    except UnicodeDecodeError:
        pass
    # Outside of the handler: the errors hold the text, which is full of secrets.
    raise ConfigError("protection.credentials-syntax", f"{path}: {trouble}")

"""Secrets for the services of others, from a file that nobody but ours may read.

Such a file is TOML with a section for each service, as ``[widevine]`` or ``[bunny]``.
It is the one that a setting names, else what systemd hands over as a credential of its
name, else the file of that name in the folder of keys.
"""

import os
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import ConfigError, PreconditionFailed

_OTHERS = 0o077
_HEXADECIMAL = frozenset("0123456789abcdefABCDEF")


@dataclass(frozen=True, slots=True)
class SecretFile:
    """One such file: its usual name, the folder of keys, and what the setting names.

    ``code`` begins the codes of errors; ``whose`` says in them whose secrets it holds.
    """

    name: str
    folder: Path
    named: str
    code: str
    whose: str

    def section(self, name: str, environ: Mapping[str, str] | None = None) -> "Section":
        """Return the secrets for a service.

        Errors: ``PreconditionFailed`` when the file is missing, cannot be read, or can
        be read by others too; ``ConfigError`` when the section or, later, a field is
        missing.
        """
        place = self._place(os.environ if environ is None else environ)
        remedy = f"Write it with a section [{name}], and chmod it to 0600."
        found = _parsed(place, _private(place, place.path, remedy)).get(name)
        if not isinstance(found, dict):
            sentence = f"{place.path} has no section [{name}]: add it."
            raise ConfigError(f"{self.code}-section", sentence)
        for field, value in found.items():
            if not isinstance(value, str):
                raise ConfigError(
                    f"{self.code}-field",
                    f"{place.path}: “{field}” of section [{name}] must be a text in"
                    " quotes.",
                )
        return Section(place, name, found)

    def exists(self, environ: Mapping[str, str] | None = None) -> bool:
        """Say whether a setting names it, or it lies where it usually does."""
        place = self._place(os.environ if environ is None else environ)
        return bool(self.named) or place.path.is_file()

    def _place(self, environ: Mapping[str, str]) -> "Place":
        if self.named:
            return Place(Path(self.named), False, self.code, self.whose)
        given = Path(environ.get("CREDENTIALS_DIRECTORY", "")) / self.name
        if environ.get("CREDENTIALS_DIRECTORY") and given.is_file():
            return Place(given, True, self.code, self.whose)
        return Place(self.folder / self.name, False, self.code, self.whose)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file of secrets is, whether systemd guards it, and how errors tell."""

    path: Path
    guarded: bool
    code: str
    whose: str


class Section(Mapping[str, str]):
    """The fields of one service; one that is missing is an error with its name.

    It shows the names of its fields and never what is in them.
    """

    def __init__(self, place: Place, name: str, fields: Mapping[str, str]) -> None:
        self.place, self.name = place.path, name
        self._place, self._fields = place, fields

    def __getitem__(self, field: str) -> str:
        if not self._fields.get(field):
            raise self.wrong(f"section [{self.name}] has no “{field}”: add it.")
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

    def wrong(self, told: str) -> ConfigError:
        """Return the error about a field; ``told`` must not say what is in it."""
        return ConfigError(f"{self._place.code}-field", f"{self.place}: {told}")

    def secret_bytes(self, field: str, length: int) -> bytes:
        """Return a field that holds so many bytes as hexadecimal digits."""
        text = self[field]
        # Not `bytes.fromhex` at once: its error would say what stands there.
        if len(text) != 2 * length or not _HEXADECIMAL.issuperset(text):
            raise self.wrong(
                f"“{field}” of section [{self.name}] must be {2 * length} hexadecimal"
                " digits."
            )
        return bytes.fromhex(text)

    def private_file(self, field: str) -> bytes:
        """Return what is in the file that a field names, beside this one or absolute.

        Errors: ``PreconditionFailed`` when others may read it too, or it is missing.
        """
        remedy = f"Set “{field}” in {self.place} to where it is."
        return _private(self._place, self.place.parent / self[field], remedy)


def _private(place: Place, path: Path, remedy: str) -> bytes:
    """Return what is in a file that only its owner may read."""
    try:
        with path.open("rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read()
    except OSError as error:
        raise PreconditionFailed(
            f"{place.code}-missing",
            f"{path} with the secrets of {place.whose} cannot be read"
            f" ({error.strerror}). {remedy}",
        ) from error
    # systemd guards the folder as a whole, and its access list for our user shows up
    # in the bits of the group.
    if mode & _OTHERS and not place.guarded:
        raise PreconditionFailed(
            f"{place.code}-open",
            f"Others than its owner may read {path}. Say chmod 600 {path}, and have"
            f" {place.whose} change what is in it if others were on this machine.",
        )
    return content


def _parsed(place: Place, content: bytes) -> Mapping[str, Any]:
    trouble = "it is not UTF-8 text"
    try:
        return tomllib.loads(content.decode("utf-8"))
    except tomllib.TOMLDecodeError as error:
        trouble = str(error)
    except UnicodeDecodeError:
        pass
    # Outside of the handler: the errors hold the text, which is full of secrets.
    raise ConfigError(f"{place.code}-syntax", f"{place.path}: {trouble}")

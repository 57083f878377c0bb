"""What a machine that joined a cluster keeps: settings, keys, and how to ask again.

``joined.toml`` beside the configuration holds settings, and no secret; what the
configuration itself says counts before it. Secrets lie in the folder of keys, each in
a file of mode 0600. All of it is written by `matinee node join`, and anew as a whole.
"""

import json
import os
import re
import secrets
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from appliance import keyring
from appliance import settings as configuration
from appliance.errors import PreconditionFailed
from appliance.secret_file import SecretFile
from appliance.settings import Settings

_NODE = "node.toml"
_SECTION = "node"
_HEADER = (
    "# What the control node told this machine: written by `matinee node join`, and\n"
    "# anew by `matinee node refresh`. Settings of its own stand in matinee.toml.\n"
)
# What the control node may give; it is not let write anywhere else.
_FILES = re.compile(
    r"worker\.key|queue\.toml|queue-ca\.pem|s3\.toml|backup\.toml|origin-ca\.pem"
    r"|(next-)?media-[1-9][0-9]{0,5}\.key|edge-secret-1\.key",
    re.ASCII,
)
_SETTINGS = frozenset(
    {
        *("queue.url", "queue.node", "queue.exchange", "queue.lease_seconds"),
        *("queue.stall_seconds", "nginx.roles", "edge.origin", "origin.token"),
        *("origin.cors_origins", "portal.public_url"),
        *("backup.place", "backup.copies", "objects.bucket", "objects.endpoint"),
        *("objects.region", "objects.prefix", "objects.path_style"),
    }
)
# Keys of media tokens come and go; those that are no longer given count no more.
_REPLACED = re.compile(r"(next-)?media-[0-9]+\.key", re.ASCII)


@dataclass(frozen=True, slots=True)
class Membership:
    """Of which cluster this machine is part, and as what."""

    kind: str
    name: str
    url: str
    fingerprint: str
    credential: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """What the control node gives; ``files`` are those of the folder of keys."""

    settings: Mapping[str, Any]
    files: Mapping[str, str] = field(repr=False)


def understood(answer: Mapping[str, Any]) -> Told:
    """Return what an answer of the control node gives, if all of it is allowed.

    Errors: ``PreconditionFailed`` node.answer.
    """
    values = answer.get("settings")
    listed = answer.get("files")
    if not isinstance(values, dict) or not isinstance(listed, list):
        raise _strange("it is not what was asked for")
    files = {str(each.get("name")): str(each.get("content")) for each in listed}
    wrong = [name for name in files if not _FILES.fullmatch(name)]
    wrong += [key for key in values if key not in _SETTINGS]
    wrong += [key for key, value in values.items() if type(value) not in _PLAIN]
    if wrong:
        raise _strange(f"it holds “{wrong[0][:60]}”")
    return Told(values, files)


_PLAIN = (str, int, bool)


def write(settings: Settings, told: Told, member: Membership | None = None) -> bool:
    """Write what the control node gives; say whether anything is new.

    ``member`` is given when this machine has just joined. Errors: ``OSError``.
    """
    files = dict(told.files)
    if member is not None:
        files[_NODE] = _as_toml({_SECTION: _fields(member)})
    changed = _keys(settings, files)
    # Last: with it, what is named in it is there.
    changed.append(_put(place(settings), _text(told), settings.home, folder=0o755))
    return any(changed)


def refresh(settings: Settings, told: Told) -> tuple[bool, bool]:
    """Write what has changed; say whether anything did, and whether some is left.

    The folder of settings is root's: the service writes keys only. Errors: ``OSError``.
    """
    here = place(settings)
    if os.access(here.parent, os.W_OK):
        return write(settings, told), False
    left = not here.is_file() or here.read_text("utf-8") != _text(told)
    return any(_keys(settings, told.files)), left


def _keys(settings: Settings, files: Mapping[str, str]) -> list[bool]:
    """Write the files of the folder of keys; drop keys of media tokens not given."""
    changed = [
        _put(settings.keys / name, content, settings.home, folder=0o700)
        for name, content in files.items()
    ]
    stale = _stale(settings.keys.glob("*.key"), files)
    return changed + [_dropped(path) for path in stale]


def _text(told: Told) -> str:
    return _HEADER + _as_toml(_by_section(told.settings))


def place(settings: Settings) -> Path:
    """Return where the settings lie that the control node told."""
    return configuration.joined_beside(settings.source, settings.home)


def own(settings: Settings) -> Membership:
    """Return of which cluster this machine is part.

    Errors: ``PreconditionFailed`` node.alone when it joined none.
    """
    file = SecretFile(_NODE, settings.keys, "", "node.credential", "this machine")
    if not file.exists():
        raise PreconditionFailed(
            "node.alone",
            "This machine has not joined a cluster: see matinee node join --help.",
        )
    found = file.section(_SECTION)
    return Membership(
        kind=found["kind"],
        name=found["name"],
        url=found["url"],
        fingerprint=found.get("fingerprint"),
        credential=found["credential"],
    )


def _fields(member: Membership) -> dict[str, str]:
    return {
        "kind": member.kind,
        "name": member.name,
        "url": member.url,
        "fingerprint": member.fingerprint,
        "credential": member.credential,
    }


def _by_section(values: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for key, value in values.items():
        section, _, name = key.partition(".")
        found.setdefault(section, {})[name] = value
    return found


def _as_toml(sections: Mapping[str, Mapping[str, Any]]) -> str:
    """Write sections of texts, numbers and truths: JSON's forms are TOML's too."""
    lines: list[str] = []
    for section, fields in sections.items():
        lines += [f"[{section}]"]
        lines += [f"{name} = {json.dumps(value)}" for name, value in fields.items()]
        lines += [""]
    text = "\n".join(lines)
    assert tomllib.loads(text) == {name: dict(each) for name, each in sections.items()}
    return text


def _stale(there: Iterable[Path], given: Mapping[str, str]) -> list[Path]:
    """Return the keys of media tokens that the control node has no more."""
    if not any(_REPLACED.fullmatch(name) for name in given):
        return []
    return [p for p in there if _REPLACED.fullmatch(p.name) and p.name not in given]


def _dropped(path: Path) -> bool:
    path.unlink(missing_ok=True)
    return True


def _put(path: Path, content: str, home: Path, *, folder: int) -> bool:
    """Write a file of mode 0600 whole, for the service's user; False if it was so."""
    if path.is_file() and path.read_text("utf-8") == content:
        return False
    path.parent.mkdir(mode=folder, parents=True, exist_ok=True)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            _give_to_service(handle, home)
            file.write(content)
            file.flush()
            os.fsync(handle)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
    keyring.sync_folder(path.parent)
    return True


def _give_to_service(handle: int, home: Path) -> None:
    """Let the service read what root writes; the home is the service's."""
    if os.geteuid() == 0 and home.is_dir():
        owner = home.stat()
        os.fchown(handle, owner.st_uid, owner.st_gid)


def _strange(why: str) -> PreconditionFailed:
    return PreconditionFailed(
        "node.answer",
        f"What the control node answered can't be used: {why}. Is it of the same"
        " release as this machine?",
    )

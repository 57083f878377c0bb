"""The keys of media tokens, kept in memory until the folder of keys changes."""

from dataclasses import dataclass, field
from pathlib import Path

from flask import current_app

from appliance.delivery import tokens
from appliance.delivery.tokens import Keys
from web import context

_KEPT = "matinee.media-keys"


@dataclass(frozen=True, slots=True)
class _Kept:
    """The keys as they were when the folder had changed last."""

    folder: Path
    changed: int
    keys: Keys = field(repr=False)


def media_keys() -> Keys:
    """Return the current keys; one look at the folder tells whether they changed.

    Segments come by the thousand: reading two files for each would cost more than
    checking their token.
    """
    here = current_app.extensions
    kept: _Kept | None = here.get(_KEPT)
    if kept is None or kept.changed != _changed(kept.folder):
        folder = context.settings().keys
        keys = tokens.load(folder)
        kept = here[_KEPT] = _Kept(folder, _changed(folder), keys)
    return kept.keys


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError:
        return 0

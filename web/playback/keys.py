"""The keys of media tokens, kept in memory until the folder of keys changes."""

from dataclasses import dataclass, field
from pathlib import Path

from flask import Flask, current_app

from appliance.delivery import tokens
from appliance.delivery.tokens import Keys
from appliance.settings import Settings
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
    return kept_keys(current_app, context.settings())


def kept_keys(app: Flask, settings: Settings) -> Keys:
    """Return the current keys of an application, whoever asks."""
    kept: _Kept | None = app.extensions.get(_KEPT)
    if kept is None or kept.changed != _changed(kept.folder):
        keys = tokens.load(settings.keys)
        kept = _Kept(settings.keys, _changed(settings.keys), keys)
        app.extensions[_KEPT] = kept
    return kept.keys


def _changed(folder: Path) -> int:
    try:
        return folder.stat().st_mtime_ns
    except FileNotFoundError:
        return 0

"""The keys of media tokens, kept in memory until the folder of keys changes."""

from typing import cast

from flask import current_app

from appliance.delivery import tokens
from appliance.delivery.tokens import Keys
from web import context

_KEPT = "matinee.media-keys"


def media_keys() -> Keys:
    """Return the current keys; one look at the folder tells whether they changed.

    Segments come by the thousand: reading two files for each would cost more than
    checking their token.
    """
    folder = context.settings().keys
    changed = folder.stat().st_mtime_ns if folder.is_dir() else 0
    kept = current_app.extensions.get(_KEPT)
    if kept is None or kept[0] != changed:
        keys = tokens.load(folder)
        kept = (folder.stat().st_mtime_ns, keys)
        current_app.extensions[_KEPT] = kept
    return cast(Keys, kept[1])

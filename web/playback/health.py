"""What whoever watches over the server asks: alive, able to work, whom do you see?"""

import contextlib
import os
import secrets
from pathlib import Path

from flask import Response, jsonify, request

from appliance import migrations
from appliance.errors import PreconditionFailed
from web import context, guard


@guard.public("a load balancer asks without signing in; it learns nothing else")
def live() -> Response:
    """Answer without reading anything: the process takes requests."""
    return _fresh(jsonify(status="live"))


@guard.public("a load balancer asks without signing in; it learns nothing else")
def ready() -> Response:
    """Answer when the database is current and readable and the storage takes files.

    Errors: ``PreconditionFailed`` (503) with the remedy.
    """
    settings = context.settings()
    migrations.require_current(settings.database)
    context.db().value("select count(*) from sqlite_schema")
    _try_writing(settings.media)
    return _fresh(jsonify(status="ready"))


@guard.public("whoever asks learns what we believe of them, and of nobody else")
def seen() -> Response:
    """Say who asks, and by what way, for all that we know.

    The doctor asks with headers that claim something else: nobody must believe them.
    """
    return _fresh(
        jsonify(address=request.remote_addr, scheme=request.scheme, host=request.host)
    )


def _try_writing(folder: Path) -> None:
    trial = folder / f".ready-{secrets.token_hex(4)}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with trial.open("wb") as file:
            file.write(b"ready")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise PreconditionFailed(
            "storage.read-only",
            f"The storage takes no files: {error.strerror or error}.",
        ) from error
    finally:
        with contextlib.suppress(OSError):
            trial.unlink()


def _fresh(response: Response) -> Response:
    response.headers["Cache-Control"] = "no-store"
    return response

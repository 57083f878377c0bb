"""Resumable upload, tus 1.0: the protocol is resumable-upload's, the rules are ours.

Only the account that began an upload may touch it; for everybody else there is none.
Errors are sentences (problem+json), because the page shows them.
"""

from collections.abc import Mapping

from flask import Response, current_app, jsonify, render_template, request
from resumable_upload.server.headers import parse_metadata

from appliance.catalog import titles
from appliance.errors import InvalidInput, NotFound
from appliance.media import reports, uploads
from appliance.media.uploads import Upload
from appliance.permissions import Action, check_title
from web import context, guard
from web.studio import arrivals
from web.studio.parts import BASE, Parts, full_disk_explained

_VERSION = "1.0.0"


class TooLarge(InvalidInput):
    """The film is larger than this installation takes."""

    status = 413


class WrongVersion(InvalidInput):
    """The client speaks another version of the protocol."""

    status = 412


def parts() -> Parts:
    """Return the partial films; their index is opened when first asked for."""
    known = current_app.extensions.get("matinee.parts")
    if known is None:
        known = Parts(context.settings(), context.storage())
        current_app.extensions["matinee.parts"] = known
    assert isinstance(known, Parts)
    return known


def allow_chunks(endpoint: str | None, _values: object) -> None:
    """Let a request be as large as a chunk, before the guard looks at its body."""
    if endpoint == "studio.upload":
        request.max_content_length = parts().max_chunk


def require_takeable(filename: str, size: int) -> None:
    """Refuse what is too large or finds no room, before a byte of it is sent."""
    most = context.settings().uploads.max_gigabytes
    if size > most * 1000**3:
        raise TooLarge(
            "upload.too-large",
            f"“{filename}” is larger than the {most} GB that are taken here.",
        )
    context.storage().require_room(size)
    context.storage().require_takes(context.settings().disk, size)


@guard.needs(Action.TITLE_CREATE)
def options(upload: str = "") -> Response:  # noqa: ARG001 every upload can the same
    return _speak("OPTIONS", BASE)


@guard.needs(Action.TITLE_CREATE)
def create() -> Response:
    """Begin an upload: tus ``creation``, without data in the same request."""
    _require_version()
    metadata, wrong = parse_metadata(request.headers.get("Upload-Metadata", ""))
    if metadata is None:
        raise InvalidInput("upload.metadata", f"{wrong}.")
    filename, size = metadata.get("filename", ""), _length()
    require_takeable(filename, size)
    db, actor = context.db(), context.actor()
    title_id = _title(metadata)
    with full_disk_explained():
        arrivals.tidy(db, context.settings(), parts())
        begun = uploads.start(
            db, context.settings(), actor, filename, size, title_id=title_id
        )
        parts().begin(begun.public_id, size, metadata)
    return _plain(201, {"Location": f"{BASE}/{begun.public_id}", "Upload-Offset": "0"})


@guard.needs(Action.TITLE_CREATE)
def head(upload: str) -> Response:
    """Say how much has arrived, so that the page goes on from there."""
    _require_version()
    row = _own(upload)
    if row.state == "finished":
        return _offset(row)
    return _speak("HEAD", f"{BASE}/{upload}")


@guard.needs(Action.TITLE_CREATE)
def patch(upload: str) -> Response:
    """Take the next chunk; after the last one the film becomes an asset."""
    row, body = _own(upload), request.get_data(cache=False)
    with full_disk_explained():
        context.storage().require_room(len(body))
        context.storage().require_takes(context.settings().disk)
        answer = _speak("PATCH", f"{BASE}/{upload}", body)
        if answer.status_code == 204:
            uploads.touch(context.db(), upload)
        if answer.headers.get("Upload-Offset") == str(row.bytes):
            _settle(upload)
    return answer


@guard.needs(Action.TITLE_CREATE)
def delete(upload: str) -> Response:
    """Give an upload up and remove what has arrived of it."""
    _own(upload)
    answer = _speak("DELETE", f"{BASE}/{upload}")
    if answer.status_code == 204:
        uploads.failed(context.db(), upload, "Cancelled.")
    return answer


@guard.needs(Action.TITLE_CREATE)
def outcome(upload: str) -> Response:
    """Say what became of an upload whose last byte was sent; settle it if need be."""
    _own(upload)
    with full_disk_explained():
        row = _settle(upload)
    if row.state != "finished" or row.title_id is None:
        raise NotFound(
            "upload.unfinished", row.message or "Not all of this film has arrived yet."
        )
    db = context.db()
    report = reports.latest_of_title(db, row.title_id)
    title = titles.by_id(db, row.title_id)
    page = render_template("studio/outcome.html", report=report, title=title)
    return jsonify(title=title.slug, job=report and report.job, html=page)


def _settle(upload: str) -> Upload:
    return arrivals.settle(
        context.db(),
        context.settings(),
        context.storage(),
        parts(),
        context.actor(),
        upload,
    )


def _own(upload: str) -> Upload:
    """Return an upload of the actor that has not failed, else ``NotFound``."""
    row = uploads.by_public_id(context.db(), upload)
    if row.account_id != context.actor().account_id or row.state == "failed":
        raise NotFound(
            "upload.missing", "This upload is unknown or was removed: start it again."
        )
    return row


def _title(metadata: Mapping[str, str]) -> int | None:
    """Return the title an upload is for, which the actor must be able to edit."""
    slug = metadata.get("title")
    if not slug:
        return None
    title = titles.by_slug(context.db(), context.actor(), slug)
    check_title(context.actor(), title.created_by)
    return title.id


def _length() -> int:
    text = request.headers.get("Upload-Length", "")
    if not (text.isascii() and text.isdecimal() and len(text) < 19):
        raise InvalidInput(
            "upload.length", "An upload says in Upload-Length how many bytes will come."
        )
    return int(text)


def _require_version() -> None:
    if request.headers.get("Tus-Resumable") != _VERSION:
        raise WrongVersion("upload.version", "This server speaks tus 1.0.0.")


def _speak(method: str, path: str, body: bytes = b"") -> Response:
    """Let the library answer; its refusals become sentences."""
    status, headers, answer = parts().server.handle_request(
        method, path, dict(request.headers), body
    )
    if status < 400:
        return _plain(status, headers)
    text = answer.decode() if isinstance(answer, bytes) else ""
    sentence = _SENTENCES.get(status, f"{text}.")
    problem = jsonify(
        type=f"urn:matinee:error:upload.{status}",
        title="The upload can’t go on like this",
        status=status,
        detail=sentence,
        code=f"upload.{status}",
    )
    problem.status_code = status
    problem.mimetype = "application/problem+json"
    problem.headers.extend(headers)
    return problem


_SENTENCES: Mapping[int, str] = {
    404: "The server has no part of this upload any more: start it again.",
    409: "The server has another count of what has arrived: ask it and go on there.",
    423: "Another window is sending this film just now: try again in a moment.",
    460: "A piece arrived damaged and was thrown away: send it again.",
}


def _offset(row: Upload) -> Response:
    size = str(row.bytes)
    return _plain(200, {"Upload-Offset": size, "Upload-Length": size})


def _plain(status: int, headers: Mapping[str, str]) -> Response:
    response = Response(status=status)
    response.headers.extend(headers)
    response.headers["Tus-Resumable"] = _VERSION
    response.headers["Cache-Control"] = "no-store"
    return response

"""The Studio: where films are uploaded, described, watched over and published."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint

from web.studio import (
    access,
    accounts,
    artwork,
    audit,
    figures,
    jobs,
    playing,
    protection,
    titles,
    tus,
    uploading,
)

blueprint = Blueprint("studio", __name__, url_prefix="/studio")
blueprint.url_value_preprocessor(tus.allow_chunks)
blueprint.url_value_preprocessor(artwork.allow_pictures)
for _name in ("size", "left", "moment", "count"):
    blueprint.add_app_template_filter(getattr(figures, _name), _name)

_MOVES = "publish,unpublish,archive,restore"

_Table = tuple[tuple[str, str, Callable[..., Any]], ...]

_PAGES: _Table = (
    ("/", "titles", titles.index),
    ("/titles/<slug>", "title", titles.show),
    (f"/titles/<slug>/<any({_MOVES}):act>", "confirm", titles.confirm),
    ("/titles/<slug>/remove", "confirm_removal", titles.confirm_removal),
    ("/titles/<slug>/reencrypt", "confirm_reencrypting", protection.confirm),
    ("/protection", "protection", protection.page),
    ("/upload", "uploading", uploading.page),
    ("/jobs", "jobs", jobs.index),
    ("/jobs/<job>", "job", jobs.show),
    ("/jobs/<job>.json", "job_json", jobs.as_json),
    ("/jobs/<job>/cancel", "confirm_cancelling", jobs.confirm_cancelling),
    ("/playing", "playing", playing.index),
    ("/playing/<session>/stop", "confirm_terminating", playing.confirm_terminating),
    ("/accounts", "accounts", accounts.index),
    ("/accounts/new", "new_account", accounts.new),
    ("/accounts/<username>", "account", accounts.show),
    ("/accounts/<username>/disable", "confirm_disabling", accounts.confirm_disabling),
    ("/access", "access", access.index),
    ("/audit", "audit", audit.index),
)

_ACTS: _Table = (
    ("/titles/<slug>", "save_title", titles.save),
    (f"/titles/<slug>/<any({_MOVES}):act>", "move", titles.move),
    ("/titles/<slug>/remove", "remove", titles.remove),
    ("/titles/<slug>/artwork", "add_artwork", artwork.add),
    ("/titles/<slug>/artwork/<candidate>", "choose_artwork", artwork.choose),
    ("/titles/<slug>/protection", "save_protection", protection.save),
    ("/titles/<slug>/reencrypt", "reencrypt", protection.start),
    ("/upload", "draft", uploading.draft),
    ("/uploads/<upload>/outcome", "outcome", tus.outcome),
    ("/uploads/<upload>/publish", "wish", uploading.wish),
    ("/jobs/<job>/retry", "retry", jobs.retry),
    ("/jobs/<job>/cancel", "cancel", jobs.cancel),
    ("/playing/<session>/stop", "terminate", playing.terminate),
    ("/accounts/new", "create_account", accounts.create),
    ("/accounts/<username>/roles", "set_roles", accounts.set_roles),
    ("/accounts/<username>/disable", "disable", accounts.disable),
    ("/accounts/<username>/enable", "enable", accounts.enable),
    ("/accounts/<username>/password", "reset_password", accounts.reset_password),
    ("/accounts/<username>/sessions/<session>", "revoke", accounts.revoke),
    ("/accounts/<username>/sessions", "revoke_all", accounts.revoke_all),
)

# tus speaks HEAD and OPTIONS itself, so Flask must not answer them.
_TUS: tuple[tuple[str, str, str, Callable[..., Any]], ...] = (
    ("/uploads", "tus", "POST", tus.create),
    ("/uploads", "tus_options", "OPTIONS", tus.options),
    ("/uploads/<upload>", "upload_options", "OPTIONS", tus.options),
    ("/uploads/<upload>", "upload_head", "HEAD", tus.head),
    ("/uploads/<upload>", "upload", "PATCH", tus.patch),
    ("/uploads/<upload>", "cancel_upload", "DELETE", tus.delete),
)

for _rule, _endpoint, _view in _PAGES:
    blueprint.add_url_rule(_rule, _endpoint, _view)
for _rule, _endpoint, _view in _ACTS:
    blueprint.add_url_rule(_rule, _endpoint, _view, methods=["POST"])
for _rule, _endpoint, _method, _view in _TUS:
    blueprint.add_url_rule(
        _rule,
        _endpoint,
        _view,
        methods=[_method],
        provide_automatic_options=False,
    )

"""The Studio: where films are uploaded, described, watched over and published."""

from collections.abc import Callable
from typing import Any

from flask import Blueprint

from web.studio import (
    access,
    accounts,
    announcements,
    arranging,
    artwork,
    audit,
    backups,
    brand,
    caption_editor,
    captions,
    catalogue,
    figures,
    film,
    groups,
    handling,
    imports,
    jobs,
    libraries,
    mail,
    markers,
    nodes,
    places,
    playing,
    protection,
    quality,
    status,
    stored,
    titles,
    tokens,
    tus,
    uploading,
    webhooks,
)

blueprint = Blueprint("studio", __name__, url_prefix="/studio")
blueprint.url_value_preprocessor(tus.allow_chunks)
blueprint.context_processor(places.install)
blueprint.url_value_preprocessor(artwork.allow_pictures)
blueprint.url_value_preprocessor(captions.allow_files)
blueprint.url_value_preprocessor(imports.allow_tables)
for _name in ("size", "left", "moment", "count"):
    blueprint.add_app_template_filter(getattr(figures, _name), _name)

_MOVES = "publish,unpublish,archive,restore"

_CAPTIONS = "/titles/<slug>/captions"
_ONE = f"{_CAPTIONS}/<captions>"

_Table = tuple[tuple[str, str, Callable[..., Any]], ...]

_PAGES: _Table = (
    *arranging.PAGES,
    *catalogue.PAGES,
    *handling.PAGES,
    ("/titles/<slug>", "title", titles.show),
    (f"/titles/<slug>/<any({_MOVES}):act>", "confirm", titles.confirm),
    ("/titles/<slug>/remove", "confirm_removal", titles.confirm_removal),
    ("/titles/<slug>/reencrypt", "confirm_reencrypting", protection.confirm),
    ("/titles/<slug>/markers", "markers", markers.page),
    ("/titles/<slug>/supplement", "confirm_supplement", film.confirm_supplement),
    (
        "/titles/<slug>/versions/<int:number>",
        "confirm_restoring",
        film.confirm_restoring,
    ),
    (_CAPTIONS, "captions", captions.page),
    (_ONE, "edit_captions", caption_editor.page),
    (f"{_ONE}.json", "captions_json", caption_editor.cues),
    (f"{_ONE}.<any(vtt,srt):format>", "export_captions", captions.export),
    (f"{_ONE}/remove", "confirm_removing_captions", captions.confirm_removal),
    ("/titles/<slug>/quality", "quality", quality.page),
    ("/titles/<slug>/quality.pdf", "quality_pdf", quality.pdf),
    ("/quality", "quality_reports", quality.index),
    ("/protection", "protection", protection.page),
    ("/upload", "uploading", uploading.page),
    ("/jobs", "jobs", jobs.index),
    ("/jobs/<job>", "job", jobs.show),
    ("/jobs/<job>.json", "job_json", jobs.as_json),
    ("/jobs/<job>/cancel", "confirm_cancelling", jobs.confirm_cancelling),
    ("/libraries", "libraries", libraries.index),
    ("/libraries/<library>", "library", libraries.show),
    (
        "/libraries/<library>/remove",
        "confirm_removing_library",
        libraries.confirm_removal,
    ),
    ("/nodes", "nodes", nodes.index),
    ("/playing", "playing", playing.index),
    ("/playing/<session>/stop", "confirm_terminating", playing.confirm_terminating),
    ("/accounts", "accounts", accounts.index),
    ("/accounts/new", "new_account", accounts.new),
    ("/accounts/<username>", "account", accounts.show),
    ("/accounts/<username>/disable", "confirm_disabling", accounts.confirm_disabling),
    ("/groups", "groups", groups.index),
    ("/groups/<group>", "group", groups.show),
    ("/groups/<group>/remove", "confirm_removing_group", groups.confirm_removal),
    ("/access", "access", access.index),
    ("/audit", "audit", audit.index),
    ("/audit.csv", "audit_table", audit.table),
    ("/announcements", "announcements", announcements.index),
    ("/brand", "brand", brand.page),
    ("/webhooks", "webhooks", webhooks.index),
    ("/webhooks/<webhook>", "webhook", webhooks.show),
    ("/mail", "mail", mail.index),
    ("/tokens", "tokens", tokens.index),
    ("/storage", "stored", stored.index),
    ("/status", "status", status.page),
    ("/backups", "backups", backups.index),
)

_ACTS: _Table = (
    *arranging.ACTS,
    *catalogue.ACTS,
    *handling.ACTS,
    ("/backups", "make_backup", backups.make),
    ("/backups/<backup>/verify", "verify_backup", backups.verify),
    ("/titles/<slug>", "save_title", titles.save),
    (f"/titles/<slug>/<any({_MOVES}):act>", "move", titles.move),
    ("/titles/<slug>/remove", "remove", titles.remove),
    ("/titles/<slug>/protection", "save_protection", protection.save),
    ("/titles/<slug>/reencrypt", "reencrypt", protection.start),
    ("/titles/<slug>/markers", "add_marker", markers.add),
    ("/titles/<slug>/markers/detect", "detect_markers", markers.detect),
    ("/titles/<slug>/markers/<marker>", "change_marker", markers.change),
    (_CAPTIONS, "add_captions", captions.add),
    (f"{_CAPTIONS}/make", "make_captions", captions.make),
    (_ONE, "save_captions", caption_editor.save),
    (f"{_ONE}/check", "check_captions", caption_editor.check),
    (f"{_ONE}/shift", "shift_captions", caption_editor.shift),
    (f"{_ONE}/describe", "describe_captions", caption_editor.describe),
    (f"{_ONE}/replace", "replace_captions", caption_editor.replace),
    (f"{_ONE}/review", "review_captions", caption_editor.review),
    (f"{_ONE}/remove", "remove_captions", captions.remove),
    ("/titles/<slug>/quality", "review_quality", quality.review),
    ("/titles/<slug>/quality/check", "check_quality", quality.check),
    ("/announcements", "add_announcement", announcements.add),
    (
        "/announcements/<announcement>/remove",
        "remove_announcement",
        announcements.remove,
    ),
    ("/maintenance", "close_portal", announcements.close),
    ("/maintenance/end", "open_portal", announcements.open_again),
    ("/brand", "save_brand", brand.save),
    ("/brand/logo", "save_logo", brand.save_logo),
    ("/webhooks", "add_webhook", webhooks.add),
    ("/webhooks/<webhook>", "save_webhook", webhooks.save),
    ("/webhooks/<webhook>/remove", "remove_webhook", webhooks.remove),
    ("/webhooks/<webhook>/test", "test_webhook", webhooks.test),
    ("/webhooks/<webhook>/<delivery>", "replay_delivery", webhooks.replay),
    ("/mail", "save_mail", mail.save),
    ("/tokens/<token>/revoke", "revoke_token", tokens.revoke),
    ("/mail/test", "test_mail", mail.test),
    ("/upload", "draft", uploading.draft),
    ("/uploads/<upload>/outcome", "outcome", tus.outcome),
    ("/uploads/<upload>/publish", "wish", uploading.wish),
    ("/jobs/<job>/retry", "retry", jobs.retry),
    ("/jobs/<job>/cancel", "cancel", jobs.cancel),
    ("/jobs/<job>/pause", "pause", jobs.pause),
    ("/jobs/<job>/resume", "resume", jobs.resume),
    ("/jobs/<job>/priority", "prioritise", jobs.prioritise),
    ("/titles/<slug>/supplement", "supplement", film.start_supplement),
    ("/titles/<slug>/versions/<int:number>", "restore_version", film.restore),
    ("/libraries", "add_library", libraries.add),
    ("/libraries/<library>", "save_library", libraries.save),
    ("/libraries/<library>/remove", "remove_library", libraries.remove),
    ("/nodes/<name>/drain", "drain_node", nodes.drain),
    ("/nodes/<name>/resume", "resume_node", nodes.resume),
    ("/nodes/<name>/limit", "limit_node", nodes.limit),
    ("/nodes/<name>/remove", "remove_node", nodes.remove),
    ("/playing/<session>/stop", "terminate", playing.terminate),
    ("/accounts/new", "create_account", accounts.create),
    ("/accounts/<username>/roles", "set_roles", accounts.set_roles),
    ("/accounts/<username>/disable", "disable", accounts.disable),
    ("/accounts/<username>/enable", "enable", accounts.enable),
    ("/accounts/<username>/password", "reset_password", accounts.reset_password),
    ("/accounts/<username>/pins", "clear_pins", accounts.clear_pins),
    ("/groups", "add_group", groups.add),
    ("/groups/<group>/members", "join_group", groups.join),
    ("/groups/<group>/members/<username>/remove", "leave_group", groups.leave),
    ("/groups/<group>/remove", "remove_group", groups.remove),
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

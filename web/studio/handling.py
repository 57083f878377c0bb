"""What is done with many titles, and the places that titles go through: its URLs."""

from collections.abc import Callable
from typing import Any

from web.studio import (
    bulk,
    fetching,
    fields,
    history,
    imports,
    timeline,
    title_list,
    trash,
    uploading,
)

_Table = tuple[tuple[str, str, Callable[..., Any]], ...]
_WINDOWS = "/titles/<slug>/windows"

PAGES: _Table = (
    ("/", "titles", title_list.index),
    ("/bulk", "bulk", bulk.index),
    ("/fetches.json", "fetches_json", fetching.as_json),
    ("/titles/<slug>/history", "title_history", history.page),
    (_WINDOWS, "windows", timeline.windows),
    ("/availability", "timeline", timeline.index),
    ("/trash", "trash", trash.index),
    ("/trash/<slug>/remove", "confirm_purge", trash.confirm_purge),
    ("/fields", "fields", fields.index),
    ("/fields/<key>/remove", "confirm_removing_field", fields.confirm_removal),
    ("/import", "imports", imports.page),
    ("/import/template.csv", "template_table", imports.template),
    ("/import/titles.csv", "export_titles", imports.export),
    ("/import/<table>", "import_table", imports.show),
    ("/import/<table>/result.csv", "import_result", imports.result),
)

ACTS: _Table = (
    ("/upload/guess", "guess", uploading.guess),
    ("/fetches", "fetch", fetching.add),
    ("/fetches/<fetch>/cancel", "cancel_fetch", fetching.cancel),
    ("/bulk/preview", "preview_bulk", bulk.preview),
    ("/bulk", "apply_bulk", bulk.apply),
    ("/bulk/<change>/undo", "undo_bulk", bulk.undo),
    ("/titles/<slug>/review", "review_title", history.review),
    (_WINDOWS, "add_window", timeline.add),
    (f"{_WINDOWS}/<window>", "change_window", timeline.change),
    ("/trash/<slug>/restore", "restore_trash", trash.restore),
    ("/trash/<slug>/remove", "purge", trash.purge),
    ("/fields", "add_field", fields.add),
    ("/fields/<key>", "change_field", fields.change),
    ("/fields/<key>/remove", "remove_field", fields.remove),
    ("/import", "bring_table", imports.bring),
    ("/import/<table>", "carry_out_import", imports.carry_out),
)

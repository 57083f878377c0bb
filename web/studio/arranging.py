"""What is arranged for the portal: pages and acts of rows and collections."""

from web.studio import collections, row_preview, rows

_ROW, _COLLECTION = "/rows/<row>", "/collections/<collection>"

PAGES = (
    ("/rows", "rows", rows.index),
    ("/rows/preview", "row_preview", row_preview.frame),
    ("/rows/preview/page", "row_preview_page", row_preview.page),
    (_ROW, "row", rows.show),
    (f"{_ROW}/remove", "confirm_removing_row", rows.confirm_removal),
    ("/collections", "collections", collections.index),
    (_COLLECTION, "collection", collections.show),
    (
        f"{_COLLECTION}/remove",
        "confirm_removing_collection",
        collections.confirm_removal,
    ),
)

ACTS = (
    ("/rows", "add_row", rows.add),
    (_ROW, "save_row", rows.save),
    (f"{_ROW}/move", "move_row", rows.move),
    (f"{_ROW}/remove", "remove_row", rows.remove),
    ("/collections", "add_collection", collections.add),
    (_COLLECTION, "save_collection", collections.save),
    (f"{_COLLECTION}/remove", "remove_collection", collections.remove),
)

"""What the API takes and gives of many titles, their stages, and tables of them."""

import marshmallow as ma
from marshmallow import fields, validate

from appliance.catalog import sieve
from appliance.catalog.bulk_words import MOVES
from appliance.catalog.custom_fields import Kind
from appliance.catalog.kinds import Kind as TitleKind
from appliance.catalog.reviewing import Decision
from appliance.catalog.tables.planning import Does
from web.api.schemas import Strict

_WORDS = validate.Length(max=200)
_NAMES = fields.String(validate=validate.Length(max=40))


class Sieve(Strict):
    words = fields.String(validate=_WORDS)
    stage = fields.String(validate=validate.OneOf(sieve.STAGES))
    kind = fields.String(validate=validate.OneOf(sieve.KINDS))
    genre = fields.String(validate=_WORDS)
    tag = fields.String(validate=_WORDS)
    library = fields.String(validate=_WORDS)
    creator = fields.String(validate=_WORDS)
    language = fields.String(validate=_WORDS)
    lacks = fields.String(validate=validate.OneOf(tuple(sieve.LACKS)))
    shows = fields.String(
        validate=validate.OneOf(tuple(sieve.SHOWS)),
        metadata={"description": "What leaves within 30 days, has a twin, or is top"},
    )


class ListQuery(Sieve):
    class Meta(Sieve.Meta):
        unknown = ma.EXCLUDE

    order = fields.String(
        load_default="newest", validate=validate.OneOf(tuple(sieve.ORDERS))
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 1_000_000))


class Listed(ma.Schema):
    slug = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.Enum(TitleKind, by_value=True, required=True)
    stage = fields.String(required=True)
    review = fields.String(required=True)
    external_id = fields.String(required=True, allow_none=True)
    parent = fields.String(required=True, allow_none=True)
    leaves = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "When its last window ends"},
    )
    twins = fields.Integer(
        required=True,
        metadata={"description": "How many other titles hold the same film"},
    )
    custom = fields.Dict(required=True)
    revision = fields.Integer(required=True)
    updated_at = fields.String(required=True)


class List(ma.Schema):
    titles = fields.List(fields.Nested(Listed), required=True)
    total = fields.Integer(required=True)
    limit = fields.Integer(required=True)
    offset = fields.Integer(required=True)


class RemoveQuery(ma.Schema):
    now = fields.Boolean(
        load_default=False,
        metadata={"description": "Remove it for good, past the trash"},
    )


class Discarded(ma.Schema):
    slug = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    removed_at = fields.String(required=True)
    until = fields.String(required=True)
    parts = fields.Integer(required=True)
    bytes = fields.Integer(required=True)


class TrashQuery(ma.Schema):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 1_000_000))


class Trash(ma.Schema):
    titles = fields.List(fields.Nested(Discarded), required=True)
    total = fields.Integer(required=True)
    bytes = fields.Integer(
        required=True, metadata={"description": "What emptying it would free"}
    )


class Restored(ma.Schema):
    slug = fields.String(required=True)
    state = fields.String(required=True)


class TitleReviewRequest(Strict):
    decision = fields.Enum(Decision, by_value=True, required=True)
    note = fields.String(load_default="", validate=validate.Length(max=2000))


class ReviewStep(ma.Schema):
    decision = fields.Enum(Decision, by_value=True, required=True)
    note = fields.String(required=True)
    revision = fields.Integer(required=True)
    username = fields.String(required=True)
    at = fields.String(required=True)


class Reviews(ma.Schema):
    review = fields.String(required=True)
    stage = fields.String(required=True)
    steps = fields.List(fields.Nested(ReviewStep), required=True)


class Wish(Strict):
    add_genres = fields.List(_NAMES)
    drop_genres = fields.List(_NAMES)
    add_tags = fields.List(_NAMES)
    drop_tags = fields.List(_NAMES)
    rating = fields.String(validate=validate.Length(max=20))
    language = fields.String(validate=validate.Length(max=35))
    library = fields.String(validate=_WORDS)
    move = fields.String(validate=validate.OneOf(tuple(MOVES)))


class BulkRequest(Strict):
    titles = fields.List(
        fields.String(validate=_WORDS), validate=validate.Length(max=10_000)
    )
    sieve = fields.Nested(Sieve)
    wish = fields.Nested(Wish, required=True)
    mark = fields.String(
        load_default="",
        validate=validate.Length(max=64),
        metadata={"description": "That of the preview: refused if the list changed"},
    )


class Change(ma.Schema):
    field = fields.String(required=True)
    before = fields.String(required=True)
    after = fields.String(required=True)


class Effect(ma.Schema):
    slug = fields.String(required=True)
    name = fields.String(required=True)
    changes = fields.List(fields.Nested(Change), required=True)
    problem = fields.String(required=True)


class Outcome(ma.Schema):
    total = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    same = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    mark = fields.String(required=True)
    bulk = fields.String(required=True)
    effects = fields.List(fields.Nested(Effect), required=True)
    problems = fields.List(fields.Nested(Effect), required=True)


class Made(ma.Schema):
    id = fields.String(required=True, attribute="public_id")
    username = fields.String(required=True)
    said = fields.String(required=True)
    titles = fields.Integer(required=True)
    created_at = fields.String(required=True)
    undone_at = fields.String(required=True, allow_none=True)
    left = fields.Boolean(
        required=True, metadata={"description": "Whether it can still be undone"}
    )


class Changes(ma.Schema):
    changes = fields.List(fields.Nested(Made), required=True)


class FieldRequest(Strict):
    label = fields.String(required=True, validate=validate.Length(1, 60))
    kind = fields.Enum(Kind, by_value=True, load_default=Kind.TEXT)
    choices = fields.List(fields.String(), load_default=list)
    key = fields.String(load_default="", validate=validate.Length(max=60))


class FieldChange(Strict):
    label = fields.String(validate=validate.Length(1, 60))
    choices = fields.List(fields.String())
    position = fields.Integer(validate=validate.Range(0, 1000))


class Field(ma.Schema):
    key = fields.String(required=True)
    label = fields.String(required=True)
    kind = fields.Enum(Kind, by_value=True, required=True)
    choices = fields.List(fields.String(), required=True)
    position = fields.Integer(required=True)
    used = fields.Integer(required=True)


class Fields(ma.Schema):
    fields_ = fields.List(
        fields.Nested(Field), required=True, data_key="fields", attribute="fields"
    )


class FillRequest(Strict):
    revision = fields.Integer()
    values = fields.Dict(keys=fields.String(), required=True)


class Filled(ma.Schema):
    values = fields.Dict(required=True)
    revision = fields.Integer(required=True)


class ImportQuery(ma.Schema):
    dry_run = fields.Boolean(load_default=False)


class RowError(ma.Schema):
    column = fields.String(required=True)
    message = fields.String(required=True)


class RowCell(ma.Schema):
    column = fields.String(required=True)
    before = fields.String(required=True)
    after = fields.String(required=True)


class ImportRow(ma.Schema):
    line = fields.Integer(required=True)
    does = fields.Enum(Does, by_value=True, required=True)
    key = fields.String(required=True)
    name = fields.String(required=True)
    slug = fields.String(required=True)
    cells = fields.List(fields.Nested(RowCell), required=True)
    errors = fields.List(fields.Nested(RowError), required=True)


class Imported(ma.Schema):
    dry_run = fields.Boolean(required=True)
    created = fields.Integer(required=True)
    changed = fields.Integer(required=True)
    same = fields.Integer(required=True)
    refused = fields.Integer(required=True)
    rows = fields.List(fields.Nested(ImportRow), required=True)


class FetchRequest(Strict):
    url = fields.String(required=True, validate=validate.Length(1, 2000))
    title = fields.String(load_default="", validate=_WORDS)
    publish = fields.Boolean(load_default=False)


class Fetch(ma.Schema):
    id = fields.String(required=True, attribute="public_id")
    state = fields.String(required=True)
    host = fields.String(required=True)
    filename = fields.String(required=True)
    received = fields.Integer(required=True)
    total = fields.Integer(required=True, allow_none=True)
    title = fields.String(required=True, allow_none=True, attribute="slug")
    code = fields.String(required=True)
    message = fields.String(required=True)
    created_at = fields.String(required=True)


class Fetches(ma.Schema):
    fetches = fields.List(fields.Nested(Fetch), required=True)


class WindowRequest(Strict):
    starts_at = fields.String(allow_none=True, validate=_WORDS)
    ends_at = fields.String(allow_none=True, validate=_WORDS)
    group = fields.String(allow_none=True, validate=_WORDS)
    territories = fields.List(fields.String(validate=validate.Length(max=10)))
    max_height = fields.Integer(allow_none=True, validate=validate.Range(1, 10_000))


class WindowOfTitle(ma.Schema):
    id = fields.String(required=True)
    title = fields.String(required=True)
    starts_at = fields.String(required=True, allow_none=True)
    ends_at = fields.String(required=True, allow_none=True)
    group = fields.String(required=True, allow_none=True)
    territories = fields.List(fields.String(), required=True)
    max_height = fields.Integer(required=True, allow_none=True)


class Windows(ma.Schema):
    stage = fields.String(required=True)
    windows = fields.List(fields.Nested(WindowOfTitle), required=True)


class TimelineQuery(TrashQuery):
    starts_at = fields.String(required=True, data_key="from", validate=_WORDS)
    ends_at = fields.String(required=True, data_key="until", validate=_WORDS)


class TimelineLine(ma.Schema):
    slug = fields.String(required=True)
    name = fields.String(required=True)
    windows = fields.List(fields.Nested(WindowOfTitle), required=True)


class Timeline(ma.Schema):
    titles = fields.List(fields.Nested(TimelineLine), required=True)
    total = fields.Integer(required=True)


class GuessRequest(Strict):
    filenames = fields.List(
        fields.String(validate=validate.Length(max=500)),
        required=True,
        validate=validate.Length(max=500),
    )
    series = fields.String(load_default="", validate=_WORDS)


class Guess(ma.Schema):
    filename = fields.String(required=True)
    kind = fields.Enum(TitleKind, by_value=True, required=True)
    name = fields.String(required=True)
    series = fields.String(required=True)
    slug = fields.String(required=True)
    season = fields.Integer(required=True, allow_none=True)
    episode = fields.Integer(required=True, allow_none=True)
    year = fields.Integer(required=True, allow_none=True)
    language = fields.String(required=True)


class Guesses(ma.Schema):
    guesses = fields.List(fields.Nested(Guess), required=True)


class Twin(ma.Schema):
    slug = fields.String(required=True)
    name = fields.String(required=True)


class Twins(ma.Schema):
    films = fields.List(
        fields.List(fields.Nested(Twin)),
        required=True,
        metadata={"description": "Each film that stands in several titles"},
    )

"""What arranging the home page and collections takes and gives."""

import marshmallow as ma
from marshmallow import fields, validate

from appliance.discovery.home_rows import MADE, RowKind, Watchers
from web.api.schemas import Strict

_SLUG = validate.Length(max=200)
_MOMENT = validate.Length(max=64)


class RowChange(Strict):
    heading = fields.String(validate=validate.Length(max=80))
    translations = fields.Dict(
        keys=fields.String(validate=validate.Length(max=35)),
        values=fields.String(validate=validate.Length(max=80)),
        metadata={"description": "Headings by language"},
    )
    rule = fields.Dict(
        keys=fields.String(validate=validate.Length(max=40)),
        values=fields.String(validate=validate.Length(max=100)),
        metadata={"description": "Filters as /browse takes them"},
    )
    titles = fields.List(
        fields.String(validate=_SLUG),
        validate=validate.Length(max=1000),
        metadata={"description": "Slugs in their order"},
    )
    collection = fields.String(validate=_SLUG)
    enabled = fields.Boolean()
    audience = fields.Enum(Watchers, by_value=True)
    group = fields.String(
        allow_none=True,
        validate=_SLUG,
        metadata={"description": "The group that sees it; null: everybody"},
    )
    starts_at = fields.String(allow_none=True, validate=_MOMENT)
    ends_at = fields.String(allow_none=True, validate=_MOMENT)
    revision = fields.Integer(
        validate=validate.Range(min=1),
        metadata={"description": "The one that was read; another one is a conflict"},
    )


class NewRow(RowChange):
    class Meta:
        exclude = ("revision",)
        unknown = ma.RAISE

    kind = fields.String(
        required=True, validate=validate.OneOf(sorted(each.value for each in MADE))
    )
    heading = fields.String(required=True, validate=validate.Length(1, 80))


class Row(ma.Schema):
    id = fields.String(required=True)
    kind = fields.Enum(RowKind, by_value=True, required=True)
    heading = fields.String(required=True)
    translations = fields.Dict(
        keys=fields.String(), values=fields.String(), required=True
    )
    rule = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    titles = fields.List(fields.String(), required=True)
    collection = fields.String(required=True, allow_none=True)
    enabled = fields.Boolean(required=True)
    audience = fields.Enum(Watchers, by_value=True, required=True)
    group = fields.String(required=True, allow_none=True)
    starts_at = fields.String(required=True, allow_none=True)
    ends_at = fields.String(required=True, allow_none=True)
    revision = fields.Integer(required=True)


class Rows(ma.Schema):
    rows = fields.List(fields.Nested(Row), required=True)


class Move(Strict):
    by = fields.Integer(
        required=True,
        validate=validate.Range(-100, 100),
        metadata={"description": "Places down; up when negative"},
    )


class CollectionChange(Strict):
    name = fields.String(validate=validate.Length(1, 100))
    synopsis = fields.String(validate=validate.Length(max=4000))
    titles = fields.List(
        fields.String(validate=_SLUG),
        validate=validate.Length(max=1000),
        metadata={"description": "Slugs in their order"},
    )
    seen = fields.String(
        validate=_MOMENT,
        metadata={"description": "The updated_at that was read"},
    )


class NewCollection(Strict):
    name = fields.String(required=True, validate=validate.Length(1, 100))
    synopsis = fields.String(validate=validate.Length(max=4000))
    titles = fields.List(
        fields.String(validate=_SLUG),
        validate=validate.Length(max=1000),
        metadata={"description": "Slugs in their order"},
    )


class Collection(ma.Schema):
    slug = fields.String(required=True)
    name = fields.String(required=True)
    synopsis = fields.String(required=True)
    count = fields.Integer(required=True)
    updated_at = fields.String(required=True)
    titles = fields.List(fields.String())


class Collections(ma.Schema):
    collections = fields.List(fields.Nested(Collection), required=True)

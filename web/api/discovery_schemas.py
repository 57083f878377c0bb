"""What searching, browsing, lists and thumbs take and give."""

import marshmallow as ma
from marshmallow import fields, validate

from appliance.discovery.filters import KINDS, SORTS
from web.api.schemas import Strict


class PageQuery(ma.Schema):
    limit = fields.Integer(load_default=48, validate=validate.Range(1, 100))
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 10_000))


class SearchQuery(ma.Schema):
    q = fields.String(required=True, validate=validate.Length(max=200))
    limit = fields.Integer(load_default=24, validate=validate.Range(1, 100))


def _word(description: str, *, most: int = 100) -> fields.String:
    return fields.String(
        validate=validate.Length(max=most), metadata={"description": description}
    )


class BrowseQuery(PageQuery):
    kind = fields.String(validate=validate.OneOf(KINDS))
    genre = _word("The slug of a genre")
    tag = _word("The slug of a tag")
    language = _word("A language that is spoken, as en or pt-BR", most=35)
    captions = _word("A language of captions, or any", most=35)
    rating = _word("The age up to which it is suitable", most=2)
    year_from = _word("A year", most=4)
    year_to = _word("A year", most=4)
    minutes = _word("A span of minutes: -30, 30-90, 90-", most=9)
    sort = fields.String(validate=validate.OneOf(SORTS))


class Card(ma.Schema):
    slug = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    label = fields.String(required=True)
    year = fields.Integer(required=True, allow_none=True)
    rating = fields.String(required=True)
    genres = fields.List(fields.String(), required=True)
    minutes = fields.Integer(required=True, allow_none=True)
    leaves = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "When it leaves, if that is within 30 days"},
    )
    href = fields.String(required=True)
    backdrop = fields.String(required=True, allow_none=True)
    poster = fields.String(required=True, allow_none=True)


class FoundPerson(ma.Schema):
    name = fields.String(required=True)
    href = fields.String(required=True)
    portrait = fields.String(required=True, allow_none=True)


class FoundPlace(ma.Schema):
    kind = fields.String(
        required=True, metadata={"description": "genre, tag or collection"}
    )
    name = fields.String(required=True)
    href = fields.String(required=True)


class FoundLine(ma.Schema):
    slug = fields.String(required=True)
    title = fields.String(required=True)
    text = fields.String(required=True)
    language = fields.String(required=True)
    seconds = fields.Integer(required=True)
    clock = fields.String(required=True)
    href = fields.String(
        required=True, metadata={"description": "Plays from where it is said"}
    )


class Found(ma.Schema):
    words = fields.String(required=True)
    guess = fields.String(
        required=True,
        metadata={"description": "What was probably meant; empty: just these words"},
    )
    count = fields.Integer(required=True)
    more = fields.Boolean(required=True)
    titles = fields.List(fields.Nested(Card), required=True)
    people = fields.List(fields.Nested(FoundPerson), required=True)
    places = fields.List(fields.Nested(FoundPlace), required=True)
    lines = fields.List(fields.Nested(FoundLine), required=True)


class Browsed(ma.Schema):
    titles = fields.List(fields.Nested(Card), required=True)
    total = fields.Integer(
        required=True, metadata={"description": "Counted up to 1,000"}
    )
    more = fields.Boolean(
        required=True, metadata={"description": "Whether there are more than that"}
    )
    limit = fields.Integer(required=True)
    offset = fields.Integer(required=True)


class MyList(ma.Schema):
    titles = fields.List(fields.Nested(Card), required=True)
    more = fields.Boolean(required=True)
    limit = fields.Integer(required=True)
    offset = fields.Integer(required=True)


class Thumb(Strict):
    value = fields.Integer(
        required=True,
        validate=validate.OneOf([-1, 1, 2]),
        metadata={"description": "-1: not for me, 1: like, 2: love"},
    )


class Marks(ma.Schema):
    listed = fields.Boolean(required=True)
    thumb = fields.Integer(required=True, allow_none=True)

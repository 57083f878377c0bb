"""What the API takes and gives of titles in full, seasons, people and pictures."""

from typing import Any

import marshmallow as ma
from marshmallow import fields, validate

from appliance.catalog.artwork import ArtworkKind
from appliance.catalog.credits import Job
from appliance.catalog.kinds import Kind
from web.api.schemas import Strict, Title

_NUMBER = validate.Range(0, 9999)
_KINDS = [ArtworkKind.POSTER, ArtworkKind.BACKDROP, ArtworkKind.LOGO]
_PART = validate.Range(0, 1)


def _text(longest: int, **more: Any) -> fields.String:
    return fields.String(validate=validate.Length(max=longest), **more)


class Credit(ma.Schema):
    person = fields.String(required=True)
    name = fields.String(required=True)
    job = fields.String(required=True)
    character = fields.String(required=True)


class Translation(Strict):
    name = _text(200, load_default="")
    synopsis = _text(5000, load_default="")


class TitleInFull(Title):
    revision = fields.Integer(
        required=True,
        metadata={"description": "Send it with a change, so that none is lost"},
    )
    external_id = fields.String(required=True, allow_none=True)
    tags = fields.List(fields.String(), required=True)
    credits = fields.List(fields.Nested(Credit), required=True)
    translations = fields.Dict(
        keys=fields.String(), values=fields.Nested(Translation), required=True
    )


class CreditGiven(Strict):
    name = _text(
        200,
        required=True,
        metadata={"description": "A name, or the slug of a person"},
    )
    job = fields.Enum(Job, by_value=True, load_default=Job.ACTOR)
    character = _text(120, load_default="")


class TitleChange(Strict):
    """What is not named stays; of the translations only those named change."""

    revision = fields.Integer()
    name = _text(200)
    kind = fields.Enum(Kind, by_value=True)
    parent = _text(100, allow_none=True)
    season_number = fields.Integer(allow_none=True, validate=_NUMBER)
    episode_number = fields.Integer(allow_none=True, validate=_NUMBER)
    original_name = _text(200)
    synopsis = _text(5000)
    year = fields.Integer(allow_none=True)
    rating = _text(20)
    language = _text(35)
    genres = fields.List(fields.String())
    tags = fields.List(fields.String())
    credits = fields.List(fields.Nested(CreditGiven))
    translations = fields.Dict(keys=fields.String(), values=fields.Nested(Translation))
    external_id = _text(100, allow_none=True)
    protected = fields.Boolean()
    library = _text(200, allow_none=True)


class TitleRequest(TitleChange):
    name = _text(200, required=True)

    class Meta(Strict.Meta):
        exclude = ("revision",)


class Episode(ma.Schema):
    slug = fields.String(required=True)
    name = fields.String(required=True)
    number = fields.Integer(required=True, allow_none=True)
    runtime_seconds = fields.Float(required=True, allow_none=True)
    state = fields.String(required=True)


class Season(ma.Schema):
    number = fields.Integer(required=True)
    name = fields.String(required=True)
    synopsis = fields.String(required=True)
    year = fields.Integer(required=True, allow_none=True)
    poster = fields.String(required=True, allow_none=True)
    revision = fields.Integer(required=True)
    episodes = fields.List(fields.Nested(Episode), required=True)


class Seasons(ma.Schema):
    seasons = fields.List(fields.Nested(Season), required=True)


class SeasonChange(Strict):
    revision = fields.Integer()
    name = _text(200)
    synopsis = _text(5000)
    year = fields.Integer(allow_none=True)


class EpisodePlace(Strict):
    slug = _text(200, required=True)
    season = fields.Integer(required=True, validate=_NUMBER)
    number = fields.Integer(required=True, validate=_NUMBER)


class Order(Strict):
    revision = fields.Integer(
        metadata={"description": "The revision of the series that this begins from"}
    )
    places = fields.List(
        fields.Nested(EpisodePlace), required=True, validate=validate.Length(max=2000)
    )


class ArtworkQuery(ma.Schema):
    focus_x = fields.Float(load_default=0.5, validate=_PART)
    focus_y = fields.Float(load_default=0.5, validate=_PART)


class Focus(Strict):
    focus_x = fields.Float(required=True, validate=_PART)
    focus_y = fields.Float(required=True, validate=_PART)


class Artwork(ma.Schema):
    kind = fields.String(required=True)
    artwork = fields.String(
        required=True,
        metadata={
            "description": "Its id: /artwork/<id>/<width>.<avif|webp|jpg|png> is a file"
        },
    )
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    focus_x = fields.Float(required=True)
    focus_y = fields.Float(required=True)
    seconds = fields.Float(required=True, allow_none=True)


class Artworks(ma.Schema):
    artwork = fields.List(fields.Nested(Artwork), required=True)


class PeopleQuery(ma.Schema):
    q = fields.String(load_default="", validate=validate.Length(max=100))
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 100))
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 1_000_000))


class Person(ma.Schema):
    slug = fields.String(required=True)
    name = fields.String(required=True)
    biography = fields.String(required=True)
    portrait = fields.String(required=True, allow_none=True)
    revision = fields.Integer(required=True)


class People(ma.Schema):
    people = fields.List(fields.Nested(Person), required=True)
    total = fields.Integer(required=True)
    limit = fields.Integer(required=True)
    offset = fields.Integer(required=True)


class Work(ma.Schema):
    title = fields.String(required=True)
    name = fields.String(required=True)
    jobs = fields.List(fields.String(), required=True)
    characters = fields.List(fields.String(), required=True)


class PersonInFull(Person):
    works = fields.List(fields.Nested(Work), required=True)


class PersonChange(Strict):
    revision = fields.Integer()
    name = _text(120)
    biography = _text(5000)
    external_id = _text(100, allow_none=True)


class PersonRequest(PersonChange):
    name = _text(120, required=True)

    class Meta(Strict.Meta):
        exclude = ("revision",)


class Tag(ma.Schema):
    slug = fields.String(required=True)
    name = fields.String(required=True)


class Tags(ma.Schema):
    tags = fields.List(fields.Nested(Tag), required=True)

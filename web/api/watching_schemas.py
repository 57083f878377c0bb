"""What the API tells of a film besides the film: its transcript, its neighbours."""

from marshmallow import Schema, fields, validate


class TranscriptQuery(Schema):
    language = fields.String(
        load_default="",
        validate=validate.Length(max=35),
        metadata={
            "description": "The language wished for; without it, or where there is"
            " none, another one that there is"
        },
    )


class Offer(Schema):
    language = fields.String(required=True)
    label = fields.String(required=True)


class Line(Schema):
    start = fields.Float(required=True, metadata={"description": "Seconds"})
    end = fields.Float(required=True, metadata={"description": "Seconds"})
    text = fields.String(required=True, metadata={"description": "Without markup"})


class Transcript(Schema):
    language = fields.String(required=True)
    label = fields.String(required=True)
    auto = fields.Boolean(
        required=True,
        metadata={"description": "Whether a machine heard it, and nobody reviewed it"},
    )
    languages = fields.List(fields.Nested(Offer), required=True)
    cues = fields.List(fields.Nested(Line), required=True)


class Place(Schema):
    slug = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.String(required=True)
    label = fields.String(
        required=True,
        metadata={"description": "As S1 E2, or Trailer; empty for what stands alone"},
    )
    season_number = fields.Integer(required=True, allow_none=True)
    episode_number = fields.Integer(required=True, allow_none=True)
    seconds = fields.Float(required=True, allow_none=True)
    art = fields.String(
        required=True, allow_none=True, metadata={"description": "An artwork, 16:9"}
    )


class Around(Schema):
    title = fields.Nested(Place, required=True)
    whole = fields.Nested(
        Place,
        required=True,
        allow_none=True,
        metadata={"description": "The series of an episode, or what a trailer is of"},
    )
    previous = fields.Nested(Place, required=True, allow_none=True)
    next = fields.Nested(Place, required=True, allow_none=True)

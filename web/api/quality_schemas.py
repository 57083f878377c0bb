"""What goes into the API and comes out of it about the quality of films."""

import marshmallow as ma
from marshmallow import fields, validate

from appliance.media.quality import Review, Verdict
from web.api.schemas import Strict


class Check(ma.Schema):
    id = fields.String(required=True)
    level = fields.String(
        required=True, validate=validate.OneOf(("pass", "warn", "fail"))
    )
    sentence = fields.String(required=True)
    value = fields.Raw(
        required=True,
        allow_none=True,
        metadata={"description": "What was measured: a number, as a rule"},
    )
    limit = fields.Raw(required=True, allow_none=True)
    track = fields.String(
        required=True, metadata={"description": "Its name; empty: all tracks"}
    )
    note = fields.Boolean(
        required=True, metadata={"description": "Whether it is worth a look"}
    )


class Decision(ma.Schema):
    decision = fields.Enum(Review, by_value=True, required=True)
    reviewer = fields.String(required=True)
    comment = fields.String(required=True)
    at = fields.String(required=True, allow_none=True)


class Quality(ma.Schema):
    title = fields.String(required=True)
    name = fields.String(required=True)
    asset = fields.String(required=True)
    version = fields.Integer(required=True)
    verdict = fields.Enum(Verdict, by_value=True, required=True)
    review = fields.Nested(Decision, required=True)
    checked_at = fields.String(required=True)
    source = fields.String(required=True)
    duration = fields.Float(required=True, allow_none=True)
    frames = fields.Integer(required=True, allow_none=True)
    segments = fields.Integer(required=True, allow_none=True)
    keyframes = fields.Integer(required=True, allow_none=True)
    seconds = fields.Float(
        required=True,
        allow_none=True,
        metadata={"description": "How long checking took"},
    )
    checks = fields.List(fields.Nested(Check), required=True)
    tracks = fields.List(fields.Dict(keys=fields.String()), required=True)
    scores = fields.Dict(keys=fields.String(), required=True)


class ReviewRequest(Strict):
    version = fields.Integer(required=True, validate=validate.Range(1, 1_000_000))
    decision = fields.Enum(
        Review,
        by_value=True,
        required=True,
        validate=validate.NoneOf((Review.NONE,)),
    )
    comment = fields.String(load_default="", validate=validate.Length(max=2000))


class QualityJob(ma.Schema):
    job = fields.String(required=True)

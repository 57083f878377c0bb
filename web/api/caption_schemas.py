"""What the API says of captions, and what it is told of them."""

import marshmallow as ma
from marshmallow import fields, validate

from appliance.captions.cues import LATEST, MOST_CUES
from appliance.captions.description import Origin, Role
from appliance.captions.markup import LONGEST_TEXT
from web.api.schemas import Strict

_VERSION = {
    "description": "The version that was seen: when captions have another by now the"
    " answer is 409, and nothing is changed. Empty: whatever they are"
}
_MILLISECONDS = validate.Range(0, LATEST)


class Held(ma.Schema):
    """Captions of a film: ``id`` stays, ``version`` changes with each change."""

    id = fields.String(required=True)
    version = fields.String(required=True)
    language = fields.String(required=True)
    name = fields.String(required=True)
    label = fields.String(
        required=True, metadata={"description": "What viewers see in menus"}
    )
    role = fields.Enum(Role, by_value=True, required=True)
    origin = fields.Enum(Origin, by_value=True, required=True)
    auto = fields.Boolean(
        required=True,
        metadata={"description": "Whether a machine made them and nobody reviewed it"},
    )
    source_name = fields.String(required=True)
    cues = fields.Integer(required=True, allow_none=True)
    bytes = fields.Integer(required=True)
    changed_by = fields.String(required=True)
    changed_at = fields.String(required=True)
    reviewed_by = fields.String(required=True)
    reviewed_at = fields.String(required=True)


class Captions(ma.Schema):
    captions = fields.List(fields.Nested(Held), required=True)


class AddQuery(ma.Schema):
    """What the file is that is the body of the request."""

    language = fields.String(required=True, validate=validate.Length(1, 35))
    name = fields.String(load_default="", validate=validate.Length(max=200))
    role = fields.Enum(Role, by_value=True, load_default=Role.SUBTITLE)
    encoding = fields.String(load_default="", validate=validate.Length(max=40))
    filename = fields.String(load_default="", validate=validate.Length(max=200))


class Remark(ma.Schema):
    line = fields.Integer(required=True)
    sentence = fields.String(required=True)


class Added(ma.Schema):
    captions = fields.Nested(Held, required=True)
    remarks = fields.List(
        fields.Nested(Remark),
        required=True,
        metadata={"description": "What was mended in the file, or left out"},
    )


class Cue(Strict):
    """Times are milliseconds; ``text`` is a payload of WebVTT."""

    start = fields.Integer(required=True, strict=True, validate=_MILLISECONDS)
    end = fields.Integer(required=True, strict=True, validate=_MILLISECONDS)
    text = fields.String(required=True, validate=validate.Length(1, LONGEST_TEXT))
    settings = fields.String(load_default="", validate=validate.Length(max=200))
    unsure = fields.Boolean(load_default=False)


class Finding(ma.Schema):
    cue = fields.Integer(required=True, metadata={"description": "From 1"})
    code = fields.String(required=True)
    level = fields.String(required=True)
    sentence = fields.String(required=True)


class Opened(ma.Schema):
    captions = fields.Nested(Held, required=True)
    cues = fields.List(fields.Nested(Cue), required=True)
    findings = fields.List(fields.Nested(Finding), required=True)
    webvtt = fields.String(required=True)


class Edit(Strict):
    version = fields.String(required=True, metadata=_VERSION)
    cues = fields.List(
        fields.Nested(Cue), required=True, validate=validate.Length(1, MOST_CUES)
    )


class Shift(Strict):
    milliseconds = fields.Integer(load_default=0)
    factor = fields.Float(load_default=1.0)
    version = fields.String(load_default="", metadata=_VERSION)


class Seen(Strict):
    version = fields.String(load_default="", metadata=_VERSION)


class SeenQuery(ma.Schema):
    version = fields.String(load_default="", metadata=_VERSION)


class Make(Strict):
    language = fields.String(
        load_default="",
        validate=validate.Length(max=35),
        metadata={"description": "What is spoken; else as the sound says"},
    )


class Making(ma.Schema):
    job = fields.String(required=True)

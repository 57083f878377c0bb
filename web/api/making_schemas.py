"""What goes into the API and comes out of it about the work on films."""

import marshmallow as ma
from marshmallow import fields, validate

from appliance.media.job_control import LEAST_PRIORITY, MOST_PRIORITY
from appliance.media.jobs import JobKind, JobState
from appliance.media.units import UnitState
from jobs.making.supplement import CODECS
from web.api.schemas import Strict


class JobsQuery(ma.Schema):
    state = fields.Enum(JobState, by_value=True)
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))


class Share(ma.Schema):
    node = fields.String(required=True)
    done = fields.Integer(required=True)
    running = fields.Integer(required=True)


class Step(ma.Schema):
    name = fields.String(required=True)
    label = fields.String(required=True)
    state = fields.Enum(UnitState, by_value=True, required=True)
    percent = fields.Float(required=True)
    fps = fields.Float(required=True, allow_none=True)
    eta_seconds = fields.Integer(required=True, allow_none=True)
    attempt = fields.Integer(required=True)
    nodes = fields.List(
        fields.String(),
        required=True,
        metadata={"description": "The machines that are at it now"},
    )
    shares = fields.List(
        fields.Nested(Share),
        required=True,
        metadata={
            "description": "How many of its work units each machine did, and does"
        },
    )
    encoder = fields.String(
        required=True,
        metadata={
            "description": "vaapi, qsv, nvenc or software; empty: none is needed"
        },
    )
    fallback = fields.String(
        required=True,
        metadata={"description": "Why it is not the encoder that was meant; or empty"},
    )


class Rendition(ma.Schema):
    name = fields.String(required=True)
    width = fields.Integer(required=True)
    height = fields.Integer(required=True)
    state = fields.Enum(UnitState, by_value=True, required=True)
    percent = fields.Float(required=True)


class Job(ma.Schema):
    job = fields.String(required=True)
    kind = fields.Enum(JobKind, by_value=True, required=True)
    title_slug = fields.String(required=True)
    title_name = fields.String(required=True)
    source_name = fields.String(required=True)
    state = fields.Enum(JobState, by_value=True, required=True)
    paused = fields.Boolean(
        required=True, metadata={"description": "Whether it hands out no more work"}
    )
    priority = fields.Integer(required=True)
    percent = fields.Float(required=True)
    eta_seconds = fields.Integer(required=True, allow_none=True)
    queue_position = fields.Integer(required=True, allow_none=True)
    steps = fields.List(fields.Nested(Step), required=True)
    renditions = fields.List(fields.Nested(Rendition), required=True)
    error_code = fields.String(required=True)
    error_message = fields.String(required=True)
    created_at = fields.String(required=True)
    started_at = fields.String(required=True, allow_none=True)
    ended_at = fields.String(required=True, allow_none=True)


class Lack(ma.Schema):
    sentence = fields.String(required=True)
    fix = fields.String(required=True)


class Piece(ma.Schema):
    name = fields.String(required=True)
    step = fields.String(required=True)
    state = fields.Enum(UnitState, by_value=True, required=True)
    node = fields.String(
        required=True,
        metadata={"description": "The machine that did it, does it, or last tried"},
    )
    seconds = fields.Float(required=True, allow_none=True)
    attempt = fields.Integer(required=True)
    failures = fields.Integer(required=True)
    error_message = fields.String(required=True)


class Pieces(ma.Schema):
    units = fields.List(fields.Nested(Piece), required=True)
    lacks = fields.List(
        fields.Nested(Lack),
        required=True,
        metadata={"description": "What no machine at work can do, and what to do"},
    )


class Jobs(ma.Schema):
    jobs = fields.List(fields.Nested(Job), required=True)


class Priority(Strict):
    priority = fields.Integer(
        required=True, validate=validate.Range(LEAST_PRIORITY, MOST_PRIORITY)
    )


class Supplement(Strict):
    codecs = fields.List(fields.String(validate=validate.OneOf(CODECS)))
    heights = fields.List(fields.Integer(validate=validate.Range(1, 4320)))
    audio = fields.Boolean()
    captions = fields.Boolean()


class Lacking(ma.Schema):
    adds = fields.List(fields.String(), required=True)
    job = fields.String(required=True, allow_none=True)


class Version(ma.Schema):
    number = fields.Integer(required=True)
    reason = fields.String(required=True)
    job = fields.String(required=True)
    duration = fields.Float(required=True)
    tracks = fields.List(fields.String(), required=True)
    source_name = fields.String(required=True)
    created_at = fields.String(required=True)
    retired_at = fields.String(required=True, allow_none=True)
    present = fields.Boolean(required=True)
    restorable = fields.Boolean(required=True)


class Versions(ma.Schema):
    versions = fields.List(fields.Nested(Version), required=True)

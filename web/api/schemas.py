"""What goes into the API and what comes out of it."""

import marshmallow as ma
from marshmallow import fields, validate

from appliance.catalog.kinds import Kind
from appliance.catalog.titles import TitleState
from appliance.playback.heartbeats import PlayState
from appliance.playback.sessions import StopReason

_SECONDS = validate.Range(min=0, max=10_000_000)


class Strict(ma.Schema):
    """A body in which a field that is not known is an error, not a surprise."""

    class Meta:
        unknown = ma.RAISE


class Problem(ma.Schema):
    """An error as RFC 9457 has it; ``code`` is stable, ``detail`` is for people."""

    type = fields.String(required=True)
    title = fields.String(required=True)
    status = fields.Integer(required=True)
    detail = fields.String(required=True)
    code = fields.String(required=True)


class TokenRequest(Strict):
    username = fields.String(required=True, validate=validate.Length(1, 200))
    password = fields.String(required=True, validate=validate.Length(1, 1000))
    otp = fields.String(allow_none=True, validate=validate.Length(max=64))
    profile = fields.String(
        load_default="",
        validate=validate.Length(max=200),
        metadata={"description": "Who watches, by name or id; else the first profile"},
    )


class Token(ma.Schema):
    token = fields.String(required=True)
    token_type = fields.String(required=True)
    expires_in = fields.Integer(
        required=True, metadata={"description": "Seconds without being used"}
    )
    username = fields.String(required=True)
    display_name = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)


class TitlesQuery(ma.Schema):
    q = fields.String(metadata={"description": "Words that the title must have"})
    state = fields.Enum(TitleState, by_value=True)
    genre = fields.String(metadata={"description": "The slug of a genre"})
    library = fields.String(
        validate=validate.Length(max=200),
        metadata={"description": "The slug or name of a library; for the Studio"},
    )
    tag = fields.String(metadata={"description": "The slug of a tag"})
    kind = fields.Enum(Kind, by_value=True)
    top = fields.Boolean(
        load_default=False,
        metadata={"description": "Without episodes, trailers and extras"},
    )
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 100))
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 1_000_000))


class Title(ma.Schema):
    slug = fields.String(required=True)
    name = fields.String(required=True)
    kind = fields.Enum(Kind, by_value=True, required=True)
    original_name = fields.String(required=True)
    parent = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "The slug of what it belongs to"},
    )
    season_number = fields.Integer(required=True, allow_none=True)
    episode_number = fields.Integer(required=True, allow_none=True)
    synopsis = fields.String(required=True)
    year = fields.Integer(required=True, allow_none=True)
    rating = fields.String(required=True)
    age = fields.Integer(
        required=True,
        allow_none=True,
        metadata={
            "description": "From which age on; of an episode without a rating that of"
            " its series"
        },
    )
    language = fields.String(required=True)
    genres = fields.List(fields.String(), required=True)
    runtime_seconds = fields.Float(required=True, allow_none=True)
    state = fields.Enum(TitleState, by_value=True, required=True)
    protected = fields.Boolean(
        required=True,
        metadata={"description": "Whether it is encrypted and needs a licence"},
    )
    library = fields.String(
        required=True,
        allow_none=True,
        metadata={
            "description": "The slug of the library that says how it is encoded; null"
            " for none, and for who does not see the Studio"
        },
    )
    published_at = fields.String(required=True, allow_none=True)
    poster = fields.String(required=True, allow_none=True)
    backdrop = fields.String(required=True, allow_none=True)
    logo = fields.String(required=True, allow_none=True)


class Titles(ma.Schema):
    titles = fields.List(fields.Nested(Title), required=True)
    total = fields.Integer(required=True)
    limit = fields.Integer(required=True)
    offset = fields.Integer(required=True)


class AccessQuery(ma.Schema):
    account = fields.String(
        load_default="",
        validate=validate.Length(max=200),
        metadata={"description": "A user name; else the caller"},
    )
    profile = fields.String(load_default="", validate=validate.Length(max=200))
    address = fields.String(
        load_default="",
        validate=validate.Length(max=64),
        metadata={"description": "A network address to watch from"},
    )
    at = fields.String(
        load_default="",
        validate=validate.Length(max=64),
        metadata={"description": "A time as 2026-02-01T20:00 (UTC); else now"},
    )


class Why(ma.Schema):
    code = fields.String(required=True)
    sentence = fields.String(required=True)
    begins_at = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "When it ends to count, where time alone does it"},
    )


class Limits(ma.Schema):
    streams = fields.Integer(required=True, metadata={"description": "0: no limit"})
    uhd_streams = fields.Integer(required=True, metadata={"description": "0: no limit"})
    max_height = fields.Integer(required=True, allow_none=True)


class Considered(ma.Schema):
    id = fields.String(required=True)
    starts_at = fields.String(required=True, allow_none=True)
    ends_at = fields.String(required=True, allow_none=True)
    max_height = fields.Integer(required=True, allow_none=True)
    counts = fields.Boolean(required=True)
    reasons = fields.List(fields.String(), required=True)


class Right(Considered):
    source = fields.String(required=True)
    streams = fields.Integer(required=True, allow_none=True)
    uhd_streams = fields.Integer(required=True, allow_none=True)


class Window(Considered):
    group = fields.String(required=True, allow_none=True)
    territories = fields.List(fields.String(), required=True)


class Access(ma.Schema):
    """A decision; what follows ``title`` is told to those who may explain access."""

    allowed = fields.Boolean(required=True)
    sentence = fields.String(required=True)
    reasons = fields.List(fields.Nested(Why), required=True)
    limits = fields.Nested(Limits, required=True)
    until = fields.String(required=True, allow_none=True)
    at = fields.String(required=True)
    account = fields.String(required=True)
    profile = fields.String(required=True)
    title = fields.String(required=True)
    address = fields.String()
    territory = fields.String(allow_none=True)
    rating = fields.String()
    rating_age = fields.Integer(allow_none=True)
    rating_limit = fields.Integer(allow_none=True)
    previews = fields.Boolean()
    watching = fields.Integer()
    rights = fields.List(fields.Nested(Right))
    windows = fields.List(fields.Nested(Window))


class PlaybackRequest(Strict):
    title = fields.String(
        load_default="", metadata={"description": "The slug of a title"}
    )
    asset = fields.String(
        load_default="", metadata={"description": "An asset, in place of a title"}
    )
    profile = fields.String(load_default="")
    device = fields.String(load_default="", validate=validate.Length(max=200))
    swaps = fields.Boolean(
        load_default=True,
        metadata={
            "description": "Whether the player puts the media token of each heartbeat"
            " into its requests; one that cannot gets a token that lives for hours"
        },
    )
    replaces = fields.String(
        load_default="",
        validate=validate.Length(max=64),
        metadata={
            "description": "The session that this player had before: it ends, and does"
            " not count"
        },
    )
    preview = fields.Boolean(
        load_default=False,
        metadata={
            "description": "For who may edit the title: it counts as no stream, and"
            " keeps no position"
        },
    )


class TextTrack(ma.Schema):
    language = fields.String(required=True)
    label = fields.String(required=True)
    role = fields.String(required=True)
    url = fields.String(required=True)


class Watermark(ma.Schema):
    text = fields.String(required=True)


class Host(ma.Schema):
    host = fields.String(
        required=True,
        metadata={"description": "As https://host; empty for this server"},
    )
    path = fields.String(
        required=True, metadata={"description": "The folder of the film there"}
    )
    query = fields.String(
        required=True,
        metadata={"description": "What every address in the folder ends with"},
    )


_HOSTS = {
    "description": "All that may serve the film, the first being the one to begin with."
    " Before each request a player puts the freshest folder and query of the host in"
    " place of those that it has; keys (below key/) it gets from this server"
}


class Span(ma.Schema):
    kind = fields.String(
        required=True,
        metadata={"description": "chapter, intro, recap, credits or preview"},
    )
    start = fields.Float(required=True, metadata={"description": "Seconds"})
    end = fields.Float(required=True, metadata={"description": "Seconds"})
    label = fields.String(required=True)


class Playback(ma.Schema):
    session = fields.String(required=True)
    asset = fields.String(required=True)
    version = fields.Integer(required=True)
    title = fields.String(required=True)
    name = fields.String(required=True)
    duration = fields.Float(required=True)
    protected = fields.Boolean(required=True)
    manifests = fields.Dict(fields.String(), fields.String(), required=True)
    drm = fields.Dict(
        fields.String(),
        fields.String(),
        required=True,
        metadata={"description": "Where licences are, by key system"},
    )
    certificates = fields.Dict(
        fields.String(),
        fields.String(),
        required=True,
        metadata={"description": "Where its certificate is, for key systems with one"},
    )
    token = fields.String(
        required=True, metadata={"description": "Opens the doors of licences"}
    )
    media_token = fields.String(required=True)
    hosts = fields.List(fields.Nested(Host), required=True, metadata=_HOSTS)
    max_height = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Above it there is no rendition to be had"},
    )
    watermark = fields.Nested(
        Watermark,
        required=True,
        allow_none=True,
        metadata={"description": "What the player shows over the picture"},
    )
    resume_at = fields.Float(required=True)
    heartbeat_seconds = fields.Integer(required=True)
    text = fields.List(fields.Nested(TextTrack), required=True)
    thumbnails = fields.String(required=True, allow_none=True)
    markers = fields.List(
        fields.Nested(Span),
        required=True,
        metadata={"description": "Chapters, and what a player may skip"},
    )


class Stream(ma.Schema):
    session = fields.String(required=True)
    title = fields.String(required=True, metadata={"description": "Its slug"})
    name = fields.String(required=True)
    device = fields.String(required=True)
    started_at = fields.String(required=True)
    quality = fields.String(
        required=True,
        metadata={"description": "As 1080p; empty until the player has said it"},
    )
    here = fields.Boolean(
        required=True,
        metadata={"description": "Whether it was opened with this very sign-in"},
    )


class Streams(ma.Schema):
    active = fields.List(fields.Nested(Stream), required=True)


class Heartbeat(Strict):
    seq = fields.Integer(required=True, validate=validate.Range(1, 2**31))
    position = fields.Float(required=True, validate=_SECONDS)
    played_ranges = fields.List(
        fields.List(fields.Float(validate=_SECONDS), validate=validate.Length(equal=2)),
        load_default=list,
        validate=validate.Length(max=500),
    )
    state = fields.Enum(PlayState, by_value=True, load_default=PlayState.PLAYING)
    quality = fields.Dict(
        fields.String(validate=validate.Length(max=40)),
        fields.Float(),
        load_default=dict,
        validate=validate.Length(max=32),
    )


class HeartbeatAnswer(ma.Schema):
    media_token = fields.String(required=True, allow_none=True)
    token = fields.String(required=True, allow_none=True)
    hosts = fields.List(fields.Nested(Host), required=True, metadata=_HOSTS)
    next = fields.Integer(
        required=True, metadata={"description": "Seconds until the next report"}
    )
    stop_reason = fields.Enum(StopReason, by_value=True, required=True, allow_none=True)


class ProgressRequest(Strict):
    position = fields.Float(required=True, validate=_SECONDS)


class Progress(ma.Schema):
    position = fields.Float(required=True)
    duration = fields.Float(required=True)
    finished = fields.Boolean(required=True)
    hidden = fields.Boolean(required=True)
    resume_at = fields.Float(required=True)
    updated_at = fields.String(required=True, allow_none=True)

"""What goes into the API of profiles and what comes out of it."""

from marshmallow import EXCLUDE, Schema, fields, validate

from appliance.accounts.profile_fields import OLDEST
from appliance.accounts.tastes import CAPTION_STYLES, SPEEDS
from web.api.schemas import Strict

_LANGUAGE = validate.Length(max=35)


class CaptionStyle(Strict):
    size = fields.String(validate=validate.OneOf(CAPTION_STYLES["size"]))
    colour = fields.String(validate=validate.OneOf(CAPTION_STYLES["colour"]))
    background = fields.String(validate=validate.OneOf(CAPTION_STYLES["background"]))
    edge = fields.String(validate=validate.OneOf(CAPTION_STYLES["edge"]))
    position = fields.String(validate=validate.OneOf(CAPTION_STYLES["position"]))
    font = fields.String(validate=validate.OneOf(CAPTION_STYLES["font"]))


class PreferencesChange(Strict):
    """Some preferences; those left out stay as they are."""

    autoplay_next = fields.Boolean(
        truthy={True}, falsy={False}, metadata={"description": "The next episode"}
    )
    previews = fields.Boolean(
        truthy={True},
        falsy={False},
        metadata={"description": "Whether cards move under the mouse"},
    )
    audio = fields.String(
        validate=_LANGUAGE,
        metadata={"description": "A language; empty for that of the film"},
    )
    captions = fields.String(
        validate=_LANGUAGE,
        metadata={"description": "A language, “off”, or empty for what the film says"},
    )
    caption_style = fields.Nested(CaptionStyle)
    speed = fields.Float(validate=validate.OneOf(SPEEDS))
    data_saver = fields.Boolean(truthy={True}, falsy={False})
    keys = fields.Boolean(
        truthy={True},
        falsy={False},
        metadata={"description": "Whether single letters steer the player"},
    )


class Preferences(Schema):
    autoplay_next = fields.Boolean(required=True)
    previews = fields.Boolean(required=True)
    audio = fields.String(required=True)
    captions = fields.String(required=True)
    caption_style = fields.Dict(fields.String(), fields.String(), required=True)
    speed = fields.Float(required=True)
    data_saver = fields.Boolean(required=True)
    keys = fields.Boolean(required=True)


_PIN = {"description": "The PIN of the account, where it has one"}
_SHORT = validate.Length(max=64)


class Profile(Schema):
    id = fields.String(required=True, attribute="public_id")
    name = fields.String(required=True)
    avatar = fields.String(required=True)
    language = fields.String(required=True)
    rating_limit = fields.Integer(
        required=True,
        allow_none=True,
        metadata={"description": "Up to which age titles are shown; null: all"},
    )
    kids = fields.Boolean(required=True)
    locked = fields.Boolean(
        required=True, metadata={"description": "Whether opening it takes a PIN"}
    )


class Profiles(Schema):
    profiles = fields.List(fields.Nested(Profile), required=True)
    current = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "Who watches; null until somebody has said so"},
    )
    most = fields.Integer(required=True)
    guarded = fields.Boolean(
        required=True, metadata={"description": "Whether the account has a PIN"}
    )


class Choice(Strict):
    profile = fields.String(required=True, validate=validate.Length(1, 64))
    pin = fields.String(
        load_default="", validate=_SHORT, metadata={"description": "Of the profile"}
    )
    account_pin = fields.String(
        load_default="",
        validate=_SHORT,
        metadata={"description": "Of the account, to leave a child’s profile"},
    )


class ProfileChange(Strict):
    """Some fields of a profile; those left out stay as they are."""

    name = fields.String(validate=validate.Length(1, 200))
    avatar = fields.String(validate=_SHORT)
    language = fields.String(validate=_LANGUAGE)
    rating_limit = fields.Integer(
        strict=True, allow_none=True, validate=validate.Range(0, OLDEST)
    )
    kids = fields.Boolean(truthy={True}, falsy={False})
    pin = fields.String(load_default="", validate=_SHORT, metadata=_PIN)


class NewProfile(ProfileChange):
    """A profile; what is left out is as usual."""

    name = fields.String(required=True, validate=validate.Length(1, 200))


class Pin(Strict):
    pin = fields.String(
        required=True,
        allow_none=True,
        validate=_SHORT,
        metadata={"description": "4 to 8 digits; null takes it away"},
    )
    password = fields.String(required=True, validate=validate.Length(max=1024))


class Proof(Schema):
    class Meta:
        unknown = EXCLUDE

    pin = fields.String(
        data_key="X-Matinee-PIN", load_default="", validate=_SHORT, metadata=_PIN
    )


class HistoryQuery(Schema):
    limit = fields.Integer(load_default=50, validate=validate.Range(1, 100))
    offset = fields.Integer(load_default=0, validate=validate.Range(0, 1_000_000))


class Watched(Schema):
    title = fields.String(required=True, attribute="slug")
    name = fields.String(required=True)
    series = fields.String(required=True)
    season = fields.Integer(required=True, allow_none=True)
    episode = fields.Integer(required=True, allow_none=True)
    watched_at = fields.String(required=True)
    fraction = fields.Float(required=True)
    finished = fields.Boolean(required=True)


class History(Schema):
    history = fields.List(fields.Nested(Watched), required=True)


class PinsCleared(Schema):
    cleared = fields.Integer(required=True)

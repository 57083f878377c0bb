"""What goes into the API and comes out of it about brand and announcements."""

import marshmallow as ma
from marshmallow import fields, validate

from appliance.operations.announcements import Level
from web.api.schemas import Strict

_TEXTS = fields.Dict(
    keys=fields.String(),
    values=fields.Dict(keys=fields.String(), values=fields.String()),
    metadata={"description": "By kind (welcome, imprint, privacy), then by language"},
)
_MOMENT = {"description": "UTC, or with a zone; null: open"}


class Brand(ma.Schema):
    name = fields.String(required=True)
    colour = fields.String(
        required=True, metadata={"description": "As #rrggbb; empty: as it comes"}
    )
    logo = fields.String(
        required=True, metadata={"description": "The name of its picture; empty: none"}
    )
    texts = _TEXTS
    revision = fields.Integer(required=True)


class BrandChange(Strict):
    name = fields.String()
    colour = fields.String()
    texts = _TEXTS
    revision = fields.Integer(metadata={"description": "The one that was seen"})


class Announcement(ma.Schema):
    id = fields.String(required=True)
    text = fields.String(required=True)
    level = fields.Enum(Level, by_value=True, required=True)
    dismissible = fields.Boolean(required=True)
    starts_at = fields.String(required=True, allow_none=True)
    ends_at = fields.String(required=True, allow_none=True)
    created_by = fields.String(required=True)
    created_at = fields.String(required=True)


class Announcements(ma.Schema):
    announcements = fields.List(fields.Nested(Announcement), required=True)


class AnnouncementRequest(Strict):
    text = fields.String(required=True, validate=validate.Length(1, 300))
    level = fields.Enum(Level, by_value=True, load_default=Level.INFO)
    dismissible = fields.Boolean(load_default=True)
    starts_at = fields.String(load_default=None, allow_none=True, metadata=_MOMENT)
    ends_at = fields.String(load_default=None, allow_none=True, metadata=_MOMENT)


class MaintenanceRequest(Strict):
    starts_at = fields.String(load_default=None, allow_none=True, metadata=_MOMENT)
    ends_at = fields.String(load_default=None, allow_none=True, metadata=_MOMENT)
    message = fields.String(load_default="", validate=validate.Length(max=300))


class Maintenance(ma.Schema):
    planned = fields.Boolean(required=True)
    closed = fields.Boolean(required=True)
    starts_at = fields.String(required=True, allow_none=True)
    ends_at = fields.String(required=True, allow_none=True)
    message = fields.String(required=True)

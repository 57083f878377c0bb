"""What comes out of the API about backups."""

import marshmallow as ma
from marshmallow import fields

from appliance.operations.backups.runs import RunKind, RunState


class Run(ma.Schema):
    public_id = fields.String(required=True)
    kind = fields.Enum(RunKind, by_value=True, required=True)
    state = fields.Enum(RunState, by_value=True, required=True)
    name = fields.String(
        required=True, metadata={"description": "Of the backup; empty before there is"}
    )
    place = fields.String(required=True)
    asked_by = fields.String(required=True)
    asked_at = fields.String(required=True)
    started_at = fields.String(required=True, allow_none=True)
    ended_at = fields.String(required=True, allow_none=True)
    message = fields.String(
        required=True, metadata={"description": "What went wrong, for people"}
    )
    facts = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "Figures, as bytes and files"},
    )


class Backup(Run):
    verified_at = fields.String(required=True, allow_none=True)


class Backups(ma.Schema):
    backups = fields.List(fields.Nested(Backup), required=True)
    runs = fields.List(fields.Nested(Run), required=True)

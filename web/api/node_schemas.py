"""What goes into the API and comes out of it about machines that join."""

import marshmallow as ma
from marshmallow import fields, validate

from appliance.operations.invitations import Kind
from web.api.schemas import Strict

_SECRET = validate.Length(16, 200)
_VERSION = validate.Length(1, 40)


class NodeJoin(Strict):
    token = fields.String(
        required=True,
        validate=_SECRET,
        metadata={"description": "What `matinee node token` printed; for one use"},
    )
    name = fields.String(
        load_default="",
        validate=validate.Length(0, 40),
        metadata={"description": "What the machine is called, unless the token says"},
    )
    version = fields.String(
        required=True,
        validate=_VERSION,
        metadata={"description": "Its release of Matinee, which must be that here"},
    )
    exchange = fields.String(
        load_default="",
        validate=validate.OneOf(["", "folder", "objects"]),
        metadata={"description": "How a worker gets at films; empty: as is possible"},
    )


class NodeRefresh(Strict):
    credential = fields.String(required=True, validate=_SECRET)
    version = fields.String(required=True, validate=_VERSION)


class JoinedNode(ma.Schema):
    id = fields.String(required=True)
    kind = fields.String(
        required=True, validate=validate.OneOf([each.value for each in Kind])
    )
    name = fields.String(required=True)


class NodeFile(ma.Schema):
    name = fields.String(required=True, metadata={"description": "In its folder keys"})
    content = fields.String(required=True)


class NodeProvision(ma.Schema):
    node = fields.Nested(JoinedNode, required=True)
    version = fields.String(required=True)
    credential = fields.String(
        required=True,
        metadata={"description": "For /nodes/refresh; empty but when joining"},
    )
    settings = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata={"description": "By their keys, as queue.url"},
    )
    files = fields.List(fields.Nested(NodeFile), required=True)

"""What goes into the API and comes out of it about tokens of programs."""

import marshmallow as ma
from marshmallow import fields, validate

from appliance.accounts.tokens import MOST_DAYS
from appliance.permissions import Action
from web.api.schemas import Strict

_SCOPES = fields.List(
    fields.String(validate=validate.OneOf([each.value for each in Action])),
    required=True,
    validate=validate.Length(1),
    metadata={"description": "What it may do, as long as its account may"},
)


class NamedToken(ma.Schema):
    id = fields.String(required=True)
    name = fields.String(required=True)
    username = fields.String(required=True)
    scopes = _SCOPES
    created_at = fields.String(required=True)
    seen_at = fields.String(required=True)
    expires_at = fields.String(required=True)


class NamedTokens(ma.Schema):
    tokens = fields.List(fields.Nested(NamedToken), required=True)


class NamedTokenRequest(Strict):
    name = fields.String(required=True, validate=validate.Length(1, 60))
    scopes = _SCOPES
    days = fields.Integer(load_default=90, validate=validate.Range(1, MOST_DAYS))


class NamedTokenMade(NamedToken):
    token = fields.String(
        required=True, metadata={"description": "The bearer token, shown only now"}
    )

"""What goes into the API and comes out of it about webhooks and e-mail."""

import marshmallow as ma
from marshmallow import fields, validate

from appliance.operations.deliveries import DeliveryState
from appliance.operations.mail import MailState
from web.api.schemas import Strict

_EVENTS = {"description": "Names or patterns, as title:*; none: all"}


class Webhook(ma.Schema):
    id = fields.String(required=True)
    url = fields.String(required=True)
    events = fields.List(fields.String(), required=True, metadata=_EVENTS)
    enabled = fields.Boolean(required=True)
    created_at = fields.String(required=True)
    waiting = fields.Integer(required=True)
    failed = fields.Integer(required=True)


class Webhooks(ma.Schema):
    webhooks = fields.List(fields.Nested(Webhook), required=True)


class WebhookRequest(Strict):
    url = fields.String(required=True, validate=validate.Length(1, 500))
    events = fields.List(fields.String(), load_default=list, metadata=_EVENTS)


class WebhookMade(Webhook):
    secret = fields.String(
        required=True, metadata={"description": "Of its signatures, shown only now"}
    )


class WebhookChange(Strict):
    url = fields.String(validate=validate.Length(1, 500))
    events = fields.List(fields.String(), metadata=_EVENTS)
    enabled = fields.Boolean()


class Delivery(ma.Schema):
    id = fields.String(required=True)
    event = fields.String(required=True)
    subject = fields.String(required=True)
    state = fields.Enum(DeliveryState, by_value=True, required=True)
    attempts = fields.Integer(required=True)
    status = fields.Integer(required=True, allow_none=True)
    answer = fields.String(required=True)
    next_at = fields.String(required=True, allow_none=True)
    created_at = fields.String(required=True)
    finished_at = fields.String(required=True, allow_none=True)
    body = fields.String(required=True)


class Deliveries(ma.Schema):
    deliveries = fields.List(fields.Nested(Delivery), required=True)


class MailRules(ma.Schema):
    recipients = fields.Dict(
        keys=fields.String(), values=fields.List(fields.String()), required=True
    )
    revision = fields.Integer(required=True)


class MailRule(Strict):
    event = fields.String(required=True, validate=validate.Length(1, 60))
    recipients = fields.List(
        fields.String(), required=True, validate=validate.Length(max=50)
    )
    revision = fields.Integer(metadata={"description": "The one that was seen"})


class Letter(ma.Schema):
    id = fields.String(required=True)
    recipient = fields.String(required=True)
    template = fields.String(required=True)
    subject = fields.String(required=True)
    state = fields.Enum(MailState, by_value=True, required=True)
    attempts = fields.Integer(required=True)
    problem = fields.String(required=True)
    next_at = fields.String(required=True, allow_none=True)
    created_at = fields.String(required=True)


class Letters(ma.Schema):
    letters = fields.List(fields.Nested(Letter), required=True)


class TestLetter(Strict):
    __test__ = False

    recipient = fields.String(required=True, validate=validate.Length(1, 320))

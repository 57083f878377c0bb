"""What goes into the API of groups and what comes out of it."""

from marshmallow import Schema, fields, validate

from web.api.schemas import Strict


class NewGroup(Strict):
    name = fields.String(required=True, validate=validate.Length(1, 200))


class Group(Schema):
    id = fields.String(required=True, attribute="public_id")
    name = fields.String(required=True)
    members = fields.Integer(required=True)


class Groups(Schema):
    groups = fields.List(fields.Nested(Group), required=True)


class Member(Schema):
    username = fields.String(required=True)
    display_name = fields.String(required=True)


class Members(Schema):
    group = fields.Nested(Group, required=True)
    members = fields.List(fields.Nested(Member), required=True)

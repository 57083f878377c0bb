"""What comes out of the API about the installation itself."""

import marshmallow as ma
from marshmallow import fields, validate

from appliance.operations.findings import Level


class SystemCheck(ma.Schema):
    id = fields.String(required=True, metadata={"description": "As db.integrity"})
    level = fields.String(
        required=True, validate=validate.OneOf([each.value for each in Level])
    )
    sentence = fields.String(required=True)
    fix = fields.String(
        required=True, metadata={"description": "What to do; empty where all is well"}
    )


class SystemChecks(ma.Schema):
    ok = fields.Boolean(required=True, metadata={"description": "Nothing fails"})
    checks = fields.List(fields.Nested(SystemCheck), required=True)

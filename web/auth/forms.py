"""Put what the core said beside the field that it speaks of."""

from collections.abc import Mapping

from appliance.errors import MatineeError
from web.refusals import said


def by_field(error: MatineeError | None, fields: Mapping[str, str]) -> dict[str, str]:
    """Return the sentence under the name of its field, or under ``form``.

    ``fields`` maps a code (``password.wrong``) or its first part (``password``).
    """
    if error is None:
        return {}
    noun = error.code.split(".")[0]
    return {fields.get(error.code, fields.get(noun, "form")): said(error)}

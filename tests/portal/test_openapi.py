"""What the API says of itself, asked in ways that nobody thought of: it never breaks.

Examples are drawn from the description, the same ones each time.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, Phase, given, seed
from hypothesis import settings as drawing

from appliance.permissions import Role
from tests.builders import Builders
from tests.conftest import SignIn
from web import guard

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

_EXAMPLES = 6
# Of what is asked for by chance most is not there; some must be, or nothing was tried.
_LEAST_SHARE = 0.04


@pytest.mark.parametrize("role", [Role.VIEWER, Role.PUBLISHER, Role.ADMINISTRATOR])
def test_no_request_that_the_description_allows_breaks_the_server(
    app: Flask, client: FlaskClient, make: Builders, sign_in: SignIn, role: Role
) -> None:
    make.asset(make.title("Sintel"))
    sign_in(client, role, "ada")
    token = client.get_cookie(guard.COOKIE)
    assert token is not None
    statuses: Counter[int] = Counter()
    broken: list[str] = []

    for operation in _operations(app):

        @seed(20261121)
        @drawing(
            max_examples=_EXAMPLES,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def ask(case: Any) -> None:
            answer = case.call(headers={"Authorization": f"Bearer {token.value}"})
            statuses[answer.status_code] += 1
            if answer.status_code >= 500 and answer.status_code not in (503, 507):
                broken.append(f"{answer.status_code} {case.as_curl_command()}")

        ask()

    assert broken == []
    well = sum(count for status, count in statuses.items() if status < 300)
    assert well / statuses.total() > _LEAST_SHARE, dict(statuses)


def _operations(app: Flask) -> Iterator[Any]:
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    for result in schema.get_all_operations():
        operation: Any = result
        yield operation.ok()

"""The OpenAPI description, and errors in the one form that all of ours have."""

from collections.abc import Iterator, Mapping
from functools import cache
from http import HTTPStatus
from typing import Any, NoReturn

from flask import Flask, Response, jsonify
from flask_smorest import Api
from webargs.flaskparser import FlaskParser

from appliance import __version__
from appliance.errors import InvalidInput
from web import guard
from web.api.schemas import Problem

_PROBLEM = "application/problem+json"


class Parser(FlaskParser):
    """Reads arguments; what is wrong with them is said by the name of the field."""

    DEFAULT_VALIDATION_STATUS = HTTPStatus.BAD_REQUEST

    def handle_error(self, error: Any, *_: Any, **__: Any) -> NoReturn:
        errors = [
            {"field": field, "message": message}
            for messages in error.messages.values()
            for field, message in _flat(messages)
        ]
        first = errors[0]
        raise InvalidInput(
            "request.invalid",
            f"{first['field'] or 'The request'}: {first['message']}",
            {"field": first["field"], "errors": errors},
        )

    def _handle_invalid_json_error(self, error: Any, *_: Any, **__: Any) -> NoReturn:
        raise InvalidInput("request.json", "The body is not JSON.") from error


class Description(Api):  # type: ignore[misc]  # flask-smorest has no types
    """Describes the API; errors are left to :mod:`web.errors`."""

    def _register_error_handlers(self) -> None:
        """Register none: there is one family of errors, and one place that maps it."""

    def _register_responses(self) -> None:
        for status in HTTPStatus:
            self._register_response(status.name, status.phrase)
        self._register_response("DEFAULT_ERROR", "An error")

    def _register_response(self, name: str, description: str) -> None:
        content = {_PROBLEM: {"schema": Problem}}
        self.spec.components.response(
            name, {"description": description, "content": content}, lazy=True
        )


def serve(app: Flask, blueprint: Any, address: str) -> None:
    """Answer at ``address`` with the description of what is in the blueprint.

    It is made when it is first asked for: few ask, and a start need not wait for it.
    """
    app.config.update(
        API_TITLE="Matinee", API_VERSION=__version__, OPENAPI_VERSION="3.0.3"
    )

    @cache
    def described() -> dict[str, Any]:
        return _described(app, blueprint)

    @guard.public("the description of the API holds no data of anybody")
    def openapi() -> Response:
        return jsonify(described())

    app.add_url_rule(address, "openapi", openapi)


def _described(app: Flask, blueprint: Any) -> dict[str, Any]:
    description = Description(
        app,
        spec_kwargs={
            "servers": [{"url": "/"}],
            "security": [{"bearer": []}, {"cookie": []}],
        },
    )
    spec = description.spec
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    spec.components.security_scheme(
        "cookie", {"type": "apiKey", "in": "cookie", "name": guard.COOKIE}
    )
    name = blueprint.name
    blueprint.register_views_in_doc(description, app, spec, name=name, parameters=None)
    spec.tag({"name": name, "description": blueprint.description})
    document: dict[str, Any] = spec.to_dict()
    return document


def _flat(messages: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Yield every (field, message) of what marshmallow found, nested or not."""
    if isinstance(messages, Mapping):
        for name, inner in messages.items():
            part = "" if name == "_schema" else str(name)
            yield from _flat(inner, f"{path}.{part}".strip("."))
    elif isinstance(messages, list):
        for each in messages:
            yield from _flat(each, path)
    else:
        yield path, str(messages)

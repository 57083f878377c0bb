"""Tokens for programs."""

from dataclasses import asdict
from typing import Any

from flask import request

from appliance.accounts import sessions, tokens
from appliance.accounts.sessions import Kind
from appliance.permissions import Action
from web import context, guard
from web.api import schemas, token_schemas
from web.api.endpoint import PROVES_ITSELF, Endpoint


def create_token(given: dict[str, Any]) -> dict[str, Any]:
    """Sign in for a bearer token.

    Answers 401 with the code ``sign-in.otp-needed`` when a second factor is needed.
    """
    settings = context.settings()
    token, signed_in = sessions.sign_in(
        context.db(),
        settings,
        given["username"],
        given["password"],
        given.get("otp"),
        address=context.actor().address,
        user_agent=request.user_agent.string[:300],
        kind=Kind.API,
        profile=given["profile"],
    )
    return {
        "token": token,
        "token_type": "Bearer",
        "expires_in": settings.accounts.token_hours * 3600,
        "username": signed_in.username,
        "display_name": signed_in.display_name,
        "roles": sorted(signed_in.roles),
    }


def list_tokens() -> dict[str, Any]:
    """List one's own tokens that still hold."""
    found = tokens.listing(context.db(), context.actor())
    return {"tokens": [asdict(each) for each in found]}


def make_token(body: dict[str, Any]) -> dict[str, Any]:
    """Make a token for some actions, until a day; it is answered only now."""
    actor = context.actor()
    text, made = tokens.create(
        context.db(),
        actor,
        actor.username,
        body["name"],
        body["scopes"],
        body["days"],
    )
    return asdict(made) | {"token": text}


def revoke_token(token: str) -> None:
    """End a token at once."""
    tokens.revoke(context.db(), context.actor(), token)


_OWN = guard.needs(Action.ACCOUNT_OWN)

ENDPOINTS = (
    Endpoint(
        "POST",
        "/auth/token",
        create_token,
        PROVES_ITSELF,
        takes=schemas.TokenRequest,
        gives=schemas.Token,
        status=201,
    ),
    Endpoint("GET", "/tokens", list_tokens, _OWN, gives=token_schemas.NamedTokens),
    Endpoint(
        "POST",
        "/tokens",
        make_token,
        _OWN,
        takes=token_schemas.NamedTokenRequest,
        gives=token_schemas.NamedTokenMade,
        status=201,
    ),
    Endpoint("DELETE", "/tokens/<token>", revoke_token, _OWN, status=204),
)

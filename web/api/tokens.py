"""Tokens for programs."""

from typing import Any

from flask import request

from appliance.accounts import sessions
from appliance.accounts.sessions import Kind
from web import context


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
    )
    return {
        "token": token,
        "token_type": "Bearer",
        "expires_in": settings.accounts.token_hours * 3600,
        "username": signed_in.username,
        "display_name": signed_in.display_name,
        "roles": sorted(signed_in.roles),
    }

"""Signing in and out, the first administrator, and one's own account."""

from flask import Blueprint, Response

from web.auth import account, second_factor, setup, sign_in, tokens

blueprint = Blueprint("auth", __name__)

_GET, _POST = ["GET"], ["POST"]

for _rule, _view, _methods in (
    ("/login", sign_in.login_page, _GET),
    ("/login", sign_in.login, _POST),
    ("/login/code", sign_in.code_page, _GET),
    ("/login/code", sign_in.code, _POST),
    ("/logout", sign_in.logout, _POST),
    ("/setup", setup.setup_page, _GET),
    ("/setup", setup.setup, _POST),
    ("/account", account.account_page, _GET),
    ("/account", account.rename, _POST),
    ("/account/password", account.change_password, _POST),
    ("/account/pin", account.set_pin, _POST),
    ("/account/sessions/revoke", account.revoke_others, _POST),
    ("/account/sessions/<session_id>/revoke", account.revoke, _POST),
    ("/account/tokens", tokens.tokens, _GET),
    ("/account/tokens", tokens.create_token, _POST),
    ("/account/tokens/<token>/revoke", tokens.revoke_token, _POST),
    ("/account/totp", second_factor.totp_page, _GET),
    ("/account/totp/begin", second_factor.begin, _POST),
    ("/account/totp/confirm", second_factor.confirm, _POST),
    ("/account/totp/codes", second_factor.renew_codes, _POST),
    ("/account/totp/disable", second_factor.disable, _POST),
):
    blueprint.add_url_rule(_rule, view_func=_view, methods=_methods)


@blueprint.after_request
def _keep_nothing(response: Response) -> Response:
    # Nobody who finds the browser open later shall go back to codes or forms.
    response.headers["Cache-Control"] = "no-store"
    return response

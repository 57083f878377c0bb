"""The doors of licences: ClearKey's own, and those of providers behind ours."""

from flask import Blueprint, Response

from web.licence import certificates, clearkey, proxies

blueprint = Blueprint("licence", __name__, url_prefix="/licence")

for _rule, _view, _method in (
    ("/clearkey", clearkey.clearkey, "POST"),
    ("/widevine", proxies.widevine, "POST"),
    ("/playready", proxies.playready, "POST"),
    ("/fairplay", proxies.fairplay, "POST"),
    ("/widevine/certificate", certificates.widevine_certificate, "GET"),
    ("/fairplay/certificate", certificates.fairplay_certificate, "GET"),
):
    blueprint.add_url_rule(_rule, view_func=_view, methods=[_method])


@blueprint.after_request
def _secret(response: Response) -> Response:
    """Let nobody keep an answer, be it a licence or why there is none."""
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = "Bearer"
    return response

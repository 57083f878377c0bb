"""The doors of licences: ClearKey's own, and those of providers behind ours."""

from flask import Blueprint

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

"""Profiles: who is watching, what they have watched, and how they like it."""

from flask import Blueprint, Response
from flask.blueprints import BlueprintSetupState

from appliance.accounts import faces
from web.profiles import history, managing, preferences, who

blueprint = Blueprint("profiles", __name__)

_GET, _POST = ["GET"], ["POST"]

for _rule, _view, _methods in (
    ("/profiles", who.who, _GET),
    ("/profiles/manage", managing.manage, _GET),
    ("/profiles/new", managing.new_page, _GET),
    ("/profiles/new", managing.add, _POST),
    ("/profiles/<public_id>/open", who.open_page, _GET),
    ("/profiles/<public_id>/open", who.open_profile, _POST),
    ("/profiles/<public_id>", managing.edit_page, _GET),
    ("/profiles/<public_id>", managing.edit, _POST),
    ("/profiles/<public_id>/pin", managing.set_pin, _POST),
    ("/profiles/<public_id>/remove", managing.remove_page, _GET),
    ("/profiles/<public_id>/remove", managing.remove, _POST),
    ("/history", history.history, _GET),
    ("/history/clear", history.confirm_clearing, _GET),
    ("/history/clear", history.clear, _POST),
    ("/history/<slug>/remove", history.forget, _POST),
    ("/preferences", preferences.preferences_page, _GET),
    ("/preferences", preferences.save, _POST),
):
    blueprint.add_url_rule(_rule, view_func=_view, methods=_methods)


@blueprint.record_once
def _tell_templates(state: BlueprintSetupState) -> None:
    state.app.jinja_env.globals["face_drawings"] = faces.DRAWINGS


@blueprint.after_request
def _keep_nothing(response: Response) -> Response:
    # Whoever goes back after a child took over shall not see who watches what.
    response.headers["Cache-Control"] = "no-store"
    return response

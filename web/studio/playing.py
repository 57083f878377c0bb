"""What plays now, in the Studio: who watches what, and a way to stop it."""

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.permissions import Action
from appliance.playback import sessions, streams
from web import context, guard


@guard.needs(Action.PLAYBACK_MANAGE)
def index() -> str:
    who = request.args.get("who", "").strip()
    playing = streams.everybodys(context.db(), context.actor(), who)
    return render_template("studio/playing.html", playing=playing, who=who)


@guard.needs(Action.PLAYBACK_MANAGE)
def confirm_terminating(session: str) -> str:
    stream = streams.by_session(context.db(), context.actor(), session)
    return render_template("studio/terminate.html", stream=stream)


@guard.needs(Action.PLAYBACK_MANAGE)
def terminate(session: str) -> Response:
    stream = streams.by_session(context.db(), context.actor(), session)
    sessions.terminate(context.db(), context.actor(), session)
    flash(f"“{stream.name}” stops for {stream.viewer} within minutes.", "ok")
    return redirect(url_for("studio.playing"))

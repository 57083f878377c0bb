"""The machines that do media work, in the Studio: their load, and what they do."""

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from appliance.permissions import Action
from jobs.machines import directing
from jobs.machines.nodes import Node
from jobs.tools.encoders import SHOWN, Family
from web import context, guard


@guard.needs(Action.NODE_MANAGE)
def index() -> str:
    found = directing.listing(context.db(), context.actor(), context.storage())
    return render_template("studio/nodes.html", nodes=found, graphics=_graphics)


def _graphics(node: Node) -> dict[str, list[str]]:
    """Return what the graphics processors of a machine encode, by their kind."""
    found: dict[str, list[str]] = {}
    for each in node.encoders:
        if each.family is not Family.SOFTWARE:
            codecs = found.setdefault(SHOWN[each.family], [])
            if SHOWN[each.codec] not in codecs:
                codecs.append(SHOWN[each.codec])
    return found


@guard.needs(Action.NODE_MANAGE)
def drain(name: str) -> Response:
    directing.drain(context.db(), context.actor(), context.storage(), name)
    flash(f"{name} finishes what it does and takes nothing new.", "ok")
    return redirect(url_for("studio.nodes"))


@guard.needs(Action.NODE_MANAGE)
def resume(name: str) -> Response:
    directing.resume(context.db(), context.actor(), context.storage(), name)
    flash(f"{name} takes work again.", "ok")
    return redirect(url_for("studio.nodes"))


@guard.needs(Action.NODE_MANAGE)
def limit(name: str) -> Response:
    units = request.form.get("units", 0, type=int)
    directing.limit(context.db(), context.actor(), context.storage(), name, units)
    words = f"at most {units} at once" if units else "as many as it has room for"
    flash(f"{name} takes {words}.", "ok")
    return redirect(url_for("studio.nodes"))


@guard.needs(Action.NODE_MANAGE)
def remove(name: str) -> Response:
    directing.remove(context.db(), context.actor(), context.storage(), name)
    flash(f"{name} is forgotten.", "ok")
    return redirect(url_for("studio.nodes"))

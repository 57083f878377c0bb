"""The web edge: views that read a request, ask the core, and show the answer."""

from flask import Flask

from appliance import keyring
from appliance.clock import Clock, SystemClock
from appliance.settings import Settings
from web import (
    api,
    context,
    door,
    errors,
    front,
    guard,
    headers,
    house,
    languages,
    templating,
)
from web.auth import blueprint as auth
from web.internal import blueprint as internal
from web.licence import blueprint as licence
from web.licence import lane
from web.monitoring import blueprint as monitoring
from web.playback import blueprint as playback
from web.portal import blueprint as portal
from web.profiles import blueprint as profiles
from web.studio import blueprint as studio

BLUEPRINTS = (
    *(portal, auth, profiles, studio, playback, licence, internal),
    monitoring,
)


def create_app(settings: Settings, clock: Clock | None = None) -> Flask:
    """Build the application; it refuses to start when a view has no guard."""
    app = Flask(__name__)
    app.config.update(
        SECRET_KEY=keyring.key(settings.keys, "web"),
        SESSION_COOKIE_NAME="matinee_form",
        SESSION_COOKIE_SECURE=settings.web.secure_cookies,
        SESSION_COOKIE_SAMESITE="Lax",
        MAX_CONTENT_LENGTH=4 * 1024 * 1024,
        WTF_CSRF_TIME_LIMIT=None,
        WTF_CSRF_CHECK_DEFAULT=False,
    )
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    lane.install(app, settings)
    door.install(app, settings)
    front.install(app, settings)
    context.install(app, settings, clock or SystemClock())
    guard.install(app)
    errors.install(app)
    headers.install(app, settings)
    templating.install(app)
    languages.install(app)
    house.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    api.install(app)
    guard.require_everywhere(app)
    return app

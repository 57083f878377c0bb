"""The web edge: views that read a request, ask the core, and show the answer."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from appliance import keyring
from appliance.clock import Clock, SystemClock
from appliance.settings import Settings
from web import api, context, errors, guard, headers, templating
from web.auth import blueprint as auth
from web.internal import blueprint as internal
from web.licence import blueprint as licence
from web.licence import lane
from web.playback import blueprint as playback
from web.portal import blueprint as portal
from web.studio import blueprint as studio

BLUEPRINTS = (portal, auth, studio, playback, licence, internal)


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
    # Behind a Unix socket nobody but a web server asks: without its word there would be
    # no address at all.
    count = settings.portal.trusted_proxies or int(bool(settings.web.socket))
    if count:
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]
            app.wsgi_app, x_for=count, x_proto=count, x_host=count
        )
    context.install(app, settings, clock or SystemClock())
    guard.install(app)
    errors.install(app)
    headers.install(app, settings)
    templating.install(app)
    for blueprint in BLUEPRINTS:
        app.register_blueprint(blueprint)
    api.install(app)
    guard.require_everywhere(app)
    return app

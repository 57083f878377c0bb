"""What makes the portal an app on a phone: its manifest, its worker, its empty page."""

from flask import (
    Response,
    current_app,
    jsonify,
    render_template,
    send_from_directory,
    url_for,
)
from flask_babel import get_locale

from web import guard, house
from web.languages import direction

_WHY = "A browser asks for it without saying who watches; nothing of anybody is in it."
_ICONS = (("icon-192", 192, "any"), ("icon-512", 512, "any"))


@guard.public(_WHY)
def manifest() -> Response:
    """Describe the app; name and language are those of the portal."""
    name = house.of_request().brand.name
    locale = get_locale()
    icons = [
        *(_icon(file, size, purpose) for file, size, purpose in _ICONS),
        _icon("icon-maskable", 512, "maskable"),
    ]
    response = jsonify(
        {
            "id": "/",
            "name": name,
            "short_name": name[:12].strip(),
            "lang": locale.language if locale else "en",
            "dir": direction(),
            "start_url": "/",
            "scope": "/",
            "display": "standalone",
            "background_color": "#0b0d11",
            "theme_color": "#0b0d11",
            "icons": icons,
        }
    )
    response.mimetype = "application/manifest+json"
    return response


@guard.public(_WHY)
def worker() -> Response:
    """Send the script that keeps the shell; from here it may serve every page."""
    folder = f"{current_app.static_folder}/js"
    response = send_from_directory(folder, "app-worker.js")
    response.headers["Cache-Control"] = "no-cache"
    return response


@guard.public(_WHY)
def offline() -> str:
    """Show what the worker shows without a network."""
    return render_template("portal/offline.html")


def _icon(file: str, size: int, purpose: str) -> dict[str, str]:
    return {
        "src": url_for("static", filename=f"img/{file}.png"),
        "sizes": f"{size}x{size}",
        "type": "image/png",
        "purpose": purpose,
    }

"""The configuration of nginx, rendered whole from the settings; nothing is edited.

:func:`render` gives every file as text by its path below the configuration's folder.
Whatever no location names is refused, and no value of a setting can become syntax:
what a template puts in is one plain word, or was quoted by :mod:`nginx.words`.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from appliance.settings import Settings
from nginx import roles as role_table
from nginx.secrets import Secrets
from nginx.site import site
from nginx.words import harmless

_TEMPLATES = Path(__file__).parent / "templates"
_ENVIRONMENT = Environment(
    loader=FileSystemLoader(_TEMPLATES),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    keep_trailing_newline=True,
    autoescape=False,  # noqa: S701 nginx is no HTML; `finalize` is the guard here
    finalize=harmless,
)

PRIVATE = frozenset({"secrets.conf", "film_secrets.conf", "object_secrets.conf"})
"""The files that hold secrets: they are written with mode 0600."""


def render(
    settings: Settings, secrets: Secrets, roles: Iterable[str] = ()
) -> Mapping[str, str]:
    """Return each file of the configuration by its path, ``nginx.conf`` among them.

    ``roles`` are those of ``nginx.roles`` where none are given.
    Errors: ``ConfigError`` for settings that nginx can't be given.
    """
    chosen = role_table.chosen(settings, roles)
    values = site(settings, secrets, chosen).values()
    for role in chosen.roles:
        values |= role.values(settings, secrets)
    return {
        name: _ENVIRONMENT.get_template(f"{name}.j2").render(values)
        for name in chosen.files
    }

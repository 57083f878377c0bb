"""Checks of the configuration of nginx: is it the one of the settings, and sound?"""

import tempfile
from dataclasses import replace
from os import R_OK, access
from pathlib import Path

import nginx
from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.operations.findings import Level
from appliance.settings import Settings
from nginx import PRIVATE, secrets, trial, versions

_INSTALL = "matinee nginx install"


def _configuration(examined: Examined) -> Answer:
    settings = examined.settings
    if not versions.in_use(settings):
        return ok("nginx does not run by a configuration of ours here")
    wanted = nginx.render(settings, secrets.load(settings))
    used = Path(settings.nginx.folder) / "current"
    differs = sorted(
        name
        for name, text in wanted.items()
        if name not in PRIVATE and _text(used / name) != text
    )
    if differs:
        return (
            Level.FAIL,
            f"nginx's {', '.join(differs[:5])} is not what the settings say: they were"
            " changed since, or somebody edited it",
            _INSTALL,
        )
    if grave := _refused(settings):
        return Level.FAIL, f"nginx refuses its configuration: {grave}", _INSTALL
    return ok("nginx has the configuration that the settings say")


def _text(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        return None


def _refused(settings: Settings) -> str:
    """Ask nginx itself, aside; only where we may read what it would."""
    key = settings.nginx.tls_key
    if key and not access(key, R_OK):
        return ""
    with tempfile.TemporaryDirectory(prefix="matinee-nginx-") as temporary:
        folder = Path(temporary)
        place = str(folder)
        apart = replace(settings.nginx, run=place, log=place, cache=place)
        aside = replace(settings, nginx=apart)
        trial.write(nginx.render(aside, secrets.load(aside)), folder)
        found = trial.test(folder)
    return " ".join(each.sentence for each in found if each.grave)


CHECKS: Checks = {"nginx.config": Check(_configuration, slow=True, seconds=60)}

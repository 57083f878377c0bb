"""``matinee config``: what can be configured, and what holds here."""

import re
from collections.abc import Iterator
from typing import Any

import click

from appliance import machine
from appliance import settings as configuration
from appliance.access import territory
from appliance.cli.installation import Installation, pass_installation
from appliance.cli.output import Output
from appliance.errors import NotFound
from appliance.settings import Documented, Settings
from appliance.sizing import Machine, as_document, sizes


@click.group()
def config() -> None:
    """Read and check the configuration.

    \b
    matinee config list
    matinee config get web.port
    """


@config.command("list")
@pass_installation
def listing(installation: Installation) -> None:
    """List every setting with its value, its default and what it does."""
    entries = [_entry(installation.settings, each) for each in _documented()]
    if installation.out.json:
        installation.out.result(entries, "")
    else:
        installation.out.result(None, "\n".join(_paragraphs(entries)).lstrip())


@config.command()
@click.argument("key")
@pass_installation
def get(installation: Installation, key: str) -> None:
    """Print the value of one setting, KEY as in web.port."""
    for each in _documented():
        if each.key == key:
            entry = _entry(installation.settings, each)
            installation.out.result(entry, _in_toml(entry["value"]))
            return
    raise NotFound(
        "config.unknown", f"There is no setting “{key}”: see `matinee config list`."
    )


@config.command()
@pass_installation
def check(installation: Installation) -> None:
    """Read the whole configuration and say whether it is right."""
    settings = installation.settings
    territory.check(settings)
    document = {"source": _source(settings), "home": str(settings.home)}
    installation.out.result(document, f"{document['source']}: right.")
    _warn_of_open_doors(installation.out, settings)


@config.command()
@click.option("--cores", type=click.IntRange(1), help="In place of those that it has.")
@click.option("--memory", type=click.IntRange(1), help="In MiB, in place of its own.")
@pass_installation
def size(installation: Installation, cores: int | None, memory: int | None) -> None:
    """Say how Matinee sizes itself to this machine, and why; nothing is changed.

    The installer writes these settings, unless it was told others.
    """
    found = machine.this()
    meant = Machine(cores or found.cores, memory or found.memory)
    installation.out.result(as_document(meant), "\n".join(sizes(meant).said()))


def _documented() -> Iterator[Documented]:
    yield from configuration.documented()


def _entry(settings: Settings, each: Documented) -> dict[str, Any]:
    section, name = each.key.split(".")
    return {
        "key": each.key,
        "value": _shown(getattr(getattr(settings, section), name)),
        "default": each.default,
        "type": each.kind,
        "variable": each.variable,
        "doc": each.doc,
    }


def _shown(value: object) -> object:
    """Hide the password in an address: this is printed, and gets into logs."""
    if not isinstance(value, str):
        return value
    return re.sub(r"(?<=://)[^@/]+@", "hidden@", value)


def _paragraphs(entries: list[dict[str, Any]]) -> Iterator[str]:
    """Write the entries as a configuration file that would give these values."""
    section = ""
    for entry in entries:
        new, name = entry["key"].split(".")
        if new != section:
            section = new
            yield f"\n[{section}]"
        yield f"# {entry['doc']}"
        yield f"{name} = {_in_toml(entry['value'])}"
        if entry["value"] != entry["default"]:
            yield f"# default: {_in_toml(entry['default'])}"


def _in_toml(value: object) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f'"{value}"' if isinstance(value, str) else str(value)


def _source(settings: Settings) -> str:
    return str(settings.source) if settings.source else "Defaults and environment"


def _warn_of_open_doors(out: Output, settings: Settings) -> None:
    local = settings.web.host in ("127.0.0.1", "::1", "localhost")
    if not local and not settings.web.secure_cookies:
        out.say(
            "Warning: the web server listens on the network and sends cookies without"
            " TLS. Put a proxy with TLS in front and set web.secure_cookies = true."
        )

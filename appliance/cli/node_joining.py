"""``matinee node token``, ``join`` and ``refresh``: how a machine becomes part."""

import dataclasses
import hashlib
import os
import platform
import ssl
import sys
from pathlib import Path

import click

from appliance import __version__
from appliance.cli.installation import Installation, pass_installation
from appliance.cli.nginx import put_into_use
from appliance.errors import ConfigError, InvalidInput, PreconditionFailed
from appliance.operations import invitations, membership
from appliance.operations.invitations import MOST_MINUTES, Kind
from appliance.operations.membership import Membership
from appliance.operations.pinned_call import ControlNode
from appliance.settings import Settings
from jobs.machines import joining
from nginx import versions

_API = "/api/v1/nodes"
_ETC = Path("/etc/matinee")
_NEXT = {
    Kind.WORKER: "Start its work: systemctl enable --now matinee-media.service, or"
    " matinee worker --media.",
    Kind.EDGE: "Put its nginx into use: matinee nginx install, and start it with"
    " systemctl enable --now matinee-nginx.service. Then list it in edge.sites of the"
    " control node.",
    Kind.STANDBY: "It can follow the copies of the control node now: see matinee"
    " backup standby --help.",
}


@click.command()
@click.option(
    "--kind",
    type=click.Choice([each.value for each in Kind]),
    required=True,
    help="What the machine is to be.",
)
@click.option("--name", default="", help="What it is called; else it says so itself.")
@click.option(
    "--minutes",
    type=click.IntRange(1, MOST_MINUTES),
    default=60,
    show_default=True,
    help="How long the token can be used.",
)
@pass_installation
def token(installation: Installation, kind: str, name: str, minutes: int) -> None:
    """Print a token by which one machine may join this installation, once.

    It goes to standard output alone, for `matinee node join … --token-stdin` on the new
    machine; what to type there is printed beside it. Whoever has the token can join:
    carry it as you carry a password.
    """
    settings = installation.settings
    with installation.db() as db:
        text, made = joining.invite(
            db, settings, installation.actor, Kind(kind), name, minutes
        )
    url, fingerprint = settings.portal.public_url, _fingerprint(settings)
    installation.out.result(
        dataclasses.asdict(made)
        | {"token": text, "url": url, "fingerprint": fingerprint},
        text,
    )
    pinned = f" --fingerprint {fingerprint}" if fingerprint else ""
    installation.out.say(
        f"Within {minutes} minutes, on the new machine, with this token on standard"
        f" input:\n  matinee node join {url or 'https://…'} --token-stdin{pinned}"
        f"\nThen it says there what comes next. A bare machine is installed and joined"
        f" by ansible/{made.kind}.yml of the release, which needs no token of yours."
    )
    if made.kind is Kind.EDGE and versions.in_use(settings):
        installation.out.say(
            "Then here, as root, so that nginx knows it: matinee nginx install"
        )


@click.command()
@click.argument("url")
@click.option("--token-stdin", is_flag=True, help="Read the token from standard input.")
@click.option(
    "--fingerprint",
    default="",
    metavar="SHA256",
    help="Of the control node's certificate; else an authority must vouch for it.",
)
@click.option("--name", default="", help="What this machine is called; else its host.")
@click.option(
    "--exchange",
    type=click.Choice(["folder", "objects"]),
    default=None,
    help="How this worker gets at films; else by object storage where there is one.",
)
@pass_installation
def join(
    installation: Installation,
    url: str,
    token_stdin: bool,
    fingerprint: str,
    name: str,
    exchange: str | None,
) -> None:
    """Make this machine part of the installation at URL, by a token from there.

    URL is the address of the portal. What the control node gives is written below
    /etc/matinee (joined.toml) and into the folder of keys, with mode 0600; nothing else
    on this machine is changed.

    \b
    matinee node join https://films.example --token-stdin < token
    """
    settings = installation.settings
    if settings.database.is_file():
        raise PreconditionFailed(
            "node.has-database",
            f"{settings.database} is there: this machine is a control node itself, and"
            " no part of another installation.",
        )
    _require_place(settings)
    control = ControlNode(url, fingerprint)
    answer = control.post(
        f"{_API}/join",
        {
            "token": _token(token_stdin),
            "name": _name(settings, name),
            "version": __version__,
            "exchange": exchange or "",
        },
    )
    told = membership.understood(answer)
    node = answer["node"]
    member = Membership(
        kind=str(node["kind"]),
        name=invitations.usable(str(node["name"])),
        url=url,
        fingerprint=control.fingerprint,
        credential=str(answer["credential"]),
    )
    membership.write(settings, told, member)
    place, files = membership.place(settings), sorted(told.files)
    installation.out.result(
        {
            "kind": member.kind,
            "name": member.name,
            "settings": str(place),
            "keys": str(settings.keys),
            "files": files,
        },
        f"This machine is the {member.kind} {member.name} now. Its settings are in"
        f" {place}, and in {settings.keys}: {', '.join(files)}.",
    )
    installation.out.say(_NEXT[Kind(member.kind)])


@click.command()
@pass_installation
def refresh(installation: Installation) -> None:
    """Ask the control node for what has changed since this machine joined.

    As keys of media tokens after `matinee key rotate media`: a timer does it every five
    minutes, as the user of the services. As root it writes settings, too, and tells the
    nginx of an edge.
    """
    settings = installation.settings
    member = membership.own(settings)
    control = ControlNode(member.url, member.fingerprint)
    question = {"credential": member.credential, "version": __version__}
    answer = control.post(f"{_API}/refresh", question)
    changed, left = membership.refresh(settings, membership.understood(answer))
    if changed and member.kind == Kind.EDGE and _may_tell_nginx(settings):
        put_into_use(_again(installation))
    installation.out.result(
        {"name": member.name, "kind": member.kind, "changed": changed, "left": left},
        "What changed is written." if changed else "Nothing has changed.",
    )
    if left:
        installation.out.say(
            "Settings have changed, which only root may write: sudo matinee node"
            " refresh"
        )
    theirs = str(answer.get("version", ""))
    if theirs != __version__:
        installation.out.say(
            f"The control node has Matinee {theirs}, this machine {__version__}:"
            f" install {theirs} here."
        )


COMMANDS = (token, join, refresh)


def _require_place(settings: Settings) -> None:
    """Refuse to write beside a machine's installation, where nobody would look."""
    if settings.source or "MATINEE_HOME" in os.environ or not _ETC.is_dir():
        return
    raise PreconditionFailed(
        "node.no-configuration",
        f"There is no {_ETC}/matinee.toml yet: install Matinee on this machine first"
        " (ansible/worker.yml, ansible/edge.yml, or install.sh).",
    )


def _token(from_stdin: bool) -> str:
    if not from_stdin and not sys.stdin.isatty():
        raise InvalidInput(
            "node.token-missing",
            "There is no terminal to ask on: give the token with --token-stdin.",
        )
    if from_stdin:
        found = sys.stdin.readline().strip()
    else:
        found = str(click.prompt("Token", hide_input=True, err=True)).strip()
    if not found:
        raise InvalidInput("node.token-missing", "Standard input holds no token.")
    return found


def _name(settings: Settings, name: str) -> str:
    found = name or settings.queue.node or platform.node().split(".")[0]
    return invitations.usable(found)


def _fingerprint(settings: Settings) -> str:
    """Return the SHA-256 of the certificate that nginx shows, if that is ours."""
    if not settings.nginx.tls_certificate:
        return ""
    path = Path(settings.nginx.tls_certificate)
    try:
        text = path.read_text("ascii")
        end = "-----END CERTIFICATE-----"
        first = text[: text.index(end) + len(end)]
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first.strip())).hexdigest()
    except (OSError, ValueError) as error:
        raise ConfigError(
            "nginx.tls", f"{path} (nginx.tls_certificate) holds no certificate."
        ) from error


def _may_tell_nginx(settings: Settings) -> bool:
    return versions.in_use(settings) and os.access(settings.nginx.folder, os.W_OK)


def _again(installation: Installation) -> Settings:
    """Return the settings as they are after they were written."""
    return Installation(installation.config).settings

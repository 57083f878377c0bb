"""``matinee tls``: the certificate that people's browsers see."""

import socket
from pathlib import Path

import click

from appliance import outbound
from appliance.cli.certificate_change import Here, remaining
from appliance.cli.installation import Installation, pass_installation
from appliance.clock import SystemClock
from appliance.errors import ConfigError, MatineeError, PreconditionFailed
from appliance.operations.certificates import (
    accepting,
    acme_account,
    acme_order,
    keys,
    place,
    renewal,
    self_signed,
)
from appliance.operations.certificates.place import Source
from nginx import versions


@click.group()
def tls() -> None:
    """Make, install, renew and show the certificate of the portal.

    \b
    matinee tls self-signed
    matinee tls install films.pem films.key
    matinee tls acme
    matinee tls show
    """


@tls.command("self-signed")
@click.option(
    "--name",
    "names",
    multiple=True,
    help="A name or address it is for, in place of those of this machine; may be given"
    " again.",
)
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    default=self_signed.DAYS,
    show_default=True,
    help="How long it holds.",
)
@click.option("--missing", is_flag=True, help="Only where there is none yet.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def sign(
    installation: Installation,
    names: tuple[str, ...],
    days: int,
    missing: bool,
    yes: bool,
) -> None:
    """Make a certificate that this machine signs itself.

    It is for portal.public_url, and for the names and addresses of this machine.
    Browsers ask before they believe it: compare the fingerprint that is printed here.
    """
    here = Here(installation)
    if missing and here.place.certificate.exists():
        here.tell("It stays: there is one already.", changed=False)
        return
    here.confirm_loss(yes)
    pair = self_signed.make(
        names or self_signed.names_here(here.host, socket.getfqdn()), here.now, days
    )
    here.change(pair, Source.SELF_SIGNED)
    here.tell("Browsers will ask whether they may believe it.", by_fingerprint=True)


@tls.command()
@click.argument("certificate", type=click.Path(path_type=Path, dir_okay=False))
@click.argument("key", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--check", "only", is_flag=True, help="Look at it, and change nothing.")
@pass_installation
def install(
    installation: Installation, certificate: Path, key: Path, only: bool
) -> None:
    """Put a CERTIFICATE of your own into use, with its KEY.

    Both are files in PEM form; that of the certificate holds the chain up to an
    authority as well. What browsers would refuse is refused here, and the old one
    stays.
    """
    here = Here(installation)
    pair = accepting.read(certificate, key)
    accepting.require(pair, here.host, here.now, here.authorities())
    if only:
        sentence = "Browsers would take it; nothing was changed."
        here.tell(sentence, shown=pair.described, changed=False)
        return
    if here.has(pair):
        here.tell("It is in use already; nothing was changed.", changed=False)
        return
    here.change(pair, Source.OWN)
    here.tell("Browsers that believe its authority take it.")


@tls.command()
@click.option(
    "--name",
    "names",
    multiple=True,
    help="A name it is for, in place of that of portal.public_url; may be given again.",
)
@click.option("--agree", is_flag=True, help="Agree to the server's terms of service.")
@pass_installation
def acme(installation: Installation, names: tuple[str, ...], agree: bool) -> None:
    """Get a certificate from the ACME server of tls.acme_directory, and keep it fresh.

    The server looks at http://NAME/.well-known/acme-challenge/, so port 80 must reach
    this nginx. After that the timer matinee-certificate renews it by itself.
    """
    here = Here(installation)
    if not versions.in_use(here.settings):
        raise PreconditionFailed(
            "acme.nginx",
            "nginx answers the server’s question, and is not set up here yet: say"
            " matinee tls self-signed, matinee nginx install, and start it.",
        )
    _obtain(here, names or tuple(filter(None, (here.host,))), agree)
    here.tell("It is renewed by itself, tls.renew_days days before its end.")


@tls.command()
@click.option("--force", is_flag=True, help="Now, whenever it is due.")
@pass_installation
def renew(installation: Installation, force: bool) -> None:
    """Renew the certificate if it is time to; the timer says this twice a day.

    One of an ACME server is asked for anew, one of this machine is signed anew with the
    same key, and one of your own is left alone. After a failure the server is left
    alone for a while, or for as long as it asked for.
    """
    here = Here(installation)
    found, source = place.described(here.place), place.source(here.place)
    if source is Source.OWN:
        here.tell(
            f"It is your own: only you can renew it. {remaining(found, here.now)}",
            changed=False,
        )
        return
    if not force and not renewal.due(found, source, here.settings.tls, here.now):
        sentence = f"It is not time yet. {remaining(found, here.now)}"
        here.tell(sentence, changed=False)
        return
    if source is Source.SELF_SIGNED:
        key = keys.read(place.pair(here.place).key, str(here.place.key))
        names = found.names or self_signed.names_here(here.host, socket.getfqdn())
        here.change(self_signed.make(names, here.now, key=key), source)
        here.tell("It was signed anew.", by_fingerprint=True)
        return
    wait = None if force else renewal.waiting(here.place.acme, here.now)
    if wait is not None:
        here.tell(
            f"The last {wait.failures} attempts failed: {wait.problem} The next is made"
            f" after {wait.until:%Y-%m-%d %H:%M} UTC. {remaining(found, here.now)}",
            changed=False,
        )
        return
    _obtain(here, found.names, agreed=False)
    here.tell("It was renewed.")


def _obtain(here: Here, names: tuple[str, ...], agreed: bool) -> None:
    """Get a certificate and put it into use; a failure is written down."""
    server = acme_account.server(here.settings, outbound.of(here.settings))
    try:
        pair = acme_order.obtain(server, here.folders, names, agreed=agreed)
        # The server's clock may be a little ahead, and this took its time.
        now = max(SystemClock().now(), pair.described.begins)
        accepting.require(pair, names[0], now, None)
        here.change(pair, Source.ACME)
    except ConfigError:
        raise
    except MatineeError as error:
        renewal.failed(here.place.acme, error, here.now)
        raise
    renewal.succeeded(here.place.acme)


@tls.command()
@pass_installation
def show(installation: Installation) -> None:
    """Show the certificate in use, its fingerprint, and how long it holds."""
    here = Here(installation)
    found = place.described(here.place)
    here.tell(
        remaining(found, here.now), by_fingerprint=found.self_signed, changed=None
    )

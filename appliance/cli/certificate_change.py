"""What the commands of ``matinee tls`` share: the place, the change, the words."""

import dataclasses
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from appliance import db as database
from appliance import migrations, outbound
from appliance.cli.installation import Installation
from appliance.cli.nginx import rendered
from appliance.clock import SystemClock
from appliance.db import write
from appliance.errors import NotFound, PreconditionFailed
from appliance.events import Event, record
from appliance.operations.certificates import accepting, place
from appliance.operations.certificates.accepting import Pair
from appliance.operations.certificates.acme_order import Folders
from appliance.operations.certificates.place import Place, Source
from appliance.operations.certificates.reading import Certificate
from appliance.permissions import Action, check
from appliance.settings import Settings
from nginx import versions


class Here:
    """What all of these commands work on."""

    def __init__(self, installation: Installation) -> None:
        self.installation = installation
        self.now: datetime = SystemClock().now()
        self.settings: Settings = self.installation.settings
        self.place: Place = place.of(self.settings)

    @property
    def host(self) -> str:
        """Return the name that people type; empty where none is set."""
        settings = self.settings
        return urlsplit(settings.portal.public_url or settings.edge.url).hostname or ""

    @property
    def folders(self) -> Folders:
        """Return where an ACME account is kept, and where nginx answers from."""
        return Folders(self.place.acme, Path(self.settings.nginx.run) / "acme")

    def authorities(self) -> tuple[Any, ...]:
        """Return the certificates of all whom this machine believes."""
        return accepting.authorities(Path(outbound.of(self.settings).trusted))

    def has(self, pair: Pair) -> bool:
        """Say whether just that is in use."""
        with suppress(NotFound):
            return place.pair(self.place) == pair
        return False

    def confirm_loss(self, yes: bool) -> None:
        """Ask before a certificate that browsers believe is given up."""
        with suppress(NotFound):
            if not place.described(self.place).self_signed:
                self.installation.out.confirm(
                    "Replace a certificate that browsers believe by one that they ask"
                    " about?",
                    yes,
                )

    def change(self, pair: Pair, source: Source) -> None:
        """Put a certificate into use, and nginx to it; else the old one stays."""
        check(self.installation.actor, Action.SYSTEM_MANAGE)
        with place.alone(self.place):
            before = place.put(self.place, pair, source, self.now)
            try:
                self.reload()
            except BaseException:
                place.put_back(self.place, before)
                raise
        self._record(pair.described, source)

    def reload(self) -> None:
        """Have nginx take what lies there, if it is installed and set up for TLS."""
        named = self.settings.nginx.tls_certificate
        if named and versions.in_use(self.settings):
            versions.install(self.settings, rendered(self.settings), self.now)

    def tell(
        self,
        sentence: str,
        *,
        shown: Certificate | None = None,
        changed: bool | None = True,
        by_fingerprint: bool = False,
    ) -> None:
        """Print the certificate in use, or another; ``changed`` is for programs."""
        found = shown or place.described(self.place)
        document: dict[str, Any] = {
            **dataclasses.asdict(found),
            "days_left": found.days_left(self.now),
            "file": str(self.place.certificate),
            "source": None if shown else place.source(self.place).value,
        }
        if changed is not None:
            document["changed"] = changed
        lines = [*_lines(found), sentence]
        if by_fingerprint:
            lines += ["", *self._comparing()]
        self.installation.out.result(document, "\n".join(lines))
        if not self.settings.nginx.tls_certificate:
            self.installation.out.say(
                f"nginx does not use it yet: set nginx.tls_certificate ="
                f' "{self.place.certificate}" and nginx.tls_key = "{self.place.key}",'
                " then matinee nginx install."
            )

    def _comparing(self) -> list[str]:
        host, port = self.host or "HOST", self.settings.nginx.https_port
        return [
            "Compare it in the browser before you go on: click “Not secure” left of the"
            " address, then the certificate; its SHA-256 fingerprint must be the one"
            " above. From another machine:",
            f"  openssl s_client -connect {host}:{port} -servername {host} </dev/null"
            " | openssl x509 -noout -fingerprint -sha256",
        ]

    def _record(self, found: Certificate, source: Source) -> None:
        """Write the event, where there is a database of this release already."""
        try:
            migrations.require_current(self.settings.database)
        except PreconditionFailed:
            return
        with database.connect(self.settings.database) as db, write(db):
            record(
                db,
                self.installation.actor,
                Event.CERTIFICATE_CHANGE,
                "certificate/portal",
                source=source.value,
                names=list(found.names),
                fingerprint=found.fingerprint,
                ends=found.ends.isoformat(),
            )


def _lines(found: Certificate) -> list[str]:
    signer = "this machine itself" if found.self_signed else found.issuer
    return [
        f"for           {', '.join(found.names) or found.subject}",
        f"signed by     {signer}",
        f"holds         {found.begins:%Y-%m-%d} to {found.ends:%Y-%m-%d}",
        f"key           {found.key}",
        f"SHA-256       {found.fingerprint}",
        "",
    ]


def remaining(found: Certificate, now: datetime) -> str:
    days = found.days_left(now)
    if days < 0:
        return f"It ended {-days} days ago: browsers refuse it."
    return f"It holds for {days} more days."

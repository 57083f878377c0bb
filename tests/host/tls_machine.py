"""A portal's nginx with a certificate, and the commands that change it."""

import hashlib
import socket
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from click.testing import CliRunner, Result

from appliance import migrations
from appliance import settings as configuration
from appliance.cli import main
from appliance.operations.certificates import place, self_signed
from appliance.operations.certificates.place import Place, Source
from tests.host.served_nginx import Nginx, environment, free_port

NAME = "films.test"


@dataclass
class Machine:
    """What runs, and the environment of its commands."""

    nginx: Nginx
    environ: Mapping[str, str]

    @property
    def place(self) -> Place:
        return place.of(self.nginx.settings)

    @property
    def port(self) -> int:
        return self.nginx.settings.nginx.https_port

    def matinee(self, *args: str, **more: str) -> Result:
        environ = {**self.environ, "MATINEE_CONFIG": None, **more}
        return CliRunner(env=environ).invoke(main, list(args))

    def served(self) -> str:
        """Return the fingerprint of what clients are shown."""
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with (
            socket.create_connection(("127.0.0.1", self.port), 20) as plain,
            context.wrap_socket(plain, server_hostname=NAME) as secure,
        ):
            der = secure.getpeercert(binary_form=True)
        assert der is not None
        return hashlib.sha256(der).hexdigest().upper()

    def in_place(self) -> str:
        """Return the fingerprint of what lies there."""
        return place.described(self.place).fingerprint.replace(":", "")


@contextmanager
def machine(home: Path, **changes: str) -> Iterator[Machine]:
    """Run nginx as a portal, with a certificate that this machine signed itself."""
    port = free_port()
    environ = environment(
        home,
        MATINEE_NGINX_TLS_CERTIFICATE=str(home / "tls" / "certificate.pem"),
        MATINEE_NGINX_TLS_KEY=str(home / "tls" / "key.pem"),
        MATINEE_NGINX_HTTPS_PORT=str(port),
        MATINEE_NGINX_ROLES="portal, origin",
        MATINEE_PORTAL_PUBLIC_URL=f"https://{NAME}:{port}",
        **changes,
    )
    settings = configuration.load(environ=environ)
    migrations.migrate(settings.database)
    here, now = place.of(settings), datetime.now(UTC)
    with place.alone(here):
        place.put(here, self_signed.make((NAME,), now), Source.SELF_SIGNED, now)
    nginx = Nginx(settings)
    try:
        nginx.start()
        yield Machine(nginx, environ)
    finally:
        nginx.stop()

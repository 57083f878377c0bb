"""Checks of the release in use, and of what it serves; an upgrade waits for them."""

import http.client
import secrets
import socket
import ssl
from pathlib import Path
from posixpath import normpath
from urllib.parse import urlsplit

from appliance import __version__
from appliance.checks.check import Answer, Check, Checks, ok
from appliance.checks.examined import Examined
from appliance.delivery import tokens
from appliance.delivery.tokens import Algorithm, Scope
from appliance.operations import release_journal, releases
from appliance.operations.findings import Level
from appliance.operations.releases import Layout
from appliance.settings import Settings

_OTHERS = 0o022
_SECONDS = 10.0
_LARGEST = 64 * 1024 * 1024
_LOG = "journalctl -u matinee-web -n 50"


def _current(examined: Examined) -> Answer:
    """See whether what runs here is what the link says."""
    if not examined.is_appliance:
        return ok(f"this is Matinee {__version__}, from a checkout or done by hand")
    used = releases.in_use(Layout(examined.root))
    if used == __version__:
        return ok(f"release {used} is in use")
    return (
        Level.FAIL,
        f"release {used} is in use, and this is {__version__}",
        "systemctl restart matinee.target",
    )


def _whole(examined: Examined) -> Answer:
    """See whether a release can be trusted to be what was installed."""
    layout = Layout(examined.root)
    for each in releases.listing(layout):
        folder = layout.release(each.version)
        if each.current and not each.whole:
            fix = "run install.sh of its bundle again"
            return Level.FAIL, f"release {each.version} is not whole", fix
        if foreign := _writable(folder):
            return (
                Level.FAIL,
                f"others than root may write to {foreign}",
                f"chown -R root:root {folder} && chmod -R go-w {folder}",
            )
    return ok("releases are whole, and root's alone")


def _writable(folder: Path) -> Path | None:
    for path in (folder, folder / "venv", folder / "venv" / "bin"):
        if path.is_dir():
            found = path.stat()
            if found.st_uid != folder.parent.stat().st_uid or found.st_mode & _OTHERS:
                return path
    return None


def _finished(examined: Examined) -> Answer:
    layout = Layout(examined.root)
    begun = release_journal.read(layout)
    if begun is not None:
        return (
            Level.WARN,
            f"the {begun.kind} from {begun.before} to {begun.after} runs, or was cut"
            " short",
            "matinee upgrade --resume, or matinee rollback",
        )
    last = release_journal.last(layout)
    if last is not None and last.trouble:
        return (
            Level.WARN,
            f"the {last.kind} to {last.after} was taken back: {last.trouble}",
            "put that right, or get a newer release; then matinee upgrade",
        )
    return ok("no change of releases is under way")


def _answers(examined: Examined) -> Answer:
    """Ask the portal as nginx does when somebody comes."""
    status, _ = _asked(examined.settings, "/-/ready")
    if status == 200:
        return ok("the portal is ready")
    return (
        Level.FAIL,
        f"the portal answers {status} when asked whether it is ready",
        _LOG,
    )


def _serves(examined: Examined) -> Answer:
    """Follow the manifests of a film to a segment, as a player does."""
    settings = examined.settings
    with examined.db() as db:
        asset = db.value(
            "select public_id from assets where state = 'ready' order by id desc"
        )
    if asset is None:
        return ok("there is no film yet to be served")
    token = tokens.sign(
        tokens.load(settings.keys),
        asset,
        secrets.token_hex(8),
        int(examined.now) + 120,
        Scope.ALL,
        Algorithm(settings.origin.token),
    )
    name = "master.m3u8"
    while True:
        status, body = _asked(settings, f"/media/{token}/{asset}/{name}")
        if status != 200 or not body:
            fix = "journalctl -u matinee-nginx -n 50; matinee nginx check"
            return Level.FAIL, f"{name} of a film is answered with {status}", fix
        if not name.endswith(".m3u8"):
            return ok(f"films are served: {len(body)} bytes of {name}")
        lines = body.decode("utf-8", "replace").splitlines()
        first = next((each for each in lines if each and each[0] != "#"), "")
        name = normpath(f"{name.rpartition('/')[0]}/{first}").lstrip("/")


def _asked(settings: Settings, path: str) -> tuple[int, bytes]:
    """Ask nginx of this machine, by the name that viewers use; nobody else is asked."""
    nginx = settings.nginx
    host = urlsplit(settings.portal.public_url).hostname or "localhost"
    address = nginx.address or "127.0.0.1"
    secured = bool(nginx.tls_certificate)
    port = nginx.https_port if secured else nginx.http_port
    connection = http.client.HTTPConnection(host, port, timeout=_SECONDS)
    connection.sock = socket.create_connection((address, port), _SECONDS)
    try:
        if secured:
            # nginx hangs up on whoever names another host than ours in the handshake.
            connection.sock = _unchecked().wrap_socket(
                connection.sock, server_hostname=host
            )
        connection.request("GET", path, headers={"Host": host})
        answer = connection.getresponse()
        return answer.status, answer.read(_LARGEST)
    finally:
        connection.close()


def _unchecked() -> ssl.SSLContext:
    """Return how to speak TLS with oneself: whose certificate it is, others look at."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


CHECKS: Checks = {
    "release.current": Check(_current),
    "release.whole": Check(_whole),
    "release.finished": Check(_finished),
    "release.answers": Check(_answers, slow=True, seconds=15),
    "release.serves": Check(_serves, slow=True, seconds=45),
}

"""Serve the portal on this machine, with an administrator and a film in it.

Everything it writes is under ``var/`` or ``$MATINEE_HOME``. The first run makes the
installation and waits for the film; later runs find both and are quick.
"""

import os
import secrets
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

from appliance import settings as configuration
from appliance.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
MATINEE = str(ROOT / ".venv" / "bin" / "matinee")
ADMINISTRATOR = "admin"
START_SECONDS = 60


def main(film: Path) -> int:
    """Prepare, serve until Ctrl-C, and return the exit code of the server."""
    os.chdir(ROOT)
    settings = configuration.load()
    _require_free_port(settings)
    password = _prepare(settings)
    log = settings.home / "serve.log"
    with log.open("w") as file:
        server = subprocess.Popen([MATINEE, "serve"], stdout=file, stderr=file)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    try:
        _wait_for(settings, server, log)
        _load(film, first=password is not None)
        _welcome(settings, password, log)
        return _ended(server)
    except KeyboardInterrupt:
        return 0
    finally:
        if server.poll() is None:
            server.terminate()
            server.wait()


def _ended(server: subprocess.Popen[bytes]) -> int:
    """Wait for its end, in short turns: Ctrl-C just before a turn waits for its end."""
    while True:
        with suppress(subprocess.TimeoutExpired):
            return server.wait(0.5)


def _require_free_port(settings: Settings) -> None:
    with socket.socket() as trial:
        if trial.connect_ex((_host(settings), settings.web.port)) == 0:
            sys.exit(
                f"Something listens on port {settings.web.port} already:"
                " choose another one with MATINEE_WEB_PORT=8601 make run"
            )


def _prepare(settings: Settings) -> str | None:
    """Make or update the installation; return the password of a new account."""
    if settings.database.exists():
        subprocess.run([MATINEE, "migrate"], stdout=subprocess.DEVNULL, check=True)
        return None
    password = secrets.token_urlsafe(12)
    subprocess.run(
        [MATINEE, "init", "--quiet", "--admin", ADMINISTRATOR, "--password-stdin"],
        input=f"{password}\n",
        text=True,
        check=True,
    )
    kept = settings.home / "admin-password"
    handle = os.open(kept, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(f"{password}\n")
    return password


def _wait_for(settings: Settings, server: subprocess.Popen[bytes], log: Path) -> None:
    """Return when the portal answers."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if server.poll() is not None:
            sys.exit(f"The server has stopped; {log} says why:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(f"{_address(settings)}/-/ready", timeout=5):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    sys.exit(f"The portal did not answer within {START_SECONDS} seconds.")


def _load(film: Path, *, first: bool) -> None:
    if first:
        print("Encoding the demo film, which takes about a minute", flush=True)
    command = [MATINEE, "demo", "load", "--film", str(film), "--wait"]
    if subprocess.run(command, stdout=subprocess.DEVNULL, check=False).returncode:
        print("The demo film could not be loaded; the portal works without it.")


def _welcome(settings: Settings, password: str | None, log: Path) -> None:
    where = settings.home / "admin-password"
    shown = password or f"as stored in {where}"
    print(
        f"""
  Big Buck Bunny   {_address(settings)}/watch/big-buck-bunny
  Portal           {_address(settings)}/
  Studio           {_address(settings)}/studio/

  Sign in as       {ADMINISTRATOR}
  Password         {shown}

  Log              {log}

  Ctrl-C ends it.
""",
        flush=True,
    )


def _address(settings: Settings) -> str:
    return f"http://{_host(settings)}:{settings.web.port}"


def _host(settings: Settings) -> str:
    return "127.0.0.1" if settings.web.host == "0.0.0.0" else settings.web.host


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))

"""Whether nginx takes a configuration, and what a reviewer would say of it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from appliance.errors import PreconditionFailed
from nginx import PRIVATE

_SECONDS = 60
_ELSEWHERE = "/usr/sbin:/usr/local/sbin:/usr/local/nginx/sbin"
_LINE = re.compile(r"^nginx: \[(?P<level>\w+)\] (?P<text>.*)$", re.MULTILINE)
_DATED = re.compile(
    r"^\d{4}/\d\d/\d\d .*\[(?P<level>\w+)\] \S+ (?P<text>.*)$", re.MULTILINE
)


@dataclass(frozen=True, slots=True)
class Finding:
    """What is wrong or doubtful; ``grave`` ones keep a configuration from its use."""

    grave: bool
    source: str
    sentence: str
    remedy: str = ""


def write(files: Mapping[str, str], folder: Path) -> None:
    """Write a rendered configuration; files with secrets are for their owner only.

    The folder must be new or empty of other people's links.
    """
    for name, text in files.items():
        path = folder / name
        if not path.parent.exists():
            path.parent.mkdir(parents=True)
            path.parent.chmod(0o755)
        mode = 0o600 if name in PRIVATE else 0o644
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        with os.fdopen(os.open(path, flags, mode), "w", encoding="utf-8") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
            file.flush()
            os.fsync(file.fileno())


def examine(folder: Path) -> tuple[Finding, ...]:
    """Return what nginx itself and gixy find in a configuration on disk."""
    return (*test(folder), *review(folder))


def test(folder: Path) -> tuple[Finding, ...]:
    """Ask nginx whether it would take the configuration.

    Errors: ``PreconditionFailed`` when there is no nginx on this machine.
    """
    done = _run(["nginx", "-t", "-q", "-c", str(folder / "nginx.conf")])
    found = tuple(_of_nginx(done.stderr))
    if done.returncode == 0 or any(each.grave for each in found):
        return found
    tail = done.stderr.strip()[-500:] or f"it ended with {done.returncode}"
    return (*found, Finding(True, "nginx", tail))


def review(folder: Path) -> tuple[Finding, ...]:
    """Ask gixy, where it is installed, what it would doubt."""
    if find_spec("gixy") is None:
        return ()
    program = "import sys; from gixy.cli.main import main; sys.exit(main())"
    unfit = ",".join(_unfit(folder))
    skipped = ("--skips", unfit) if unfit else ()
    options = ("-f", "json", *skipped, str(folder / "nginx.conf"))
    done = _run([sys.executable, "-c", program, *options])
    try:
        listed = json.loads(done.stdout or "[]")
    except ValueError:
        tail = (done.stderr or done.stdout).strip()[-500:]
        return (Finding(False, "gixy", f"It could not read it: {tail}"),)
    return tuple(_of_gixy(each) for each in listed)


# gixy takes every port with “443” in it, as 14430, for one with TLS.
_ABOUT_TLS = ("weak_ssl_tls", "hsts_header")


def _unfit(folder: Path) -> tuple[str, ...]:
    """Return what gixy is not to look for: HSTS is for certificates that hold."""
    texts = [path.read_text(encoding="utf-8") for path in folder.rglob("*.conf")]
    if not any("ssl_certificate " in text for text in texts):
        return _ABOUT_TLS
    strict = any("Strict-Transport-Security" in text for text in texts)
    return () if strict else ("hsts_header",)


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    path = f"{os.environ.get('PATH', '')}:{_ELSEWHERE}"
    try:
        return subprocess.run(  # noqa: S603 a list of our own, never a shell
            command,
            env={**os.environ, "PATH": path},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except FileNotFoundError as error:
        raise PreconditionFailed(
            "nginx.missing",
            "There is no nginx on this machine: install it (Debian: nginx-light).",
        ) from error
    except subprocess.TimeoutExpired as error:
        raise PreconditionFailed(
            "nginx.slow", f"{command[0]} did not answer within {_SECONDS} seconds."
        ) from error


def _of_nginx(said: str) -> Iterator[Finding]:
    lines = {
        (m["level"], m["text"]): None for p in (_LINE, _DATED) for m in p.finditer(said)
    }
    for level, text in lines:
        remedy = next((fix for sign, fix in _REMEDIES.items() if sign in text), "")
        yield Finding(level in ("emerg", "crit", "alert"), "nginx", text, remedy)


_REMEDIES: Mapping[str, str] = {
    "bind() to": "Run it as root, or take ports above 1024.",
    "ngx_http_js_module": "Install the module (Debian: libnginx-mod-http-js), or set"
    ' origin.token = "md5", which needs none.',
    "dlopen()": "nginx-vod-module is for you to bring: let origin.vod_module name the"
    " file of it that was made for this nginx, and install the libraries it needs.",
    'unknown directive "vod_': "What origin.vod_module names is another module.",
    "binary compatible": "The module was made for another nginx: take its own.",
    "cannot load certificate": "Look at nginx.tls_certificate and nginx.tls_key.",
    "setrlimit": "Not grave: nginx was not started by root.",
    'the "user" directive': "Not grave: nginx was not started by root.",
    "getpwnam": "Set nginx.user to a user of this machine.",
    "host_spoofing": "Set portal.public_url, so that no other name is answered.",
    "still could not bind": "Another program holds the port: stop it.",
}


def _of_gixy(issue: Mapping[str, str]) -> Finding:
    grave = issue.get("severity") == "HIGH"
    where = " ".join(issue.get("config", "").split())[:200]
    sentence = (
        f"{issue.get('plugin')}: {issue.get('summary')} {issue.get('reason', '')}"
    )
    remedy = _REMEDIES.get(issue.get("plugin", ""), issue.get("reference") or "")
    return Finding(grave, "gixy", f"{sentence.strip()} [{where}]", remedy)

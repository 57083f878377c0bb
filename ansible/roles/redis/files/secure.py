#!/usr/bin/python3
"""Make what is missing of Redis's certificate, user and password; print what was made.

Plain Python of the system: nothing of ours is installed yet when it runs. An authority
of this cluster alone signs the certificate, anew when it runs out soon or lacks a name.
"""

import argparse
import hashlib
import ipaddress
import os
import pwd
import re
import secrets
import shutil
import subprocess
import tempfile
from pathlib import Path

SOON = 30 * 24 * 3600
USER = "matinee"


def main() -> None:
    asked = _asked()
    made = []
    if not (asked.folder / "ca.key").exists():
        _make_authority(asked.folder)
        made.append("authority")
    if not _certificate_holds(asked.folder, asked.names):
        _sign(asked.folder, asked.names)
        made.append("certificate")
    authority = (asked.folder / "ca.pem").read_text()
    if _put(asked.keys / "queue-ca.pem", authority, USER):
        made.append("queue-ca.pem")
    password = _password(asked.keys / "queue.toml", made)
    if _let_in(asked.users, password):
        made.append("user")
    if made:
        print("made:", ", ".join(made))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--keys", type=Path, required=True)
    parser.add_argument("--users", type=Path, required=True)
    parser.add_argument("names", nargs="+")
    return parser.parse_args()


def _make_authority(folder: Path) -> None:
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        _openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-days", "3650", "-subj", "/CN=Matinee queue authority"),
            *("-addext", "basicConstraints=critical,CA:TRUE,pathlen:0"),
            *("-addext", "keyUsage=critical,keyCertSign,cRLSign"),
            *("-keyout", f"{aside}/ca.key", "-out", f"{aside}/ca.pem"),
        )
        _install(Path(aside, "ca.pem"), folder / "ca.pem", 0o644)
        # Last: without it all is begun anew.
        _install(Path(aside, "ca.key"), folder / "ca.key", 0o600)


def _certificate_holds(folder: Path, names: "list[str]") -> bool:
    certificate = folder / "server.pem"
    if not certificate.exists() or not (folder / "server.key").exists():
        return False
    checks = [["-checkend", str(SOON)]]
    checks += [["-checkip" if _is_address(n) else "-checkhost", n] for n in names]
    for check in checks:
        told = subprocess.run(
            ["openssl", "x509", "-in", str(certificate), "-noout", *check],
            capture_output=True,
            text=True,
            check=False,
        )
        if told.returncode or "does NOT" in told.stdout:
            return False
    return True


def _sign(folder: Path, names: "list[str]") -> None:
    listed = ",".join(f"{'IP' if _is_address(n) else 'DNS'}:{n}" for n in names)
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        _openssl(
            *("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"),
            *("-nodes", "-subj", "/CN=Matinee queue"),
            *("-keyout", f"{aside}/server.key", "-out", f"{aside}/server.csr"),
        )
        Path(aside, "more").write_text(
            f"subjectAltName={listed}\nextendedKeyUsage=serverAuth\n"
            "basicConstraints=critical,CA:FALSE\n"
        )
        _openssl(
            *("x509", "-req", "-days", "825", "-in", f"{aside}/server.csr"),
            *("-CA", f"{folder}/ca.pem", "-CAkey", f"{folder}/ca.key"),
            *("-set_serial", str(secrets.randbits(63)), "-extfile", f"{aside}/more"),
            *("-out", f"{aside}/server.pem"),
        )
        group = folder.stat().st_gid
        for name in ("server.key", "server.pem"):
            _install(Path(aside, name), folder / name, 0o640, group)


def _password(path: Path, made: "list[str]") -> str:
    """Return the password in the file for our services; make both if missing."""
    if path.exists():
        found = re.search(r'^password = "([^"\\]+)"$', path.read_text(), re.MULTILINE)
        if found is None:
            raise SystemExit(f"{path} has no password: remove it, and run this again.")
        return found[1]
    password = secrets.token_urlsafe(32)
    text = f'[redis]\nusername = "{USER}"\npassword = "{password}"\n'
    _put(path, text, USER)
    made.append("password")
    return password


def _let_in(users: Path, password: str) -> bool:
    """Let our services' user in by that password; the users of machines stay."""
    digest = hashlib.sha256(password.encode()).hexdigest()
    wanted = f"user {USER} on #{digest} ~* &* +@all"
    lines = users.read_text().splitlines() if users.exists() else []
    ours = [line for line in lines if line.startswith(f"user {USER} ")]
    if len(ours) == 1 and f"#{digest}" in ours[0] and _nobody_else(lines):
        return False
    kept = [line for line in lines if line.split()[1:2] not in ([USER], ["default"])]
    text = "\n".join(["user default off", wanted, *kept, ""])
    return _put(users, text, "redis")


def _nobody_else(lines: "list[str]") -> bool:
    return any(line.startswith("user default off") for line in lines)


def _put(path: Path, text: str, owner: str) -> bool:
    """Write a file of mode 0600 whole; say whether it was another before."""
    if path.exists() and path.read_text() == text:
        return False
    found = pwd.getpwnam(owner)
    aside = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        os.fchown(handle, found.pw_uid, found.pw_gid)
        file.write(text)
        file.flush()
        os.fsync(handle)
    aside.replace(path)
    return True


def _install(source: Path, place: Path, mode: int, group: int = 0) -> None:
    shutil.chown(source, 0, group)
    source.chmod(mode)
    source.replace(place)


def _openssl(*words: str) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    main()

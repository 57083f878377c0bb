"""Certificates by the installer: the operator's own, and one of a real ACME server."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.doubles.authority import Authority
from tests.host.conftest import Installation
from tests.host.installed import Appliance, changed
from tests.host.lab import Network
from tests.host.lab.network import SUBNET
from tests.pipeline.served_home import until

pytestmark = pytest.mark.host

_BEGINS = datetime.now(UTC) - timedelta(days=1)
_ENDS = _BEGINS + timedelta(days=90)
_PORT = 14000
_RESOLVER = "127.0.0.1:8053"
_ROOT = Authority("Company Root", begins=_BEGINS, ends=_ENDS)
_MIDDLE = Authority("Company Issuing", _ROOT, begins=_BEGINS, ends=_ENDS)


def test_an_own_certificate_is_served_and_one_with_another_key_is_not(
    installation: Installation, appliance: Appliance
) -> None:
    certificate, key = _MIDDLE.issue(appliance.host, begins=_BEGINS, ends=_ENDS)
    _, other = _MIDDLE.issue(appliance.host, begins=_BEGINS, ends=_ENDS)
    appliance.box.write("/root/company.pem", _ROOT.pem.decode())
    appliance.matinee("trust", "add", "/root/company.pem")
    appliance.box.write("/root/films.pem", (certificate + _MIDDLE.pem).decode(), 0o600)
    appliance.box.write("/root/films.key", other.decode(), 0o600)
    appliance.answers = {
        "matinee_tls": "own",
        "matinee_tls_certificate": "/root/films.pem",
        "matinee_tls_key": "/root/films.key",
    }
    before = _issuer(appliance)

    refused, _ = appliance.install(installation.folder, check=False)
    assert refused.returncode != 0
    assert "key" in refused.stdout
    assert _issuer(appliance) == before

    appliance.box.write("/root/films.key", key.decode(), 0o600)
    appliance.install(installation.folder)
    assert "Company Issuing" in _issuer(appliance)
    assert _is_believed(appliance, _ROOT.pem)
    again, _ = appliance.install(installation.folder)
    assert "changed=0" in again.stdout, changed(again)


def test_a_certificate_is_got_from_an_acme_server_and_renewed_by_the_timer(
    net: Network, installation: Installation, appliance: Appliance
) -> None:
    with _pebble(net, appliance) as authority:
        appliance.box.write("/etc/ssl/acme-server.pem", authority)
        appliance.answers = {
            "matinee_tls": "acme",
            "matinee_settings": {
                "tls": {"acme_directory": f"https://{SUBNET}.1:{_PORT}/dir"},
                "outbound": {"ca_bundle": "/etc/ssl/acme-server.pem"},
            },
        }
        appliance.install(installation.folder)
        first = _serial(appliance)
        assert "Pebble" in _issuer(appliance)
        again, _ = appliance.install(installation.folder)
        assert "changed=0" in again.stdout, changed(again)

        # The service of the timer, with what it may: not yet, and where it is time to.
        appliance.box.start_units("matinee-certificate.service")
        assert _serial(appliance) == first
        appliance.box.write(
            "/etc/systemd/system/matinee-certificate.service.d/now.conf",
            "[Service]\nExecStart=\nExecStart=/opt/matinee/current/venv/bin/matinee"
            " tls renew --force\n",
        )
        appliance.box.run("systemctl daemon-reload")
        appliance.box.start_units("matinee-certificate.service")
        until(lambda: _serial(appliance) != first, 20)


@contextmanager
def _pebble(net: Network, appliance: Appliance) -> Iterator[str]:
    """Run it on the bridge, where all names lead to one machine; yield its root."""
    folder = net.place / "pebble"
    folder.mkdir()
    root = Authority("The ACME server's own", begins=_BEGINS, ends=_ENDS)
    certificate, key = root.issue(f"{SUBNET}.1", begins=_BEGINS, ends=_ENDS)
    (folder / "pebble.pem").write_bytes(certificate)
    (folder / "pebble.key").write_bytes(key)
    told = {
        "listenAddress": f"{SUBNET}.1:{_PORT}",
        "managementListenAddress": "127.0.0.1:15000",
        "certificate": str(folder / "pebble.pem"),
        "privateKey": str(folder / "pebble.key"),
        "httpPort": 80,
        "tlsPort": 443,
    }
    (folder / "pebble.json").write_text(json.dumps({"pebble": told}))
    programs = (
        (
            *("pebble-challtestsrv", "-dns01", _RESOLVER, "-http01", "", "-https01"),
            *("", "-tlsalpn01", "", "-defaultIPv6", "", "-management", ""),
            *("-defaultIPv4", appliance.box.address),
        ),
        ("pebble", "-config", folder / "pebble.json", "-dnsserver", _RESOLVER),
    )
    running = [_begun(net, folder / "log", *map(str, each)) for each in programs]
    try:
        until(lambda: _answers(net), 30)
        yield root.pem.decode()
    finally:
        for each in running:
            each.terminate()
            each.wait()


def _begun(net: Network, log: Path, *program: str) -> "subprocess.Popen[bytes]":
    with log.open("ab") as file:
        return subprocess.Popen(
            net.inside("env", "PEBBLE_VA_NOSLEEP=1", *program),
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
        )


def _answers(net: Network) -> bool:
    asked = ("curl", "-sk", "--max-time", "5", f"https://{SUBNET}.1:{_PORT}/dir")
    return net.run(*asked, check=False).returncode == 0


def _shown(appliance: Appliance, *wanted: str) -> str:
    """Return what openssl says of the certificate that browsers are shown."""
    asked = appliance.net.run(
        *("openssl", "s_client", "-connect", f"{appliance.box.address}:443"),
        *("-servername", appliance.host),
        check=False,
    )
    told = appliance.net.run("openssl", "x509", "-noout", *wanted, words=asked.stdout)
    return told.stdout


def _issuer(appliance: Appliance) -> str:
    return _shown(appliance, "-issuer")


def _serial(appliance: Appliance) -> str:
    return _shown(appliance, "-serial")


def _is_believed(appliance: Appliance, root: bytes) -> bool:
    """Say whether who knows only the root takes what is served."""
    known = appliance.net.place / "root.pem"
    known.write_bytes(root)
    asked = appliance.net.run(
        *("curl", "-sS", "--max-time", "20", "--cacert", known, "-o", "/dev/null"),
        *("--resolve", f"{appliance.host}:443:{appliance.box.address}"),
        f"{appliance.url}/-/live",
        check=False,
    )
    return asked.returncode == 0

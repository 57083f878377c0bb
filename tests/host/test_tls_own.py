"""Certificates as clients meet them: real nginx, openssl, curl and Chromium."""

import json
import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Error, Page

from appliance.db import connect
from appliance.events import latest
from tests.doubles.authority import Authority
from tests.host.served_nginx import ASSET, TRACK, put, settled
from tests.host.tls_machine import NAME, Machine, machine

_BEGINS = datetime.now(UTC) - timedelta(days=1)
_ENDS = _BEGINS + timedelta(days=90)
ROOT = Authority("Company Root", begins=_BEGINS, ends=_ENDS)
MIDDLE = Authority("Company Issuing", ROOT, begins=_BEGINS, ends=_ENDS)


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "home") as found:
        yield found


def own(folder: Path, *names: str, above: bytes = MIDDLE.pem) -> list[str]:
    """Write files as an operator has them; return their names."""
    leaf, key = MIDDLE.issue(*(names or (NAME,)), begins=_BEGINS, ends=_ENDS)
    files = {"root.pem": ROOT.pem, "films.pem": leaf + above, "films.key": key}
    for name, content in files.items():
        (folder / name).write_bytes(content)
        (folder / name).chmod(0o600)
    return [str(folder / "films.pem"), str(folder / "films.key")]


def trusted(here: Machine, folder: Path) -> None:
    assert here.matinee("trust", "add", str(folder / "root.pem")).exit_code == 0


def curl(here: Machine, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [
            *("curl", "--silent", "--show-error", "--head", "--max-time", "20"),
            *("--resolve", f"{NAME}:{here.port}:127.0.0.1", *more),
            f"https://{NAME}:{here.port}/static/css/app.css",
        ],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
    )


def openssl(here: Machine, *more: str) -> str:
    done = subprocess.run(
        [
            *("openssl", "s_client", "-connect", f"127.0.0.1:{here.port}"),
            *("-servername", NAME, "-verify_hostname", NAME, *more),
        ],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.stdout + done.stderr


def test_the_fingerprint_that_is_printed_is_the_one_that_clients_see(
    here: Machine,
) -> None:
    done = here.matinee("tls", "self-signed", "--name", NAME, "--yes")

    printed = re.search(r"SHA-256\s+((?:[0-9A-F]{2}:){31}[0-9A-F]{2})", done.output)
    assert printed is not None, done.output
    assert printed.group(1).replace(":", "") == here.served()
    assert "Not secure" in done.output
    shown = subprocess.run(
        ["openssl", "x509", "-noout", "-fingerprint", "-sha256"],
        input=openssl(here).encode(),
        capture_output=True,
        check=True,
    )
    assert printed.group(1) in shown.stdout.decode()


def test_one_that_nobody_vouches_for_promises_nothing(here: Machine) -> None:
    answer = curl(here, "--cacert", str(here.place.certificate))
    unknown = curl(here)

    assert answer.stdout.startswith("HTTP/2 200"), answer.stderr
    assert "strict-transport-security" not in answer.stdout.lower()
    assert unknown.returncode == 60


def test_an_own_one_is_served_with_its_chain(here: Machine, tmp_path: Path) -> None:
    files = own(tmp_path)
    trusted(here, tmp_path)
    before = here.served()

    done = here.matinee("tls", "install", *files, "--json")

    assert done.exit_code == 0, done.output
    assert before != here.served() == here.in_place()
    told = openssl(here, "-CAfile", str(tmp_path / "root.pem"))
    assert "Verify return code: 0 (ok)" in told
    answer = curl(here, "--cacert", str(tmp_path / "root.pem"))
    assert answer.stdout.startswith("HTTP/2 200"), answer.stderr
    assert "strict-transport-security: max-age=31536000" in answer.stdout
    with connect(here.nginx.settings.database) as db:
        event = latest(db)[-1]
    assert (event.name, event.data["source"]) == ("certificate:change", "own")
    again = here.matinee("tls", "install", *files, "--json")
    assert json.loads(again.stdout)["changed"] is False


def test_one_that_browsers_would_refuse_leaves_the_old_one(
    here: Machine, tmp_path: Path
) -> None:
    before = here.served()

    for names, above, code in (
        ((NAME,), b"", "tls.chain"),
        ((NAME,), MIDDLE.pem, "tls.chain"),
        (("other.test",), MIDDLE.pem + ROOT.pem, "tls.name"),
        ((NAME,), ROOT.pem + MIDDLE.pem, "tls.order"),
    ):
        done = here.matinee(
            "tls", "install", *own(tmp_path, *names, above=above), "--json"
        )
        assert json.loads(done.stderr)["error"]["code"] == code
        assert done.exit_code == 2
    assert here.served() == before == here.in_place()


def test_when_nginx_refuses_the_old_one_stays(here: Machine, tmp_path: Path) -> None:
    files = own(tmp_path)
    trusted(here, tmp_path)
    before = here.served()

    # Anything that nginx does not take: here it is told to run as nobody we know.
    done = here.matinee(
        *("tls", "install", *files, "--json"), MATINEE_NGINX_USER="nobody-here"
    )

    assert done.exit_code == 2
    assert json.loads(done.stderr)["error"]["code"] == "nginx.refused"
    assert here.served() == before == here.in_place()


def test_looking_changes_nothing(here: Machine, tmp_path: Path) -> None:
    files = own(tmp_path)
    trusted(here, tmp_path)
    before = here.served()

    done = here.matinee("tls", "install", *files, "--check", "--json")

    assert json.loads(done.stdout)["changed"] is False
    assert here.served() == before


def test_a_better_one_is_not_given_up_without_a_question(
    here: Machine, tmp_path: Path
) -> None:
    files = own(tmp_path)
    trusted(here, tmp_path)
    here.matinee("tls", "install", *files)

    refused = here.matinee("tls", "self-signed")
    kept = here.matinee("tls", "self-signed", "--missing", "--json")
    done = here.matinee("tls", "self-signed", "--yes")

    assert refused.exit_code == 2
    assert json.loads(kept.stdout)["changed"] is False
    assert done.exit_code == 0, done.output


def test_one_of_this_machine_goes_on_with_its_key(here: Machine) -> None:
    key, first = here.place.key.read_bytes(), here.served()

    not_yet = here.matinee("tls", "renew", "--json")
    done = here.matinee("tls", "renew", "--force", "--json")

    assert json.loads(not_yet.stdout)["changed"] is False
    assert json.loads(done.stdout)["changed"] is True
    assert here.place.key.read_bytes() == key
    assert here.served() != first


def test_an_own_one_is_left_to_its_owner(here: Machine, tmp_path: Path) -> None:
    files = own(tmp_path)
    trusted(here, tmp_path)
    here.matinee("tls", "install", *files)

    done = here.matinee("tls", "renew", "--force", "--json")

    assert json.loads(done.stdout)["changed"] is False


def test_a_segment_goes_on_while_the_certificate_changes(
    here: Machine, tmp_path: Path
) -> None:
    files = own(tmp_path)
    trusted(here, tmp_path)
    put(here.nginx.settings, "00001.m4s", b"0123456789" * 100_000)
    path = f"/media/{here.nginx.token()}/{ASSET}/tracks/{TRACK}/00001.m4s"
    target = tmp_path / "segment"
    with subprocess.Popen(
        [
            *("curl", "--silent", "--insecure", "--limit-rate", "200k"),
            *("--resolve", f"{NAME}:{here.port}:127.0.0.1", "--output", str(target)),
            f"https://{NAME}:{here.port}{path}",
        ]
    ) as playing:
        settled(target.exists, "the first bytes")
        assert here.matinee("tls", "install", *files).exit_code == 0
        assert playing.wait(60) == 0

    assert target.stat().st_size == 1_000_000


@contextmanager
def believing(beside: Browser, home: Path, *believed: Path) -> Iterator[Page]:
    """Open a page in a browser whose owner believes these authorities too."""
    database = home / ".pki" / "nssdb"
    database.mkdir(parents=True)
    _certutil(database, "-N", "--empty-password")
    for each in believed:
        _certutil(database, "-A", "-n", each.stem, "-t", "C,,", "-i", str(each))
    opened = beside.browser_type.launch(
        executable_path="/usr/bin/chromium",
        env={**os.environ, "HOME": str(home)},
        args=[
            *("--no-sandbox", "--disable-gpu", "--disable-background-networking"),
            f"--host-resolver-rules=MAP {NAME} 127.0.0.1",
        ],
    )
    yield opened.new_page()
    opened.close()


def _certutil(database: Path, *words: str) -> None:
    subprocess.run(
        ["certutil", *words, "-d", f"sql:{database}"], check=True, capture_output=True
    )


@pytest.mark.browser
def test_chromium_asks_about_ours_and_takes_one_of_a_company_it_believes(
    here: Machine, chromium: Browser, tmp_path: Path
) -> None:
    address = f"https://{NAME}:{here.port}/static/css/app.css"
    files = own(tmp_path)
    with believing(chromium, tmp_path / "before", tmp_path / "root.pem") as page:
        with pytest.raises(Error, match="ERR_CERT_AUTHORITY_INVALID"):
            page.goto(address)
        trusted(here, tmp_path)
        assert here.matinee("tls", "install", *files).exit_code == 0

        answer = page.goto(address)

        assert answer is not None
        assert answer.status == 200
        details = answer.security_details()
        assert details is not None
        assert details["issuer"] == "Company Issuing"

"""What is looked at of releases, and of what the one in use serves."""

import http.server
import json
import ssl
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from appliance import __version__
from appliance.checks import Examined
from appliance.checks.database import CHECKS as DATABASE
from appliance.checks.release import CHECKS
from appliance.db import Database, write
from appliance.operations import release_journal, releases
from appliance.operations.findings import Level
from appliance.operations.release_journal import Journal, Outcome, Step
from appliance.operations.releases import Layout
from tests.builders import Builders


@pytest.fixture
def host(examined: Examined, tmp_path: Path) -> Examined:
    """A machine on which the release of this code is in use."""
    layout = Layout(tmp_path / "host")
    _install(layout, __version__)
    releases.switch(layout, __version__, "")
    return replace(examined, root=layout.root)


def test_a_machine_in_order_has_nothing_to_say(host: Examined) -> None:
    for name in ("release.current", "release.whole", "release.finished"):
        assert CHECKS[name].look(host)[0] is Level.OK


def test_a_checkout_has_no_releases(examined: Examined, tmp_path: Path) -> None:
    elsewhere = replace(examined, root=tmp_path / "nothing")

    for name in ("release.current", "release.whole", "release.finished"):
        assert CHECKS[name].look(elsewhere)[0] is Level.OK


def test_services_of_another_release_than_the_one_in_use_are_found(
    host: Examined,
) -> None:
    layout = Layout(host.root)
    _install(layout, "0.0.1")
    releases.switch(layout, "0.0.1", "")

    level, sentence, fix = CHECKS["release.current"].look(host)

    assert level is Level.FAIL
    assert "0.0.1" in sentence
    assert "restart" in fix


def test_a_release_whose_installing_broke_off_is_found(host: Examined) -> None:
    (Layout(host.root).release(__version__) / releases.COMPLETE).unlink()

    level, sentence, fix = CHECKS["release.whole"].look(host)

    assert level is Level.FAIL
    assert "not whole" in sentence
    assert "install.sh" in fix


def test_a_release_that_others_may_change_is_found(host: Examined) -> None:
    folder = Layout(host.root).release(__version__)
    (folder / "venv" / "bin").mkdir(parents=True)
    (folder / "venv" / "bin").chmod(0o777)

    level, sentence, fix = CHECKS["release.whole"].look(host)

    assert level is Level.FAIL
    assert str(folder / "venv" / "bin") in sentence
    assert "chmod" in fix


def test_a_change_that_was_cut_short_is_found(host: Examined) -> None:
    journal = Journal("upgrade", "1.0", "1.1", "", "now", Step.MIGRATE)
    release_journal.write(Layout(host.root), journal)

    level, sentence, fix = CHECKS["release.finished"].look(host)

    assert level is Level.WARN
    assert "1.1" in sentence
    assert "matinee upgrade --resume" in fix


def test_an_upgrade_that_was_taken_back_is_told_until_another_goes_well(
    host: Examined,
) -> None:
    layout = Layout(host.root)
    trouble = Outcome("1.0", "1.1", "upgrade", "now", 3.0, trouble="it hurts")
    release_journal.close(layout, trouble)

    assert CHECKS["release.finished"].look(host)[0] is Level.WARN
    release_journal.close(layout, replace(trouble, trouble=""))
    assert CHECKS["release.finished"].look(host)[0] is Level.OK


def test_a_database_newer_than_the_code_is_found(
    examined: Examined, db: Database
) -> None:
    with write(db):
        db.conn.execute(
            "insert into _sqlite_migrations (migration_set, name, applied_at)"
            " values ('matinee', 'gone', 'later')"
        )

    level, sentence, fix = DATABASE["db.migrations"].look(examined)

    assert level is Level.FAIL
    assert "install that release" in sentence
    assert "matinee upgrade" in fix


def test_a_portal_that_is_not_ready_is_found(front: "Front") -> None:
    front.server.answers["/-/ready"] = (503, b"")

    level, sentence, _ = CHECKS["release.answers"].look(front.examined)

    assert level is Level.FAIL
    assert "503" in sentence
    front.server.answers["/-/ready"] = (200, b"")
    assert CHECKS["release.answers"].look(front.examined)[0] is Level.OK


def test_nginx_is_asked_by_the_name_of_the_portal_in_the_handshake_too(
    front: "Front", tmp_path: Path
) -> None:
    asked: list[str | None] = []
    front.server.answers["/-/ready"] = (200, b"")
    context = _certified(tmp_path)
    context.sni_callback = lambda _socket, name, _context: asked.append(name)
    front.server.socket = context.wrap_socket(front.server.socket, server_side=True)
    settings = front.examined.settings
    secured = replace(
        settings,
        portal=replace(settings.portal, public_url="https://films.example.org"),
        nginx=replace(
            settings.nginx,
            tls_certificate="there is one",
            https_port=front.server.server_port,
        ),
    )

    level, _, _ = CHECKS["release.answers"].look(
        replace(front.examined, settings=secured)
    )

    assert level is Level.OK
    assert asked == ["films.example.org"]


def test_a_film_is_followed_to_its_first_segment(
    front: "Front", make: Builders
) -> None:
    assert "no film" in CHECKS["release.serves"].look(front.examined)[1]
    make.asset()
    answers = front.server.answers
    answers["master.m3u8"] = (200, b"#EXTM3U\nvideo/index.m3u8\n")
    answers["index.m3u8"] = (200, b"#EXTM3U\n../tracks/1/0001.m4s\n")
    answers["tracks/1/0001.m4s"] = (200, b"film")

    assert CHECKS["release.serves"].look(front.examined)[0] is Level.OK


@pytest.mark.parametrize("missing", ["master.m3u8", "index.m3u8", "0001.m4s"])
def test_what_is_not_served_of_a_film_is_found(
    front: "Front", make: Builders, missing: str
) -> None:
    make.asset()
    answers = front.server.answers
    answers["master.m3u8"] = (200, b"#EXTM3U\nvideo/index.m3u8\n")
    answers["index.m3u8"] = (200, b"#EXTM3U\n../tracks/1/0001.m4s\n")
    answers["0001.m4s"] = (200, b"film")
    answers[missing] = (403, b"")

    level, sentence, _ = CHECKS["release.serves"].look(front.examined)

    assert level is Level.FAIL
    assert missing in sentence
    assert "403" in sentence


class _Server(http.server.ThreadingHTTPServer):
    answers: dict[str, tuple[int, bytes]]


class _Answering(http.server.BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        found = (a for end, a in self.server.answers.items() if self.path.endswith(end))
        status, body = next(found, (404, b""))
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Front:
    """Something that answers where nginx would."""

    def __init__(self, examined: Examined, server: _Server) -> None:
        nginx = replace(
            examined.settings.nginx,
            address="127.0.0.1",
            http_port=server.server_port,
            tls_certificate="",
        )
        settings = replace(examined.settings, nginx=nginx)
        self.examined, self.server = replace(examined, settings=settings), server


@pytest.fixture
def front(examined: Examined) -> Iterator[Front]:
    with _Server(("127.0.0.1", 0), _Answering) as server:
        server.answers = {}
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield Front(examined, server)
        server.shutdown()
        thread.join()


def _certified(folder: Path) -> ssl.SSLContext:
    """Return how a server speaks TLS that nobody vouches for."""
    certificate, key = folder / "certificate.pem", folder / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj"]
    command += ["/CN=nobody", "-out", str(certificate), "-keyout", str(key)]
    subprocess.run(command, check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context


def _install(layout: Layout, version: str) -> None:
    folder = layout.release(version)
    folder.mkdir(parents=True)
    (folder / "release.json").write_text(json.dumps({"version": version}))
    (folder / releases.COMPLETE).touch()

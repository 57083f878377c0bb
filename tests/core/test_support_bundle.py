"""The support bundle holds what is on its list, and none of our secrets."""

import io
import json
import os
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.checks import Examined
from appliance.cli.support_contents import CONTENTS, Gathering
from appliance.clock import SystemClock, to_text
from appliance.db import Database, write
from appliance.host_sections import Outbound
from appliance.operations import redaction
from appliance.operations.redaction import Redactor
from appliance.permissions import Role
from appliance.settings import Settings
from tests.builders import Builders
from tests.conftest import Matinee

LINES = """\
GET /login?token=canary-query-0001 HTTP/1.1
Cookie: matinee_session=canary-cookie-0002; matinee_form=canary-cookie-0003
{"Authorization": "Bearer canary-bearer-0004", "path": "/"}
X-Origin-Secret: canary-header-0005
could not connect to redis://matinee:canary-url-0006@10.0.0.5:6379/0
login failed for ada, password=canary-word-0007
{'api_key': 'canary-key-0008', "client_secret": "canary-key 0009"}
jwt eyJhbGciOiJIUzI1NiJ9.eyJjYW5hcnkiOiIwMDEwIn0.c2lnbmF0dXJlLW9mLWNhbmFyeQ
GET /media/2.1.1767225600.0123456789abcdef.all.canaryMediaToken0011ab/00112233445566aa/x
-----BEGIN PRIVATE KEY-----
canaryPrivateKey0012
-----END PRIVATE KEY-----
somebody wrote to canary0013@example.org
a key 6a1f9c0e5b7d48a2936c1d0f8e7b5a4396a1f9c0e5b7d48a2936c1d0f8e7b5a4
"""
CANARIES = (
    "canary-query-0001",
    *("canary-cookie-0002", "canary-cookie-0003", "canary-bearer-0004"),
    *("canary-header-0005", "canary-url-0006", "canary-word-0007"),
    *("canary-key-0008", "canary-key 0009", "c2lnbmF0dXJlLW9mLWNhbmFyeQ"),
    *("canaryMediaToken0011ab", "canaryPrivateKey0012", "canary0013"),
    "6a1f9c0e5b7d48a2936c1d0f8e7b5a43",
)
KNOWN = {
    "keys/web.key": "0a" * 32,
    "keys/content-1.key": "0b" * 32,
    "keys/cdn.toml": '[bunny]\nkey = "canary-cdn-0021"\n',
    "keys/mail.toml": '[smtp]\nusername = "m"\npassword = "canary mail 0022"\n',
    "keys/drm.toml": '[widevine]\niv = "canary-drm-0023"\n',
    "other.toml": '[s3]\nsecret_key = "canary/s3+0024"\n',
}
KNOWN_CANARIES = (
    *("0a" * 32, "0b" * 32, "canary-cdn-0021", "canary mail 0022"),
    *("canary-drm-0023", "canary/s3+0024", "canary%2Fs3%2B0024"),
    *("canary-env-0025", "canary-env-0026", "canary-proxy-0027", "canary-redis-0028"),
    *("canary-hash-0029", "canary-hook-0030", "canary-nginx-0031"),
)


@pytest.fixture
def haunted(
    settings: Settings,
    db: Database,
    make: Builders,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Examined:
    """An appliance whose every corner holds a secret, and says it aloud."""
    for name, text in KNOWN.items():
        path = settings.home / name
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_text(text)
        path.chmod(0o600)
    monkeypatch.setenv("MATINEE_QUEUE_URL", "redis://m:canary-env-0025@10.0.0.5:6379/0")
    monkeypatch.setenv("SOME_API_KEY", "canary-env-0026")
    make.actor(Role.VIEWER)
    with write(db):
        db.conn.execute("update accounts set password_hash = 'canary-hash-0029'")
        db.conn.execute(
            "insert into preferences (key, value, revision, changed_by, changed_at)"
            " values ('x', '{\"secret\": \"canary-hook-0030\"}', 1, 'x', 'x')"
        )
    root = tmp_path / "machine"
    files = {
        "opt/matinee/current/release.json": "{}",
        "proc/meminfo": "MemTotal: 8 kB\nMemAvailable: 8 kB\n",
        "proc/loadavg": "0.1 0.2 0.3\n",
        "proc/self/mountinfo": "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n",
        "log/portal.log": "",
        "nginx/current/secrets.conf": "canary-nginx-0031",
        "nginx/current/portal.conf": "set $x canary-cdn-0021;\nserver { }\n" + LINES,
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    said = LINES + "\n".join(KNOWN_CANARIES[:11]) + "\n"
    now = SystemClock().now()
    with (root / "log/portal.log").open("w") as file:
        for line in said.splitlines():
            at = to_text(now)[:19] + "+00:00"
            file.write(json.dumps({"at": at, "path": line, "status": 200}) + "\n")
    error = f"{now:%Y/%m/%d %H:%M:%S} [error] 1#1: "
    (root / "log/nginx-error.log").write_text(
        "".join(f"{error}{line}\n" for line in said.splitlines())
    )
    _programs(tmp_path / "programs", said, now.timestamp())
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}:{os.environ['PATH']}")
    proxy = Outbound(proxy="http://matinee:canary-proxy-0027@proxy.example:3128")
    queue = replace(settings.queue, url="redis://:canary-redis-0028@127.0.0.1:1/0")
    mail = replace(settings.mail, credentials=str(settings.home / "other.toml"))
    nginx = replace(settings.nginx, folder=str(root / "nginx"), log=str(root / "log"))
    changed = replace(settings, outbound=proxy, queue=queue, mail=mail, nginx=nginx)
    return Examined(changed, root=root)


def _programs(folder: Path, said: str, now: float) -> None:
    """Put programs in front that repeat every secret."""
    folder.mkdir()
    records = [
        json.dumps(
            {
                "__REALTIME_TIMESTAMP": str(int(now * 1e6)),
                "SYSLOG_IDENTIFIER": "matinee-web",
                "PRIORITY": "3",
                "MESSAGE": text,
            }
        )
        for text in (said, *said.splitlines())
    ]
    (folder / "records").write_text("\n".join(records) + "\n")
    (folder / "said").write_text(said)
    for name, file in (("journalctl", "records"), ("systemctl", "said")):
        (folder / name).write_text(f"#!/bin/sh\ncat {folder / file}\n")
        (folder / name).chmod(0o755)


def test_no_secret_leaves_the_house(haunted: Examined) -> None:
    gathering = Gathering(haunted, Redactor(redaction.known(haunted.settings)))

    files = dict(gathering.contents())

    whole = "\n".join(files.values())
    assert [each for each in (*CANARIES, *KNOWN_CANARIES) if each in whole] == []
    assert len(CANARIES) + len(KNOWN_CANARIES) > 24
    assert set(files) == {*CONTENTS, "warnings.txt"}
    assert whole.count("[hidden]") > 100


def test_what_helps_is_still_there(haunted: Examined) -> None:
    gathering = Gathering(haunted, Redactor(redaction.known(haunted.settings)))

    files = dict(gathering.contents())

    assert {each["id"] for each in json.loads(files["doctor.json"])["checks"]}
    assert json.loads(files["versions.json"])["matinee"]
    settings = json.loads(files["settings.json"])
    assert settings["queue.url"] == "[hidden]"
    assert settings["outbound.proxy"] == "http://[hidden]@proxy.example:3128"
    assert settings["web.port"] == 8600
    assert json.loads(files["figures.json"])["rows"]["accounts"] == 1
    assert "server { }" in files["nginx.txt"]
    assert "could not connect to redis://" in files["logs/web.log"]
    assert "login failed for ada" in files["logs/nginx.log"]
    assert "/login" in files["logs/nginx.log"]


def test_what_failed_is_told_and_stops_nothing(haunted: Examined) -> None:
    haunted.settings.database.unlink()
    haunted.file("/proc/loadavg").unlink()
    gathering = Gathering(haunted, Redactor(()))

    files = dict(gathering.contents())

    assert "figures.json" not in files
    assert "figures.json: " in files["warnings.txt"]
    assert "doctor.json" in files


def test_the_command_lists_and_writes_one_file_for_its_owner(
    matinee: Matinee, tmp_path: Path
) -> None:
    matinee("init", "--yes")
    path = tmp_path / "bundle.tar.gz"

    listed = matinee("support-bundle", "--list")
    written = matinee("support-bundle", "-o", str(path))
    again = matinee("support-bundle", "-o", str(path))

    assert listed.stdout.split() == list(CONTENTS)
    assert written.exit_code == 0, written.output
    assert "doctor.json" in written.stderr, "the content is listed"
    assert path.stat().st_mode & 0o777 == 0o600
    assert again.exit_code == 3
    assert list(tmp_path.glob(".*part")) == []
    with tarfile.open(fileobj=io.BytesIO(path.read_bytes())) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert names == {*CONTENTS, "warnings.txt"}


@pytest.mark.parametrize(
    "text",
    [
        "request 0123456789abcdef0123456789abcdef took 12 ms",
        "/opt/matinee/releases/1.4.0/venv/lib/python3.11/site-packages/streamer.py",
        "job 0123456789abcdef, unit encode-0007: exit code 1",
        "2026-01-01T00:00:00Z matinee-web INFO jobs.control: ready",
        "the database has 12 pages; page 3 is damaged",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert Redactor(("a-secret-of-ours",)).text(text) == text


def test_a_secret_is_hidden_in_every_form_of_it() -> None:
    redactor = Redactor(("pass/word+1", "pass/word+1 and more"))

    assert redactor.text("a pass/word+1 b") == "a [hidden] b"
    assert redactor.text("pass/word+1 and more") == "[hidden]"
    assert redactor.text("q=pass%2Fword%2B1") == "q=[hidden]"
    assert redactor.document({"a": ["pass/word+1", 3, None]}) == {
        "a": ["[hidden]", 3, None]
    }

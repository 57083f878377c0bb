"""``matinee nginx``: show, check, install; the old one stays when a new one fails."""

import fcntl
import json
import os
import socket
import stat
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance.cli import main
from appliance.delivery import tokens
from appliance.errors import ConfigError, Locked, TryAgain
from nginx import render, secrets, versions
from tests.host.served_nginx import (
    ASSET,
    TRACK,
    Nginx,
    changed,
    environment,
    origin,
)

_NOW = datetime(2026, 1, 2, tzinfo=UTC)
_FILE = f"{ASSET}/tracks/{TRACK}/00001.m4s"


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Nginx]:
    with origin(tmp_path / "home", MATINEE_NGINX_ROLES="origin") as nginx:
        yield nginx


def _matinee(home: Path, *args: str, **changes: str) -> Result:
    environ = {**environment(home, **changes), "MATINEE_CONFIG": None}
    return CliRunner(env=environ).invoke(main, ["nginx", *args])


def _plays(nginx: Nginx) -> bool:
    return nginx.get(f"/media/{nginx.token()}/{_FILE}").status_code == 200


def _link(nginx: Nginx) -> str:
    return str((Path(nginx.settings.nginx.folder) / "current").readlink())


def test_what_is_shown_holds_no_secret(tmp_path: Path) -> None:
    shown = _matinee(tmp_path, "render", "--role", "origin")
    document = json.loads(_matinee(tmp_path, "render", "--json").stdout)

    secret = (tmp_path / "keys" / "media-1.key").read_text().strip()
    assert shown.exit_code == 0
    assert "# ==> nginx.conf" in shown.stdout
    assert secret not in shown.stdout
    assert "secrets.conf" not in document
    assert "portal.conf" in document


def test_what_is_written_keeps_its_secrets(tmp_path: Path) -> None:
    folder = tmp_path / "out"

    first = _matinee(tmp_path, "render", "--to", str(folder))
    again = _matinee(tmp_path, "render", "--to", str(folder))

    assert first.exit_code == 0
    assert stat.S_IMODE((folder / "secrets.conf").stat().st_mode) == 0o600
    assert stat.S_IMODE((folder / "nginx.conf").stat().st_mode) == 0o644
    assert again.exit_code == 3
    assert "not empty" in again.stderr


def test_a_check_touches_nothing_and_explains_what_it_finds(tmp_path: Path) -> None:
    home = tmp_path / "home"

    right = _matinee(home, "check", MATINEE_PORTAL_PUBLIC_URL="http://films.example")
    open_host = _matinee(home, "check", "--json")
    no_user = _matinee(home, "check", "--json", MATINEE_NGINX_USER="nobody-here")
    no_tls = _matinee(
        home,
        "check",
        "--json",
        MATINEE_NGINX_TLS_CERTIFICATE="/nowhere.pem",
        MATINEE_NGINX_TLS_KEY="/nowhere.key",
    )

    assert right.exit_code == 0, right.output
    assert "nothing to remark" in right.stderr, right.stdout
    (finding,) = json.loads(open_host.stdout)
    assert open_host.exit_code == 0
    assert (finding["source"], finding["grave"]) == ("gixy", False)
    assert "portal.public_url" in finding["remedy"]
    for wrong, remedy in ((no_user, "nginx.user"), (no_tls, "nginx.tls_certificate")):
        assert wrong.exit_code == 1
        assert remedy in str([each["remedy"] for each in json.loads(wrong.stdout)])
    assert [each.name for each in home.iterdir()] == ["keys"]


def test_a_port_that_looks_like_that_of_tls_is_no_remark(tmp_path: Path) -> None:
    checked = _matinee(
        tmp_path,
        "check",
        "--json",
        MATINEE_PORTAL_PUBLIC_URL="http://films.example",
        MATINEE_NGINX_HTTP_PORT="14430",
    )

    assert json.loads(checked.stdout) == []


def test_a_first_installation_says_how_to_start(tmp_path: Path) -> None:
    done = _matinee(tmp_path, "install", "--json")
    told = _matinee(tmp_path, "install")

    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout)["reloaded"] is False
    assert "nginx -c" in told.stdout
    assert (tmp_path / "nginx" / "current" / "nginx.conf").is_file()


def test_a_strict_umask_hides_nothing_from_the_services(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        done = _matinee(tmp_path, "install")
    finally:
        os.umask(before)

    version = (tmp_path / "nginx" / "current").resolve()
    assert done.exit_code == 0, done.output
    for folder in (version.parent, version):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    assert stat.S_IMODE((version / "nginx.conf").stat().st_mode) == 0o644


def test_without_the_right_to_write_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "nginx").write_text("a file in the way")

    refused = _matinee(tmp_path, "install")

    assert refused.exit_code in (1, 3)


def test_a_running_nginx_takes_the_new_one_over(served: Nginx) -> None:
    before = _link(served)
    served.settings = changed(
        served.settings, "origin", cors_origins="https://new.example"
    )

    done = served.install()

    answer = served.get(
        f"/media/{served.token()}/{_FILE}", headers={"Origin": "https://new.example"}
    )
    assert done.reloaded
    assert _link(served) == done.folder.name != before
    assert answer.headers["Access-Control-Allow-Origin"] == "https://new.example"


@pytest.mark.parametrize(
    "spoil",
    [
        lambda files: files | {"media.conf": files["media.conf"][:-200]},
        lambda files: files | {"nginx.conf": files["nginx.conf"][:300]},
        lambda files: files | {"host.conf": "listen 127.0.0.1:0x50;"},
        lambda files: files | {"packaged.conf": "\0\0\0"},
        lambda files: {n: text for n, text in files.items() if n != "types.conf"},
        lambda files: files | {"nginx.conf": ""},
    ],
)
def test_the_old_one_stays_when_the_new_one_is_broken(
    served: Nginx, spoil: Any
) -> None:
    before = _link(served)
    files = dict(render(served.settings, secrets.load(served.settings), ("origin",)))

    with pytest.raises(ConfigError) as refused:
        versions.install(served.settings, spoil(files), _NOW)

    assert "the one in use stays" in refused.value.message
    assert _link(served) == before
    assert _plays(served)
    folder = Path(served.settings.nginx.folder)
    assert [each.name for each in folder.iterdir() if each.is_dir()].count(before) == 1
    assert (
        sum(each.is_dir() and not each.is_symlink() for each in folder.iterdir()) == 1
    )


def test_the_old_one_stays_when_a_port_is_taken(served: Nginx) -> None:
    """nginx -t takes it, as a port in use is no fault of a text; the reload fails."""
    before = _link(served)
    with socket.create_server(("127.0.0.1", 0)) as other:
        taken = changed(served.settings, "nginx", http_port=other.getsockname()[1])
        files = render(taken, secrets.load(taken), ("origin",))
        with pytest.raises(TryAgain) as refused:
            versions.install(served.settings, files, _NOW, patience=2)

    assert "nginx-error.log" in refused.value.message
    assert _link(served) == before
    assert _plays(served)
    assert "Address already in use" in served.errors()
    assert served.install().reloaded


def test_one_installs_at_a_time(served: Nginx) -> None:
    with (Path(served.settings.nginx.folder) / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Locked):
            served.install()
    assert _plays(served)


def test_old_ones_are_forgotten_but_for_a_few(served: Nginx) -> None:
    for _ in range(8):
        served.install()

    folder = Path(served.settings.nginx.folder)
    kept = [each for each in folder.iterdir() if (each / "nginx.conf").is_file()]
    assert 3 <= len(kept) <= 6
    assert _plays(served)


def test_a_process_id_that_another_program_has_now_is_left_alone(
    tmp_path: Path,
) -> None:
    home = tmp_path / "home"
    sleeper = subprocess.Popen(["sleep", "60"])
    try:
        run = home / "run"
        run.mkdir(parents=True)
        (run / "nginx.pid").write_text(f"{sleeper.pid}\n")
        done = _matinee(home, "install", "--json")
        assert json.loads(done.stdout)["reloaded"] is False
        assert sleeper.poll() is None
    finally:
        sleeper.kill()
        sleeper.wait()


def test_rotating_the_key_cuts_nobody_off_and_twice_cuts_all_off(
    served: Nginx,
) -> None:
    environ = {**_environ(served), "MATINEE_CONFIG": None}
    runner = CliRunner(env=environ)
    assert runner.invoke(main, ["migrate"]).exit_code == 0
    first = served.token()

    def rotate() -> None:
        done = runner.invoke(main, ["key", "rotate", "media", "--yes"])
        assert done.exit_code == 0, done.output

    def status(token: str) -> int:
        return served.get(f"/media/{token}/{_FILE}").status_code

    rotate()
    second = served.token()
    assert (status(first), status(second)) == (200, 200)
    rotate()
    assert (status(first), status(second), status(served.token())) == (403, 200, 200)
    assert sorted(tokens.load(served.settings.keys).secrets) == ["2", "3"]


def test_a_rotation_that_nginx_refuses_changes_no_key(served: Nginx) -> None:
    environ = {**_environ(served), "MATINEE_CONFIG": None}
    runner = CliRunner(env=environ)
    assert runner.invoke(main, ["migrate"]).exit_code == 0

    done = CliRunner(env=environ | {"MATINEE_NGINX_USER": "nobody-here"}).invoke(
        main, ["key", "rotate", "media", "--yes"]
    )

    assert done.exit_code == 2
    assert "nginx refuses" in done.stderr
    assert tokens.load(served.settings.keys).current == "1"
    assert _plays(served)


def _environ(nginx: Nginx) -> dict[str, str]:
    """Return the settings that this nginx was started with."""
    found = environment(nginx.settings.home, MATINEE_NGINX_ROLES="origin")
    found["MATINEE_NGINX_HTTP_PORT"] = str(nginx.settings.nginx.http_port)
    return found

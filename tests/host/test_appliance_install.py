"""A bare machine becomes an appliance by one command: what is on it, and what it does.

Everything here is asked of one machine that was installed once, from the signed bundle,
without a network but Debian's mirror.
"""

import re
import time
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests import media_samples
from tests.host import figures, viewers
from tests.host.conftest import Installation
from tests.host.installed import Appliance, changed

pytestmark = pytest.mark.machine

# Everything else is somebody else's.
OPEN_PORTS = {"22", "80", "443"}
WORST_EXPOSURE = 2.0
# Somebody who has asked for half of something, and whom the portal waits for.
ASKING = """
import pathlib, socket
line = socket.socket(socket.AF_UNIX)
line.connect("/run/matinee/web.sock")
line.sendall(b"GET / HTTP/1.1\\r\\n")
pathlib.Path("/run/asking").touch()
line.recv(1)
"""


def test_one_command_installs_it(installation: Installation, used: Appliance) -> None:
    figures.tell("installation", installation.seconds, 360)

    said = installation.first.stdout
    assert used.url in said
    shown = used.box.run(
        "openssl x509 -in /etc/matinee/tls/certificate.pem -noout -fingerprint -sha256"
    )
    assert shown.stdout.partition("=")[2].strip() in said
    assert used.box.run("systemctl", "is-system-running").stdout == "running\n"


def test_the_doctor_finds_nothing_broken(used: Appliance) -> None:
    assert used.failing() == []


@pytest.mark.browser
@pytest.mark.media
def test_a_film_is_uploaded_made_and_played_over_tls(
    installation: Installation, used: Appliance, chromium: Browser, tmp_path: Path
) -> None:
    film = media_samples.film(tmp_path, "The First.mp4", seconds=8, size="640x360")
    started = time.monotonic()

    with viewers.administrator(used, chromium) as visitor:
        viewers.upload(visitor, film)
        slug = viewers.first_title(used)
        viewers.watch(visitor, slug, seconds=2)
        served = viewers.segments(visitor)

    seconds = installation.seconds + time.monotonic() - started
    figures.tell("bare machine to the first film", seconds, 600)
    assert all(each.startswith(f"{used.url}/media/") for each in served)
    assert served


def test_the_second_run_changes_nothing(
    installation: Installation, used: Appliance
) -> None:
    again, seconds = used.install(installation.folder)

    figures.tell("second run", seconds, 120)
    assert "changed=0" in again.stdout, changed(again)
    assert used.status("/-/ready") == "200"


def test_a_check_says_what_would_change_and_changes_nothing(
    installation: Installation, used: Appliance
) -> None:
    used.answers = {"matinee_settings": {"portal": {"name": "Another"}}}

    said, _ = used.install(installation.folder, "--check")

    used.answers = {}
    assert "Write /etc/matinee/matinee.toml" in changed(said)
    assert "Another" not in used.box.read("/etc/matinee/matinee.toml")


def test_no_service_is_exposed_more_than_a_little(used: Appliance) -> None:
    units = used.units()
    assert {"matinee-web.service", "matinee-nginx.service"} <= set(units)

    for unit in units:
        said = used.box.run(f"systemd-analyze security --no-pager {unit}").stdout
        score = float(said.strip().splitlines()[-1].split(":")[1].split()[0])
        assert score <= WORST_EXPOSURE, said


def test_only_the_web_servers_master_runs_as_root(used: Appliance) -> None:
    listed = used.box.run(
        "systemctl list-units 'matinee*.service' --state=running --no-legend --plain"
        " | cut -d' ' -f1"
    )
    users = {
        unit: used.box.run(
            f"ps -o user= --pid $(systemctl show -P MainPID {unit})"
        ).stdout.strip()
        for unit in listed.stdout.split()
    }

    assert users.pop("matinee-nginx.service") == "root"
    assert set(users.values()) == {"matinee"}


def test_only_the_meant_ports_are_open(used: Appliance) -> None:
    listening = used.box.run(
        "ss -Hltn '( not src 127.0.0.0/8 and not src [::1] )' | awk '{print $4}'"
    )

    assert {each.rsplit(":", 1)[1] for each in listening.stdout.split()} == OPEN_PORTS


def test_secrets_are_for_their_owners_alone(used: Appliance) -> None:
    secret = "/etc/matinee/answers.yml /etc/matinee/tls/key.pem /var/lib/matinee"
    for each in secret.split():
        mode = used.box.run("stat", "-L", "-c", "%a", each).stdout.strip()
        assert mode[-1] == "0", each
        assert mode in ("600", "640", "700", "750"), each
    found = used.box.run(
        "setpriv --reuid=nobody --regid=nogroup --clear-groups -- find"
        " /etc/matinee /var/lib/matinee /srv/matinee -type f -readable 2>/dev/null",
        check=False,
    )
    assert found.stdout == ""
    writable = used.box.run("find /opt/matinee ! -user root -o -perm /022 ! -type l")
    assert writable.stdout == ""


def test_another_host_name_is_refused(used: Appliance) -> None:
    asked = used.get(
        "/", "-H", "Host: evil.example", "-o", "/dev/null", "-w", "%{http_code}"
    )

    assert asked.stdout in ("421", "444", "000")


def test_the_portal_is_relieved_while_somebody_is_still_being_answered(
    used: Appliance,
) -> None:
    asking = used.box.begin("python3", "-c", ASKING)
    used.box.run("until test -e /run/asking; do sleep 0.1; done")
    before = used.box.run("systemctl show -P MainPID matinee-web.service").stdout

    used.box.run("systemctl reload matinee-web.service")

    assert used.status("/-/ready") == "200"
    assert (
        used.box.run("systemctl show -P MainPID matinee-web.service").stdout != before
    )
    assert asking.wait(30) is not None


def test_what_timers_begin_ends_well(used: Appliance) -> None:
    listed = used.box.run("systemctl list-timers --all --plain --no-legend 'matinee-*'")
    begun = sorted({each.split()[-1] for each in listed.stdout.splitlines()})
    assert "matinee-certificate.service" in begun

    used.box.start_units(*begun)


def test_nothing_failed_and_nothing_was_logged_as_an_error(used: Appliance) -> None:
    failed = used.box.run("systemctl --failed --no-legend --plain").stdout
    logged = used.box.run(
        "journalctl -b -p err -o cat --no-pager -u 'matinee*'", check=False
    ).stdout

    assert failed == ""
    assert re.sub("-- No entries --", "", logged).strip() == ""


def test_after_a_power_cut_it_comes_back_by_itself(used: Appliance) -> None:
    used.box.restart(hard=True)

    figures.tell("power cut to portal", used.box.boot_seconds + used.await_ready(), 30)
    assert used.failing() == []

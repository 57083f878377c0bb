"""What the doctor and its tools say on a machine that the installer made."""

import json

import pytest

from tests.host.installed import Appliance

pytestmark = pytest.mark.host

# Not ours to answer for in a box: its clock, its DNS and what its mirror has.
_OF_THE_BOX = {"time.sync", "dns.host", "os.updates", "os.firewall", "ssh.password"}


def test_a_new_appliance_has_nothing_that_fails(used: Appliance) -> None:
    done = used.matinee("--json", "doctor", "--full", check=False)

    found = {each["id"]: each for each in json.loads(done.stdout)["checks"]}
    failing = {name for name, each in found.items() if each["level"] == "fail"}
    assert failing - _OF_THE_BOX == set(), [found[each] for each in failing]
    looked_at = {
        *("web.front", "web.headers", "nginx.config", "nginx.proxy_headers"),
        *("nginx.other_hosts", "nginx.upload_limit", "db.integrity", "secrets.private"),
        *("jobs.worker_alive", "jobs.media_workers", "time.clock", "os.reboot"),
    }
    assert {name: found[name]["level"] for name in looked_at} == dict.fromkeys(
        looked_at, "ok"
    )
    assert "not looked at" not in json.dumps(found)


def test_the_night_notes_what_the_page_shows(used: Appliance) -> None:
    used.box.run("systemctl", "start", "matinee-doctor.service")

    again = used.matinee("doctor", "--full", "--changes", check=False)

    assert again.stdout == "Nothing differs from the last time.\n", again.stdout


def test_what_breaks_on_the_machine_is_found_with_its_repair(used: Appliance) -> None:
    used.box.run("chmod 644 /var/lib/matinee/keys/web.key")
    used.box.run("sed -i 's/8m/9m/' /etc/matinee/nginx/current/portal.conf")
    used.box.run("systemctl stop matinee-web.socket matinee-web.service")

    done = used.matinee("--json", "doctor", "--full", check=False)

    found = {each["id"]: each for each in json.loads(done.stdout)["checks"]}
    assert found["keys.private"]["level"] == "fail"
    assert found["nginx.config"]["fix"] == "matinee nginx install"
    assert found["web.front"]["level"] == "fail"
    used.box.run("chmod 600 /var/lib/matinee/keys/web.key")
    used.box.start_units("matinee-web.socket", "matinee-web.service")
    used.matinee("nginx", "install")
    used.await_ready()


def test_the_installer_may_look_again_at_a_machine_that_is_ours(
    used: Appliance,
) -> None:
    done = used.matinee("--json", "preflight", check=False)

    found = {each["id"]: each for each in json.loads(done.stdout)["checks"]}
    assert found["network.ports"]["sentence"] == "port 80, 443: held by Matinee"
    assert found["system.root"]["level"] == "ok"


def test_logs_of_all_units_and_a_bundle_of_what_helps(used: Appliance) -> None:
    used.get("/login")
    parts = {each["part"] for each in used.ask("logs", "--lines", "5000")}
    used.matinee("support-bundle", "-o", "/root/support.tar.gz")
    listed = used.box.run("tar -tzf /root/support.tar.gz").stdout
    whole = used.box.run("tar -xzOf /root/support.tar.gz").stdout
    secret = used.box.run("cat /var/lib/matinee/keys/web.key").stdout.strip()

    assert parts >= {"matinee-web", "matinee-control", "matinee-media"}
    assert "logs/web.log" in listed
    assert "matinee-web.service" in whole
    assert secret not in whole
    assert "PRIVATE KEY" not in whole

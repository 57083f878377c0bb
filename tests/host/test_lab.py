"""The lab itself: its boxes are real machines, and leave nothing behind."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.host import lab
from tests.host.conftest import MakeBox
from tests.host.lab import Box, Failed, Network, places, remains, seat

ROOT = Path(__file__).resolve().parents[2]


def test_a_box_is_a_bare_debian_with_all_that_systemd_does(box: MakeBox) -> None:
    bare = box()

    assert bare.boot_seconds < 60
    assert bare.run("systemctl", "is-system-running").stdout == "running\n"
    assert 'VERSION_ID="12"' in bare.read("/etc/os-release")
    assert bare.run("cat /proc/1/comm; hostname").stdout == "systemd\nmatinee\n"
    bare.run(
        "systemd-run --wait --quiet -p DynamicUser=yes -p ProtectSystem=strict"
        " -p PrivateNetwork=yes true"
    )


def test_root_of_a_box_is_nobody_on_the_machine(box: MakeBox) -> None:
    bare = box()

    # also for what enters it: with the machine's users it could set the machine's clock
    users = bare.run("cat /proc/self/uid_map").stdout.split()
    assert users == ["0", str(places.FIRST_UID), str(places.UIDS)]
    for attempt in ("sysctl -w vm.swappiness=60", "mknod /dev/mine b 253 0"):
        with pytest.raises(Failed):
            bare.run(attempt)


def test_boxes_know_one_another_and_a_cable_can_be_pulled(
    box: MakeBox, net: Network
) -> None:
    one, other = box("one"), box("other")
    greet = "python3 -c 'import socket; socket.create_connection((\"{}\", 22), 2)'"
    one.run(greet.format("other.test"))

    other.cut()
    assert one.run(greet.format("other"), check=False).returncode != 0
    other.mend()

    one.run(greet.format("other"))
    assert seat.ssh(net, other.address, "hostname").stdout == "other\n"


def test_a_port_of_this_machine_leads_into_a_box(box: MakeBox, net: Network) -> None:
    serving = box()
    serving.run(
        "systemd-run --quiet -p WorkingDirectory=/etc python3 -m http.server 80"
    )
    serving.run("until ss -Hltn | grep -q :80; do sleep 0.1; done")

    url = f"http://127.0.0.1:{net.forward(serving, 80)}/hostname"

    assert requests.get(url, timeout=10).text == "matinee\n"


def test_what_was_written_outlives_a_power_cut(box: MakeBox) -> None:
    cut = box()
    cut.run("echo kept >/etc/kept")

    cut.restart(hard=True)

    assert cut.read("/etc/kept") == "kept\n"
    assert cut.run("systemctl", "is-system-running").stdout == "running\n"


def test_new_boxes_start_from_what_another_has_written(
    box: MakeBox, net: Network
) -> None:
    first = box("first")
    first.run("echo installed >/etc/installed")
    layers = net.layers_of(first)

    second = net.add("second", layers).start()

    assert second.run("cat /etc/installed; hostname").stdout == "installed\nsecond\n"
    net.remove(second)


def test_nothing_is_left_of_a_network() -> None:
    if reason := lab.missing():
        pytest.skip(reason)
    with Network() as net:
        net.open()
        started: Box = net.add("short", lab.debian()).start()
        started.begin("sleep", "1000")
        net.forward(started, 22)

    assert net.remains() == []


def test_the_next_run_clears_away_what_a_killed_one_left() -> None:
    if reason := lab.missing():
        pytest.skip(reason)
    program = (
        "from tests.host.lab import Network, debian\n"
        "net = Network().open(); box = net.add('left', debian()).start()\n"
        "net.forward(box, 22); print(net.tag, flush=True); box.run('sleep 1000')"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    with process.stdout:
        tag = process.stdout.readline().strip()
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert remains.of(tag)

    lab.clear_dead_runs()

    assert remains.of(tag) == []
    assert not (places.RUNS / tag).exists()

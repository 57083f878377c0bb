"""A cluster on real machines: joined by tokens, cut off, mended, and made smaller."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from appliance import __version__
from tests.browser.watching import after, requested
from tests.host import cluster_boxes, figures, viewers
from tests.host.cluster_boxes import CONTROL, EDGE, WORKERS, Cluster
from tests.host.installed import changed
from tests.host.lab import Network

pytestmark = pytest.mark.host


@pytest.fixture(scope="module")
def cluster(net: Network, bundle: Path) -> Iterator[Cluster]:
    with cluster_boxes.standing(net, bundle) as cluster:
        yield cluster


def test_each_machine_has_joined_with_what_it_needs_and_no_more(
    cluster: Cluster,
) -> None:
    for name, seconds in cluster.took.items():
        figures.tell(f"{name} on bare machines", seconds, 360)
    for name in WORKERS:
        cluster.await_state(name, "idle")
    assert cluster.state(EDGE) == "here"

    worker = _keys(cluster, WORKERS[0])
    assert worker == {
        *("node.toml", "queue-ca.pem", "queue.toml", "s3.toml", "worker.key"),
    }
    edge = _keys(cluster, EDGE)
    assert edge == {
        *("node.toml", "origin-ca.pem", "edge-secret-1.key"),
        *("media-1.key", "next-media-2.key"),
    }
    for name in (*WORKERS, EDGE):
        modes = cluster.box(name).run(
            "stat -c '%a %U' /etc/matinee/joined.toml /var/lib/matinee/keys/*"
        )
        assert set(modes.stdout.splitlines()) == {"600 matinee"}
        assert not (cluster.box(name).root / "var/lib/matinee/matinee.db").exists()


def test_redis_is_reached_over_tls_and_by_whom_it_knows(cluster: Cluster) -> None:
    found = cluster.control.examine()
    listening = cluster.control.box.run("ss -Htln sport = :6379").stdout

    assert found["cluster.redis"]["sentence"].endswith("answers over TLS")
    assert {found[f"cluster.{each}"]["level"] for each in ("clocks", "releases")} == {
        "ok"
    }
    assert "0.0.0.0:6379" not in listening.replace("0.0.0.0:*", "")
    plain = cluster.net.run(
        *("curl", "-s", "--max-time", "5"),
        f"telnet://{cluster.control.box.address}:6379",
        words="PING\r\nQUIT\r\n",
        check=False,
    )
    assert "PONG" not in plain.stdout


def test_no_secret_stands_in_a_list_of_processes_or_a_log(cluster: Cluster) -> None:
    for name in (*WORKERS, EDGE, CONTROL):
        box = cluster.box(name)
        secrets = box.run(
            "cat /var/lib/matinee/keys/*.toml /var/lib/matinee/keys/*.key"
            " | grep -oE '[A-Za-z0-9_-]{43,64}' | sort -u"
        ).stdout.split()
        told = box.run(
            "journalctl --no-pager -q; cat /proc/[0-9]*/cmdline | tr '\\0' ' ';"
            " cat /var/log/matinee*.log 2>/dev/null || true"
        ).stdout

        assert secrets
        assert [each for each in secrets if each in told] == []


def test_both_machines_make_one_film(cluster: Cluster) -> None:
    started = time.monotonic()
    job = cluster.await_job(cluster.add_film("First", 64))
    figures.tell("a film of 64 s, made by two", time.monotonic() - started, 120)

    assert {each["node"] for each in _encoded(job)} == set(WORKERS)


@pytest.mark.browser
def test_a_browser_plays_from_the_edge_and_from_the_control_node_without_it(
    cluster: Cluster, chromium: Browser
) -> None:
    edge, control = cluster.box(EDGE), cluster.control
    with viewers.administrator(control, chromium, edge) as visitor:
        viewers.watch(visitor, "first")
        assert requested(visitor, f"https://{EDGE}.test/media/.*/tracks/")

        edge.cut()
        visitor.go("/watch/first")
        until = time.monotonic() + 120
        while not after(visitor, 1):
            assert time.monotonic() < until, visitor.problems
            visitor.page.wait_for_timeout(500)
        assert requested(visitor, f"{control.url}/media/.*/tracks/")
        edge.mend()
        # What the edge could not give is an error in the browser's own view.
        visitor.problems.clear()


def test_a_second_run_changes_nothing(cluster: Cluster) -> None:
    for name in ("site.yml", "worker.yml", "edge.yml"):
        done = cluster.play(name)
        counts = [e for e in done.stdout.splitlines() if "changed=" in e]
        assert all(" changed=0 " in each for each in counts), changed(done)


def test_a_worker_that_is_cut_off_loses_its_work_to_the_other_and_comes_back(
    cluster: Cluster,
) -> None:
    lost, other = WORKERS
    job = cluster.add_film("Second", 96)
    cluster.await_state(lost, "working")

    cluster.box(lost).cut()
    began = time.monotonic()
    silent = cluster.await_state(lost, "lost")
    _until(lambda: lost not in cluster.working_on(job), 60)
    taken = time.monotonic() - began
    done = cluster.await_job(job)
    cluster.box(lost).mend()
    back = cluster.await_state(lost, "idle", "working")

    figures.tell("a worker that was cut off is lost", silent, 40)
    figures.tell("its work is taken from it", taken, 60)
    assert taken < 60
    figures.tell("mended, it is back", back, 30)
    assert other in {each["node"] for each in _encoded(done)}
    assert back < 60


def test_a_worker_that_is_drained_takes_nothing_new_until_it_may(
    cluster: Cluster,
) -> None:
    drained, other = WORKERS
    cluster.control.matinee("node", "drain", drained)
    cluster.await_state(drained, "drained")

    job = cluster.await_job(cluster.add_film("Drained", 24))
    assert {each["node"] for each in _encoded(job)} == {other}
    assert cluster.state(drained) == "drained"

    cluster.control.matinee("node", "resume", drained)
    cluster.await_state(drained, "idle")


def test_an_edge_serves_what_it_keeps_while_the_origin_is_cut_off(
    cluster: Cluster,
) -> None:
    film = cluster.playing("first")
    kept, *_, other = cluster.segments(film)
    assert cluster.asked(kept) == ("200", "MISS")
    assert cluster.asked(kept) == ("200", "HIT")

    cluster.control.box.cut()
    while_cut = cluster.asked(kept), cluster.asked(other)
    cluster.control.box.mend()

    assert while_cut[0] == ("200", "HIT")
    assert while_cut[1][0] == "503"
    _until(lambda: cluster.asked(other)[0] == "200", 20)


def test_an_edge_learns_new_keys_by_itself(cluster: Cluster) -> None:
    """Two rotations, after which no token of before opens anything."""
    before = cluster.segments(cluster.playing("first"))[0]
    for _ in range(2):
        cluster.control.box.run(
            "/opt/matinee/current/venv/bin/matinee key rotate media --yes"
        )
        cluster.box(EDGE).start_units("matinee-node-refresh.service")
    fresh = cluster.segments(cluster.playing("first"))[0]

    _until(lambda: cluster.asked(fresh)[0] == "200", 20)
    _until(lambda: cluster.asked(before)[0] == "403", 20)


def test_a_machine_that_is_put_out_is_out(cluster: Cluster) -> None:
    gone, left = WORKERS
    told = cluster.control.matinee("--json", "node", "remove", gone, "--yes").stdout
    remaining = " ".join(json.loads(told)["remaining"])
    assert "worker.key" in remaining
    assert "access key of the object storage" in remaining

    cluster.await_state(gone, "lost", "")
    asked = cluster.box(gone).run("/usr/local/bin/matinee node refresh", check=False)
    assert asked.returncode == 5
    assert "no longer" in asked.stderr
    job = cluster.await_job(cluster.add_film("Third", 24))
    assert {each["node"] for each in _encoded(job)} == {left}


def test_it_comes_back_by_a_new_token(cluster: Cluster) -> None:
    gone = WORKERS[0]
    cluster.box(gone).run("rm /etc/matinee/joined.toml")

    cluster.play("worker.yml", "--limit", f"{CONTROL},{gone}")

    cluster.await_state(gone, "idle")


def test_a_worker_of_another_release_does_nothing_and_says_why(
    cluster: Cluster,
) -> None:
    box = cluster.box(WORKERS[1])
    place = "/opt/matinee/current/venv/lib/python3*/site-packages/appliance/__init__.py"
    box.run(f"sed -i 's/{__version__}/0.0.9/' {place}")
    box.run("systemctl restart matinee-media.service")

    cluster.await_state(WORKERS[1], "refused")

    found = cluster.nodes()[WORKERS[1]]
    assert f"matinee is 0.0.9 here and {__version__} there" in found["refused"]
    release = cluster.control.examine()["cluster.releases"]
    assert (release["level"], "0.0.9" in release["sentence"]) == ("warn", True)


def _keys(cluster: Cluster, name: str) -> set[str]:
    return set(cluster.box(name).run("ls /var/lib/matinee/keys").stdout.split())


def _encoded(job: "dict[str, list[dict[str, str]]]") -> list[dict[str, str]]:
    return [each for each in job["units"] if each["step"] == "encode"]


def _until(wanted: "object", seconds: float) -> None:
    assert callable(wanted)
    deadline = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.2)

"""Certificates from a real ACME server, proved through a real nginx."""

import json
import re
import stat
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from werkzeug.wrappers import Request, Response

from appliance.db import connect
from appliance.events import latest
from appliance.operations.certificates import place, renewal
from tests.doubles.acme_server import AcmeServer, pebble
from tests.host.tls_machine import NAME, Machine, machine

BINDING = {"kid-1": "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"}


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Machine]:
    with machine(tmp_path / "home") as found:
        yield found


@pytest.fixture
def server(here: Machine, tmp_path: Path) -> Iterator[AcmeServer]:
    with pebble(tmp_path, here.nginx.settings.nginx.http_port) as found:
        yield found


def ask(here: Machine, server: AcmeServer, *args: str, **more: str) -> Result:
    usual = {
        "MATINEE_TLS_ACME_DIRECTORY": server.directory,
        "MATINEE_OUTBOUND_CA_BUNDLE": str(server.authority),
    }
    return here.matinee("tls", *args, **{**usual, **more})


def refused(done: Result) -> dict[str, str]:
    found: dict[str, str] = json.loads(done.stderr)["error"]
    return found


def test_it_is_obtained_served_and_renewed(here: Machine, server: AcmeServer) -> None:
    before = here.served()

    done = ask(here, server, "acme", "--agree", "--json")

    assert done.exit_code == 0, done.output
    told = json.loads(done.stdout)
    assert (told["names"], told["source"]) == ([NAME], "acme")
    assert told["chain"]
    first = here.served()
    assert before != first == here.in_place()
    account = here.place.acme / "account.pem"
    assert stat.S_IMODE(account.stat().st_mode) == 0o600
    answers = Path(here.nginx.settings.nginx.run) / "acme/.well-known/acme-challenge"
    assert list(answers.iterdir()) == []
    with connect(here.nginx.settings.database) as db:
        event = latest(db)[-1]
    assert (event.name, event.data["source"]) == ("certificate:change", "acme")

    not_yet = ask(here, server, "renew", "--json")
    forced = ask(here, server, "renew", "--force", "--json")

    assert json.loads(not_yet.stdout)["changed"] is False
    assert json.loads(forced.stdout)["changed"] is True, forced.output
    assert here.served() not in (before, first)


def test_the_timer_renews_one_that_ends_soon(here: Machine, server: AcmeServer) -> None:
    done = ask(here, server, "acme", "--agree")
    assert done.exit_code == 0, done.output
    days = place.described(here.place).days_left(datetime.now(UTC))

    done = ask(
        *(here, server, "renew", "--json"),
        MATINEE_TLS_RENEW_DAYS=str(days + 2),
    )

    # However many days are wanted, two thirds of its life it is left alone.
    assert json.loads(done.stdout)["changed"] is False


def test_the_terms_are_agreed_to_by_a_person(here: Machine, server: AcmeServer) -> None:
    error = refused(ask(here, server, "acme", "--json"))

    assert error["code"] == "acme.terms"
    assert re.search(r"stand at \S+", error["message"])


def test_who_is_not_believed_is_not_asked(here: Machine, server: AcmeServer) -> None:
    done = ask(here, server, "acme", "--agree", "--json", MATINEE_OUTBOUND_CA_BUNDLE="")

    assert refused(done)["code"] == "acme.server-untrusted"


def test_a_name_that_leads_elsewhere_is_told_with_what_was_seen(
    here: Machine, tmp_path: Path
) -> None:
    before = here.served()
    (tmp_path / "other").mkdir()
    with pebble(tmp_path / "other", http_port=9) as server:
        error = refused(ask(here, server, "acme", "--agree", "--json"))

    assert error["code"] == "acme.challenge"
    assert NAME in error["message"]
    assert "connection refused" in error["message"]
    assert here.served() == before


def test_a_limit_is_told_and_the_server_left_alone_that_long(
    here: Machine, server: AcmeServer
) -> None:
    assert ask(here, server, "acme", "--agree").exit_code == 0
    before, asked = here.served(), list[str]()

    def limited(request: Request, _body: bytes) -> Response | None:
        asked.append(request.path)
        if "order" not in request.path:
            return None
        return server.problem(
            "rateLimited", "too many certificates already issued", 429, "7200"
        )

    server.spoil = limited
    error = refused(ask(here, server, "renew", "--force", "--json"))
    asked.clear()
    again = ask(here, server, "renew", "--json", MATINEE_TLS_RENEW_DAYS="5000")

    assert error["code"] == "acme.rate-limit"
    assert "too many certificates already issued" in error["message"]
    assert "7200 seconds" in error["message"]
    waiting = renewal.waiting(here.place.acme, datetime.now(UTC))
    assert waiting is not None
    assert (waiting.until - datetime.now(UTC)).total_seconds() > 7000
    assert again.exit_code == 0
    assert asked == []
    assert here.served() == before


def test_an_order_that_ran_out_leaves_the_old_one(
    here: Machine, server: AcmeServer
) -> None:
    before = here.served()

    def run_out(request: Request, body: bytes) -> bytes | None:
        if "my-order" not in request.path or not body:
            return None
        return json.dumps({**json.loads(body), "status": "invalid"}).encode()

    server.spoil = run_out
    error = refused(ask(here, server, "acme", "--agree", "--json"))

    assert error["code"] == "acme.order"
    assert here.served() == before


def test_a_server_that_forgot_us_is_asked_anew(here: Machine, tmp_path: Path) -> None:
    port = here.nginx.settings.nginx.http_port
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with pebble(tmp_path / "one", port) as server:
        assert ask(here, server, "acme", "--agree").exit_code == 0
    with pebble(tmp_path / "two", port) as server:
        kept = here.place.acme / "account.json"
        there = server.directory.removesuffix("dir") + "my-account/99"
        kept.write_text(json.dumps({"directory": server.directory, "account": there}))

        first = ask(here, server, "acme", "--agree", "--json")
        second = ask(here, server, "acme", "--agree")

    assert refused(first)["code"] == "acme.refused"
    assert second.exit_code == 0, second.output


def test_a_server_for_customers_takes_its_binding(
    here: Machine, tmp_path: Path
) -> None:
    port = here.nginx.settings.nginx.http_port
    secrets = here.nginx.settings.keys / "acme.toml"
    with pebble(tmp_path, port, BINDING) as server:
        without = refused(ask(here, server, "acme", "--agree", "--json"))
        for key in ("%%", "bm90IHRoZSBrZXk"):
            secrets.write_text(f'[acme]\neab_kid = "kid-1"\neab_hmac_key = "{key}"\n')
            secrets.chmod(0o600)
            wrong = ask(here, server, "acme", "--agree", "--json")
            assert refused(wrong)["code"] in ("acme.binding-key", "acme.refused")
        secrets.write_text(
            f'[acme]\neab_kid = "kid-1"\neab_hmac_key = "{BINDING["kid-1"]}"\n'
        )
        done = ask(here, server, "acme", "--agree")

    assert without["code"] == "acme.binding"
    assert "acme.toml" in without["message"]
    assert done.exit_code == 0, done.output


def test_an_address_or_no_name_is_no_matter_for_acme(
    here: Machine, server: AcmeServer
) -> None:
    for name in ("192.0.2.7", "films", "*.films.test"):
        error = refused(ask(here, server, "acme", "--name", name, "--json"))
        assert error["code"] == "acme.names"


def test_without_a_server_it_says_which_setting(here: Machine) -> None:
    done = here.matinee("tls", "acme", "--json")

    assert refused(done)["code"] == "acme.unset"

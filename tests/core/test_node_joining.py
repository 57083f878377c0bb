"""Two commands make a machine part of a cluster: one here, one there, over real TLS."""

import dataclasses
import hashlib
import json
import ssl
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from werkzeug.serving import make_server

from appliance import settings as configuration
from appliance.cli import main
from appliance.delivery import edge_secret, tokens
from appliance.errors import PreconditionFailed
from appliance.operations import membership
from appliance.operations.membership import Told
from appliance.settings import Nginx, Portal, Settings
from nginx import edge as edge_values
from nginx import secrets as nginx_secrets
from tests.conftest import Matinee
from tests.doubles.certificates import certified
from tests.host.served_nginx import free_port
from web import create_app


@dataclass
class Portals:
    """The portal of a control node, as nginx would show it."""

    settings: Settings
    asked: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return self.settings.portal.public_url

    @property
    def fingerprint(self) -> str:
        text = Path(self.settings.nginx.tls_certificate).read_text()
        first = text[text.index("-----BEGIN CERTIFICATE") :]
        return hashlib.sha256(ssl.PEM_cert_to_DER_cert(first)).hexdigest()


@pytest.fixture
def settings(settings: Settings, tmp_path: Path) -> Settings:
    pem = tmp_path / "portal.pem"
    pem.write_bytes(certified("127.0.0.1"))
    certificate = tmp_path / "certificate.pem"
    text = pem.read_text()
    certificate.write_text(text[text.index("-----BEGIN CERTIFICATE") :])
    port = free_port()
    (settings.home / "matinee.toml").write_text(
        f'[portal]\npublic_url = "https://127.0.0.1:{port}"\n'
        f'[nginx]\ntls_certificate = "{certificate}"\n'
        '[origin]\ntoken = "hmac-sha256"\n'
    )
    return dataclasses.replace(
        settings,
        portal=Portal(public_url=f"https://127.0.0.1:{port}"),
        nginx=Nginx(tls_certificate=str(certificate)),
        origin=dataclasses.replace(settings.origin, token="hmac-sha256"),
    )


@pytest.fixture
def portal(settings: Settings, tmp_path: Path) -> Iterator[Portals]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "portal.pem")
    app = create_app(settings)
    portal = Portals(settings)
    app.before_request(lambda: portal.asked.append("a request"))
    port = int(settings.portal.public_url.rpartition(":")[2])
    server = make_server("127.0.0.1", port, app, threaded=True, ssl_context=context)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield portal
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def control(settings: Settings, matinee: Matinee) -> Matinee:
    return lambda *words: matinee(
        "--config", str(settings.home / "matinee.toml"), *words
    )


class Machine:
    """Another machine: nothing but a home of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home

    def __call__(self, *words: str, stdin: str = "") -> Result:
        environment = {"MATINEE_HOME": str(self.home), "MATINEE_CONFIG": None}
        return CliRunner(env=environment).invoke(main, words, input=stdin)

    @property
    def settings(self) -> Settings:
        return configuration.load(environ={"MATINEE_HOME": str(self.home)})


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "machine")


def token(control: Matinee, *words: str) -> str:
    made = control("node", "token", "--kind", "edge", *words)
    assert made.exit_code == 0, made.stderr
    (line,) = made.stdout.splitlines()
    # What comes next is said beside the token, and is no part of it.
    assert "matinee node join https://" in made.stderr
    assert "ansible/edge.yml" in made.stderr
    return line


def test_an_edge_joins_by_two_commands(
    control: Matinee, portal: Portals, machine: Machine
) -> None:
    made = control("node", "token", "--kind", "edge", "--name", "berlin", "--json")
    told = json.loads(made.stdout)
    assert (told["url"], told["fingerprint"]) == (portal.url, portal.fingerprint)
    words = ("--token-stdin", "--fingerprint", told["fingerprint"])

    joined = machine("node", "join", told["url"], *words, stdin=f"{told['token']}\n")

    assert joined.exit_code == 0, joined.stderr
    assert "is the edge berlin now" in joined.stdout
    assert "matinee nginx install" in joined.stderr
    there = machine.settings
    assert there.edge.origin == portal.url
    assert there.nginx.roles == "edge"
    assert there.origin.token == "hmac-sha256"
    secrets = nginx_secrets.load(there)
    assert secrets.edges[0] in edge_secret.known(portal.settings.keys)
    assert secrets.media == {
        number: key.hex()
        for number, key in tokens.to_check(portal.settings.keys).secrets.items()
    }
    # It makes no secret of its own that only an origin needs.
    assert not list(there.keys.glob("origin-*.key"))
    values = edge_values.values(there, secrets)
    assert values["edge_origin_trusted"] == "origin-ca.pem"
    certificate = Path(portal.settings.nginx.tls_certificate).read_text()
    assert values["edge_origin_authorities"] == certificate
    listed = json.loads(control("node", "list", "--json").stdout)
    assert [(each["name"], each["kind"], each["state"]) for each in listed] == [
        ("berlin", "edge", "here")
    ]


def test_what_is_written_is_for_the_service_alone_and_says_no_secret_twice(
    control: Matinee, portal: Portals, machine: Machine
) -> None:
    joined = machine(
        *("node", "join", portal.url, "--token-stdin", "--name", "berlin"),
        *("--fingerprint", portal.fingerprint, "--json"),
        stdin=token(control),
    )

    files = [*machine.settings.keys.iterdir(), machine.home / "joined.toml"]
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert machine.settings.keys.stat().st_mode & 0o077 == 0
    secret = (machine.settings.keys / "edge-secret-1.key").read_text().strip()
    credential = membership.own(machine.settings).credential
    said = joined.stdout + joined.stderr + (machine.home / "joined.toml").read_text()
    assert secret not in said
    assert credential not in said


def test_nothing_is_sent_to_whoever_has_another_certificate(
    control: Matinee, portal: Portals, machine: Machine
) -> None:
    secret = token(control)
    wrong = portal.fingerprint[:-1] + ("0" if portal.fingerprint[-1] != "0" else "1")

    refused = machine(
        *("node", "join", portal.url, "--token-stdin", "--fingerprint", wrong),
        stdin=secret,
    )
    unpinned = machine("node", "join", portal.url, "--token-stdin", stdin=secret)

    assert (refused.exit_code, "nothing was sent" in refused.stderr) == (3, True)
    assert (unpinned.exit_code, "Give --fingerprint" in unpinned.stderr) == (3, True)
    assert portal.asked == []
    assert not (machine.home / "joined.toml").exists()


def test_each_refusal_is_a_sentence(
    control: Matinee, portal: Portals, machine: Machine
) -> None:
    pinned = ("--token-stdin", "--fingerprint", portal.fingerprint)
    secret = token(control)
    assert machine("node", "join", portal.url, *pinned, stdin=secret).exit_code == 0

    used = machine("node", "join", portal.url, *pinned, "--name", "other", stdin=secret)
    foreign = machine("node", "join", portal.url, *pinned, stdin="f" * 43)
    plain = machine("node", "join", "http://films.example", *pinned, stdin=secret)
    nobody = machine(
        "node", "join", f"https://127.0.0.1:{free_port()}", *pinned, stdin=secret
    )
    empty = machine("node", "join", portal.url, *pinned)

    assert (used.exit_code, "used already" in used.stderr) == (3, True)
    assert (foreign.exit_code, "opens nothing here" in foreign.stderr) == (5, True)
    assert (plain.exit_code, "over TLS only" in plain.stderr) == (2, True)
    assert (nobody.exit_code, "cannot be reached" in nobody.stderr) == (75, True)
    assert (empty.exit_code, "holds no token" in empty.stderr) == (2, True)


def test_a_control_node_joins_nobody(control: Matinee, portal: Portals) -> None:
    refused = control("node", "join", portal.url, "--token-stdin")

    assert (refused.exit_code, "control node itself" in refused.stderr) == (3, True)


def test_an_edge_learns_the_next_key_and_is_put_out(
    control: Matinee, portal: Portals, machine: Machine
) -> None:
    pinned = ("--token-stdin", "--fingerprint", portal.fingerprint)
    machine(
        *("node", "join", portal.url, *pinned, "--name", "berlin"),
        stdin=token(control),
    )
    same = json.loads(machine("node", "refresh", "--json").stdout)
    assert same["changed"] is False

    assert control("key", "rotate", "media", "--yes").exit_code == 0
    changed = json.loads(machine("node", "refresh", "--json").stdout)

    assert changed["changed"] is True
    ours = tokens.to_check(portal.settings.keys).secrets
    assert nginx_secrets.load(machine.settings).media == {
        number: key.hex() for number, key in ours.items()
    }
    assert control("node", "remove", "berlin").exit_code == 2
    removed = control("node", "remove", "berlin", "--yes")
    assert removed.exit_code == 0
    assert "secret counts no more" in removed.stdout
    assert "matinee key rotate media" in removed.stderr
    refused = machine("node", "refresh")
    assert (refused.exit_code, "or no longer" in refused.stderr) == (5, True)
    assert json.loads(control("node", "list", "--json").stdout) == []


def test_a_worker_needs_a_queue_that_it_can_reach(control: Matinee) -> None:
    refused = control("node", "token", "--kind", "worker")

    assert (refused.exit_code, "set queue.url" in refused.stderr) == (3, True)


@pytest.mark.parametrize(
    "answer",
    [
        {"settings": {}, "files": [{"name": "../../etc/cron.d/x", "content": ""}]},
        {"settings": {}, "files": [{"name": "content-1.key", "content": ""}]},
        {"settings": {"storage.database": "/x"}, "files": []},
        {"settings": {"queue.url": ["x"]}, "files": []},
        {"detail": "a page"},
    ],
)
def test_a_control_node_writes_nothing_but_what_is_expected(
    answer: dict[str, object],
) -> None:
    with pytest.raises(PreconditionFailed, match="can't be used"):
        membership.understood(answer)


def test_settings_of_the_machine_itself_count_first(tmp_path: Path) -> None:
    machine = Machine(tmp_path)
    told = Told({"queue.url": "rediss://control:6379/0", "queue.node": "x"}, {})
    membership.write(machine.settings, told)
    config = tmp_path / "matinee.toml"
    config.write_text('[queue]\nnode = "mine"\n')

    found = configuration.load(config, {"MATINEE_HOME": str(tmp_path)})

    assert (found.queue.node, found.queue.url) == ("mine", "rediss://control:6379/0")

"""Whatever a provider does, a call to it ends in time and tells no secret."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import pytest
from werkzeug.wrappers import Request, Response

from appliance import calls
from appliance.calls import Answer
from appliance.errors import ConfigError, MatineeError, PreconditionFailed, TryAgain
from appliance.outbound import Ways
from tests.doubles.certificates import certified
from tests.doubles.server import Mood, Service, served
from tests.doubles.ways import STRAIGHT

SECRET = "canary-of-the-provider"
HEADERS = {"Authorization": f"Bearer {SECRET}"}


def ask(service: Service, *, timeout: float = 5, ways: Ways = STRAIGHT) -> Answer:
    return call(f"{service.url}/{SECRET}", timeout=timeout, ways=ways)


def call(
    url: str,
    *,
    timeout: float = 5,
    headers: Mapping[str, str] = HEADERS,
    ways: Ways = STRAIGHT,
    explain: Callable[[Answer], str] = lambda _: "",
) -> Answer:
    return calls.call(
        "POST",
        url,
        ways=ways,
        headers=headers,
        body=SECRET.encode(),
        timeout=timeout,
        service="The key service",
        explain=explain,
    )


def hello(request: Request) -> Response:
    return Response(request.get_data() + b"!", headers={"X-Name": "hello"})


def test_an_answer_comes_whole_with_its_headers() -> None:
    with served(hello) as service:
        answer = ask(service)

    assert (answer.status, answer.body) == (200, SECRET.encode() + b"!")
    assert answer.headers["x-name"] == "hello"
    assert service.seen[0].headers["Authorization"] == f"Bearer {SECRET}"


@pytest.mark.parametrize(
    ("mood", "code"),
    [
        (Mood.FAILS, "protection.provider-failed"),
        (Mood.REFUSES, "protection.provider-refused"),
        (Mood.MOVED, "protection.provider-moved"),
        (Mood.FLOODS, "protection.provider-too-large"),
        (Mood.HANGS_UP, "protection.provider-unreachable"),
        (Mood.SILENT, "protection.provider-slow"),
        (Mood.DRIPS, "protection.provider-slow"),
    ],
)
def test_what_a_service_does_wrong_is_told_without_a_secret(
    mood: Mood, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    with served(hello) as service:
        service.mood = mood
        began = time.monotonic()
        with pytest.raises(MatineeError) as caught:
            ask(service, timeout=0.5)
        took = time.monotonic() - began

    assert caught.value.code == code
    assert caught.value.message.startswith("The key service ")
    assert took < 3
    assert caught.value.__context__ is None
    assert SECRET not in f"{caught.getrepr(showlocals=False)}{caught.value.details}"
    assert SECRET not in caplog.text


def test_a_head_that_never_ends_is_cut_in_time() -> None:
    with _spelling(b"HTTP/1.1 200 OK\r\n", b"X-Very-Slow: yes\r\n") as address:
        began = time.monotonic()
        with pytest.raises(MatineeError, match="did not answer in time") as caught:
            call(address, timeout=0.5)

    assert caught.value.code == "protection.provider-slow"
    assert time.monotonic() - began < 3


def test_who_hangs_up_without_a_word_is_unreachable() -> None:
    with _spelling(b"", b"") as address, pytest.raises(TryAgain) as caught:
        call(address)

    assert caught.value.code == "protection.provider-unreachable"


def test_after_a_cut_the_next_call_gets_its_answer() -> None:
    with served(hello) as service:
        ask(service)
        service.mood = Mood.DRIPS
        with pytest.raises(TryAgain):
            ask(service, timeout=0.3)
        service.mood = Mood.WELL

        assert ask(service).status == 200


@pytest.mark.parametrize(
    "address",
    [
        "",
        "keys.example/path",
        "ftp://keys.example/",
        "https://",
        "https://[::1",
        "http://keys.example/",
        "http://127.0.0.1.example/",
        f"https://user:{SECRET}@keys.example/",
        f"https://keys.example:{SECRET}/",
    ],
)
def test_an_address_that_cannot_be_used_is_refused_and_not_quoted(
    address: str,
) -> None:
    with pytest.raises(ConfigError) as caught:
        call(address)

    assert caught.value.code == "protection.provider-address"
    assert SECRET not in caught.value.message
    assert caught.value.__context__ is None


@pytest.mark.parametrize("value", [f"{SECRET}\r\nX: y", f"{SECRET} кана́рка"])
def test_a_secret_that_cannot_be_sent_is_not_quoted(value: str) -> None:
    with served(hello) as service, pytest.raises(ConfigError) as caught:
        call(service.url, headers={"Authorization": value})

    assert SECRET not in caught.value.message
    assert caught.value.__context__ is None


def test_only_what_the_caller_knows_to_be_harmless_is_shown() -> None:
    def refusal(request: Request) -> Response:
        return Response(f"for\tyou:\r\n no \x1b[31mentry{'!' * 999}", 403)

    with served(refusal) as service:
        with pytest.raises(PreconditionFailed) as silent:
            call(service.url)
        with pytest.raises(PreconditionFailed) as caught:
            call(service.url, explain=lambda answer: answer.body.decode())

    assert "entry" not in silent.value.message
    assert silent.value.details == {"status": 403}
    assert "(“for you: no [31mentry!!!" in caught.value.message
    assert len(caught.value.message) < 400


def test_passwords_of_other_programs_are_left_where_they_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login other password other\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))

    with served(hello) as service:
        ask(service)

    assert service.seen[0].headers["Authorization"] == f"Bearer {SECRET}"


def test_a_service_cannot_make_us_carry_its_cookies() -> None:
    def biscuits(request: Request) -> Response:
        return Response("", headers={"Set-Cookie": "crumb=1"})

    with served(biscuits) as service:
        ask(service)
        ask(service)

    assert "Cookie" not in service.seen[1].headers


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    strange = served(hello, _certificate(tmp_path))
    with strange as service, pytest.raises(PreconditionFailed) as caught:
        ask(service)

    assert caught.value.code == "protection.provider-untrusted"
    assert service.seen == []


def test_calls_over_tls_are_cut_in_time_too(tmp_path: Path) -> None:
    certificate = _certificate(tmp_path)
    believing = replace(STRAIGHT, bundle=str(certificate))

    with served(hello, certificate) as service:
        assert ask(service, ways=believing).status == 200
        service.mood = Mood.DRIPS
        with pytest.raises(TryAgain) as caught:
            ask(service, timeout=0.5, ways=believing)

    assert caught.value.code == "protection.provider-slow"


def _certificate(folder: Path) -> Path:
    path = folder / "service.pem"
    path.write_bytes(certified("127.0.0.1"))
    return path


@contextmanager
def _spelling(first: bytes, then: bytes) -> Iterator[str]:
    """Serve one connection: a beginning, then the same line without an end."""
    over = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def speak() -> None:
            connection, _ = listener.accept()
            with connection, suppress(OSError):
                connection.recv(65536)
                connection.sendall(first)
                while then and not over.wait(0.05):
                    connection.sendall(then)

        thread = threading.Thread(target=speak)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()

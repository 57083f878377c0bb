"""Whatever a provider does, a call to it ends in time and tells no secret."""

import time

import pytest
from werkzeug.wrappers import Request, Response

from appliance.errors import MatineeError
from appliance.protection import calls
from appliance.protection.calls import Answer
from tests.doubles.server import Mood, Service, served

SECRET = "canary-of-the-provider"
HEADERS = {"Authorization": f"Bearer {SECRET}"}


def ask(service: Service, *, timeout: float = 5, url: str = "") -> Answer:
    return calls.call(
        "POST",
        url or f"{service.url}/{SECRET}",
        headers=HEADERS,
        body=SECRET.encode(),
        timeout=timeout,
        service="The key service",
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

"""Logs: in the form that is wanted, leading to what they belong to, from a level on."""

import json
import logging
from dataclasses import replace

import pytest

from appliance import logs, trail
from appliance.settings import Monitoring, Settings
from tests.conftest import Matinee


def record(message: str, *args: object, error: bool = False) -> logging.LogRecord:
    info = None
    if error:
        try:
            raise ValueError("two\nlines")
        except ValueError as raised:
            info = (type(raised), raised, raised.__traceback__)
    return logging.LogRecord(
        "jobs.runner", logging.INFO, "runner.py", 1, message, args, info
    )


@pytest.fixture
def as_json(settings: Settings) -> logging.Formatter:
    return logs.formatter(replace(settings, monitoring=Monitoring(log_format="json")))


def test_a_line_of_json_leads_to_request_job_and_unit(
    as_json: logging.Formatter,
) -> None:
    with trail.leading(request="ab" * 16, job="5f3a", unit="encode-0001"):
        line = as_json.format(record("%s\nbegins – “now”", "it"))

    assert "\n" not in line
    told = json.loads(line)
    assert told.pop("at").endswith("Z")
    assert told.pop("process") > 0
    assert told == {
        "level": "info",
        "logger": "jobs.runner",
        "message": "it\nbegins – “now”",
        "request": "ab" * 16,
        "job": "5f3a",
        "unit": "encode-0001",
    }


def test_an_exception_stays_within_its_line(as_json: logging.Formatter) -> None:
    line = as_json.format(record("it failed", error=True))

    assert "\n" not in line
    assert "ValueError: two\nlines" in json.loads(line)["error"]


def test_a_line_of_text_leads_there_too(settings: Settings) -> None:
    plain = logs.formatter(settings)

    with trail.leading(request="", job="5f3a"):
        assert plain.format(record("it")) == "INFO jobs.runner: it [job 5f3a]"
    assert plain.format(record("it")) == "INFO jobs.runner: it"


def test_a_level_holds_for_a_while_only(settings: Settings) -> None:
    assert logs.wished(settings) is None

    logs.wish(settings, "debug", 60)
    found = logs.wished(settings)
    assert found is not None
    assert found.level == "debug"

    logs.wish(settings, "debug", 0)
    assert logs.wished(settings) is None
    place = settings.home / "state" / "log-level.json"
    place.write_text('{"level": "debug", "until": 1}')
    assert logs.wished(settings) is None
    place.write_text('{"level": "loud", "until": 99999999999}')
    assert logs.wished(settings) is None
    place.write_text("{")
    assert logs.wished(settings) is None


def test_words_end_with_what_they_belong_to() -> None:
    with trail.leading(request="a"):
        with trail.leading(job="b"):
            assert trail.words() == {"request": "a", "job": "b"}
        assert trail.words() == {"request": "a"}
    assert trail.words() == {}


def test_the_command_changes_the_level_for_a_while(matinee: Matinee) -> None:
    assert json.loads(matinee("--json", "log-level").stdout)["until"] is None

    changed = matinee("--json", "log-level", "debug", "--minutes", "5")
    assert json.loads(changed.stdout)["level"] == "debug"
    assert "debug, until 20" in matinee("log-level").stdout

    back = json.loads(matinee("--json", "log-level", "--usual").stdout)
    assert back == {"level": "info", "until": None}
    assert matinee("log-level", "loud").exit_code == 2


def test_a_process_hears_of_another_level_without_a_restart(
    settings: Settings,
) -> None:
    ours = [logging.getLogger(name) for name in logs.OURS]
    before = [each.level for each in ours]
    try:
        logs.wish(settings, "debug", 60)
        logs.follow(settings)
        assert {each.level for each in ours} == {logging.DEBUG}

        logs.wish(settings, "debug", 0)
        logs.follow(settings)
        assert {each.level for each in ours} == {logging.INFO}
    finally:
        for each, level in zip(ours, before, strict=True):
            each.setLevel(level)

"""The frame of the command line: what every command does alike."""

import json
import subprocess
import sys
from pathlib import Path

import click
import pytest

from appliance import errors
from appliance.cli import Frame
from appliance.settings import Settings
from tests.conftest import Matinee


def frame(*commands: click.Command) -> Frame:
    """Return a command line of its own with these commands."""
    root = Frame("matinee")
    for command in commands:
        root.add_command(command)
    return root


def failing(error: BaseException) -> click.Command:
    def fail() -> None:
        raise error

    return click.Command("fail", callback=fail)


def exit_code(root: Frame, *args: str) -> int:
    with pytest.raises(SystemExit) as ended:
        root.main(list(args))
    assert isinstance(ended.value.code, int)
    return ended.value.code


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (errors.MatineeError, 1),
        (errors.MediaError, 1),
        (errors.InvalidInput, 2),
        (errors.ConfigError, 2),
        (errors.Conflict, 3),
        (errors.StorageFull, 3),
        (errors.NotFound, 4),
        (errors.Forbidden, 5),
        (errors.Locked, 6),
        (errors.TryAgain, 75),
    ],
)
def test_every_kind_of_failure_has_its_exit_code(
    kind: type[errors.MatineeError], code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    root = frame(failing(kind("film.odd", "That film is odd.")))

    assert exit_code(root, "fail") == code
    assert capsys.readouterr() == ("", f"{kind.title}: That film is odd.\n")


@pytest.mark.parametrize("stop", [KeyboardInterrupt(), click.Abort()])
def test_an_interrupt_ends_with_130(stop: BaseException) -> None:
    assert exit_code(frame(failing(stop)), "fail") == 130


def test_a_failure_is_a_document_for_programs(
    capsys: pytest.CaptureFixture[str],
) -> None:
    error = errors.NotFound("film.missing", "There is no such film.", {"slug": "a"})

    exit_code(frame(failing(error)), "fail", "--json")

    out, err = capsys.readouterr()
    assert out == ""
    assert json.loads(err) == {
        "error": {
            "code": "film.missing",
            "message": "There is no such film.",
            "slug": "a",
        }
    }


def test_a_bug_is_shown_whole() -> None:
    with pytest.raises(ZeroDivisionError):
        frame(failing(ZeroDivisionError())).main(["fail"])


def test_an_unknown_command_proposes_the_nearest(matinee: Matinee) -> None:
    result = matinee("confg", "list")

    assert result.exit_code == 2
    assert "'config'" in result.stderr


def test_wrong_usage_is_a_document_for_programs(matinee: Matinee) -> None:
    result = matinee("config", "get", "--json")

    assert result.exit_code == 2
    assert json.loads(result.stderr)["error"]["code"] == "command.usage"


@pytest.mark.parametrize(
    "args",
    [("--json", "config", "get", "web.port"), ("config", "get", "web.port", "--json")],
)
def test_json_may_stand_before_or_after_the_command(
    matinee: Matinee, args: tuple[str, ...]
) -> None:
    assert json.loads(matinee(*args).stdout)["value"] == 8600


def test_quiet_leaves_the_result_and_drops_the_rest(matinee: Matinee) -> None:
    loud, quiet = matinee("init"), matinee("init", "--quiet")

    assert "matinee serve" in loud.stderr
    assert quiet.stderr == ""
    assert "/setup?token=" in quiet.stdout


def test_help_needs_no_configuration(matinee: Matinee) -> None:
    result = matinee("--config", "/nowhere/matinee.toml", "config", "--help")

    assert (result.exit_code, "Usage:" in result.stdout) == (0, True)


def test_a_configuration_that_is_missing_is_said(matinee: Matinee) -> None:
    result = matinee("--config", "/nowhere/matinee.toml", "config", "check")

    assert result.exit_code == 2
    assert "/nowhere/matinee.toml" in result.stderr


def test_a_reader_that_goes_away_is_no_failure_to_complain_of(
    settings: Settings,
) -> None:
    """As in ``matinee config list | head -1``."""
    matinee = str(Path(sys.executable).with_name("matinee"))
    with subprocess.Popen(
        [matinee, "config", "list"],
        env={"MATINEE_HOME": str(settings.home), "PATH": "/usr/bin:/bin"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        complaint = process.stderr.read()

    assert complaint == b""


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_a_completion_script(matinee: Matinee, shell: str) -> None:
    result = matinee("completion", shell)

    assert result.exit_code == 0
    assert "_MATINEE_COMPLETE" in result.stdout


def test_nothing_is_imported_for_a_noun_that_nobody_asked_for() -> None:
    script = (
        "import sys\n"
        "from appliance.cli import main\n"
        "try:\n"
        "    main(sys.argv[1:])\n"
        "except SystemExit:\n"
        "    heavy = {'botocore', 'flask', 'huey', 'redis', 'requests'}\n"
        "    sys.exit(f'imported: {heavy & sys.modules.keys()}')\n"
    )

    def imported(*args: str) -> str:
        ran = [sys.executable, "-c", script, *args]
        done = subprocess.run(ran, capture_output=True, text=True, check=False)
        return done.stderr.strip()

    assert imported("--help") == "imported: set()"
    assert imported("--version") == "imported: set()"
    assert imported("completion", "bash") == "imported: set()"
    assert "botocore" in imported("storage", "show")

"""How checks are run: beside one another, each for itself, none for ever."""

import ast
import re
import threading
import time
from pathlib import Path
from types import MappingProxyType

import pytest

import appliance.checks as checks
from appliance.checks import CHECKS, Examined, Level, examine
from appliance.checks.check import Answer, Check, ok
from appliance.errors import ConfigError, NotFound
from appliance.settings import Settings

TESTS = Path(__file__).resolve().parent.parent


@pytest.fixture
def table(monkeypatch: pytest.MonkeyPatch) -> dict[str, Check]:
    """The table of checks, for this test empty."""
    own: dict[str, Check] = {}
    monkeypatch.setattr(checks, "CHECKS", MappingProxyType(own))
    return own


def _good(_examined: Examined) -> Answer:
    return ok("all is well")


def _breaks(_examined: Examined) -> Answer:
    raise ZeroDivisionError("division by zero")


def _refuses(_examined: Examined) -> Answer:
    raise ConfigError("some.code", "This can't be used.")


def test_a_check_that_breaks_is_a_finding_and_stops_no_other(
    settings: Settings, table: dict[str, Check]
) -> None:
    table.update(
        {"a.bug": Check(_breaks), "a.refusal": Check(_refuses), "b.c": Check(_good)}
    )

    bug, refusal, good = examine(Examined(settings))

    assert (bug.id, bug.level) == ("a.bug", Level.FAIL)
    assert "division by zero" in bug.sentence
    assert refusal.sentence == "This can't be used."
    assert (good.level, good.sentence) == (Level.OK, "all is well")


def test_checks_that_never_come_back_are_given_up(
    settings: Settings, table: dict[str, Check]
) -> None:
    """More of them than run at once: those behind them have their turn."""
    never = threading.Event()

    def hangs(_examined: Examined) -> Answer:
        never.wait()
        return ok("too late")

    table.update({f"hangs.{n}": Check(hangs, seconds=0.05) for n in range(12)})
    table["last.one"] = Check(_good)
    began = time.monotonic()

    *hung, last = examine(Examined(settings))

    never.set()
    assert {each.level for each in hung} == {Level.FAIL}
    assert "within 0.05 seconds" in hung[0].sentence
    assert last.level is Level.OK
    assert time.monotonic() - began < 5


def test_what_hangs_is_not_begun_again_and_may_come_back(
    settings: Settings, table: dict[str, Check]
) -> None:
    answers, begun = threading.Event(), []

    def hangs(_examined: Examined) -> Answer:
        begun.append(threading.current_thread())
        answers.wait()
        return ok("here again")

    table["share.away"] = Check(hangs, seconds=0.05)
    examined = Examined(settings)

    first, again = list(examine(examined)), list(examine(examined))
    answers.set()
    begun[0].join()
    (back,) = examine(examined)

    assert [each.level for each in first + again] == [Level.FAIL] * 2
    assert len(begun) == 2
    assert back.level is Level.OK


def test_slow_checks_run_only_when_all_or_they_are_wanted(
    settings: Settings, table: dict[str, Check]
) -> None:
    table.update({"quick.one": Check(_good), "slow.one": Check(_good, slow=True)})
    examined = Examined(settings)

    assert [each.id for each in examine(examined)] == ["quick.one"]
    assert [each.id for each in examine(examined, full=True)] == list(table)
    assert [each.id for each in examine(examined, only=["slow.one"])] == ["slow.one"]


def test_an_unknown_check_is_not_found(settings: Settings) -> None:
    with pytest.raises(NotFound, match=r"db\.migrations"):
        list(examine(Examined(settings), only=["no.such"]))


def test_the_ids_are_nouns_with_what_is_looked_at_and_belong_to_one_subject() -> None:
    ids = [each for subject in checks.SUBJECTS for each in subject.CHECKS]

    assert [each for each in ids if not re.fullmatch(r"[a-z]+\.[a-z_]+", each)] == []
    assert len(ids) == len(set(ids)) == len(CHECKS)


def test_what_each_check_looks_at_is_broken_by_a_test() -> None:
    """A test that names a check, and sees it warn or fail."""
    broken = {
        check_id
        for path in TESTS.rglob("test_*.py")
        for function in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(function, ast.FunctionDef)
        and _UNWELL.search(ast.unparse(function))
        for check_id in _texts(function) & set(CHECKS)
    }

    assert sorted(set(CHECKS) - broken) == []


_UNWELL = re.compile(r"\bunwell\(|Level\.(?:FAIL|WARN)\b|'(?:fail|warn)'")


def _texts(function: ast.FunctionDef) -> set[str]:
    return {
        each.value
        for each in ast.walk(function)
        if isinstance(each, ast.Constant) and isinstance(each.value, str)
    }


def test_looking_changes_nothing(examined: Examined, machine: Examined) -> None:
    """Not a file more, and none that was written to; those of SQLite come and go."""
    homes = (examined.settings.home, machine.root)
    list(examine(machine, full=True))
    before = [_files(each) for each in homes]

    list(examine(machine, full=True))

    assert [_files(each) for each in homes] == before


def test_looking_at_what_is_not_there_makes_nothing(tmp_path: Path) -> None:
    home = tmp_path / "nothing"

    list(examine(Examined(Settings(home=home), root=tmp_path / "machine")))

    assert list(tmp_path.iterdir()) == []


def _files(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        str(path): (path.stat().st_size, path.stat().st_mtime_ns)
        for path in folder.rglob("*")
        if not path.name.endswith(("-wal", "-shm"))
    }

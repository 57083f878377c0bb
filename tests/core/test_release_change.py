"""From one release to another, and back by itself: every step, every way to fail."""

import os
from pathlib import Path

import pytest

from appliance.cli.release_change import ROLLBACK, UPGRADE, Change, ChangeFailed
from appliance.cli.release_host import Host
from appliance.clock import FixedClock
from appliance.errors import InvalidInput, MatineeError, PreconditionFailed
from appliance.operations import release_journal, releases
from tests.core.stand_in_releases import Machine, machine

OLD, NEW = "1.0", "1.1"


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine on which 1.0 is in use, and 1.1 is installed, with a migration more."""
    made = machine(tmp_path)
    made.add(OLD, "people films")
    made.add(NEW, "people films later")
    releases.switch(made.layout, OLD, "")
    monkeypatch.setenv("PATH", f"{made.bin}:{os.environ['PATH']}")
    return made


@pytest.fixture
def change(host: Machine, clock: FixedClock) -> Change:
    return Change(Host(host.layout, user=""), clock, lambda _: None, patience=0)


def test_an_upgrade_goes_step_by_step(host: Machine, change: Change) -> None:
    outcome = change.to(UPGRADE, NEW)

    assert (outcome.before, outcome.after, outcome.trouble) == (OLD, NEW, "")
    assert releases.in_use(host.layout) == NEW
    assert releases.in_use(host.layout, "previous") == OLD
    assert host.database == "people films later"
    assert host.unit == NEW
    assert release_journal.read(host.layout) is None
    assert host.log == [
        "1.1 config check",
        "1.0 doctor",
        "1.0 migrate --snapshot before-1.1",
        "1.1 migrate --trial",
        "1.1 migrate",
        "systemctl daemon-reload",
        "systemctl reload-or-restart matinee-web.service",
        "1.1 nginx install",
        "systemctl start matinee-nginx.service",
        "systemctl restart matinee-control.service",
        "systemctl --no-block restart matinee-media.service",
        "systemctl start matinee-web.socket matinee-backup.timer",
        "1.1 doctor",
        "1.1 doctor --only=release.answers --only=release.serves",
        "1.1 release record upgrade 1.0 1.1 --trouble=",
    ]


def test_done_again_it_does_nothing(host: Machine, change: Change) -> None:
    change.to(UPGRADE, NEW)
    assert host.log

    outcome = change.to(UPGRADE, NEW)

    assert (outcome.before, outcome.after) == (NEW, NEW)
    assert host.log == []


def test_what_is_older_is_no_upgrade(host: Machine, change: Change) -> None:
    host.add("0.9", "people")

    with pytest.raises(InvalidInput, match="rollback --to"):
        change.to(UPGRADE, "0.9")


@pytest.mark.parametrize(
    "broken", ["config check", "migrate --trial", "migrate --snapshot"]
)
def test_what_fails_before_anything_was_touched_changes_nothing(
    host: Machine, change: Change, broken: str
) -> None:
    for version, knows in ((OLD, "people films"), (NEW, "people films later")):
        host.add(version, knows, broken={broken: "That can't be."})

    with pytest.raises(MatineeError, match="That can't be"):
        change.to(UPGRADE, NEW)

    assert releases.in_use(host.layout) == OLD
    assert host.database == "people films"
    assert not [line for line in host.log if "restart" in line]
    last = release_journal.last(host.layout)
    assert last is not None
    assert last.trouble == "That can't be."


@pytest.mark.parametrize("broken", ["migrate", "nginx install"])
def test_what_fails_later_leads_back(
    host: Machine, change: Change, broken: str
) -> None:
    host.add(NEW, "people films later", broken={broken: "That can't be."})
    if broken == "migrate":
        # Its trial must pass.
        host.add(NEW, "people films later", broken={})
        program = host.layout.program(NEW)
        program.write_text(
            program.read_text().replace(
                "    else:\n", "    else:\n        refuse('x', 'No.')\n"
            )
        )

    with pytest.raises(ChangeFailed, match=r"1\.0 is in use again"):
        change.to(UPGRADE, NEW)

    assert releases.in_use(host.layout) == OLD
    assert releases.in_use(host.layout, "previous") == ""
    assert host.unit == OLD
    assert release_journal.read(host.layout) is None


def test_a_release_that_is_not_well_is_taken_back_with_what_was_written_since(
    host: Machine, change: Change
) -> None:
    host.add(NEW, "people films later", ill=("web.answers",))

    with pytest.raises(ChangeFailed, match=r"web\.answers: it hurts"):
        change.to(UPGRADE, NEW)

    assert releases.in_use(host.layout) == OLD
    assert host.database == "people films later"
    assert "1.0 release record upgrade" in " ".join(host.log)


def test_a_portal_whose_unit_has_changed_is_started_anew(
    host: Machine, change: Change
) -> None:
    (host.root / "since").write_text("1")

    change.to(UPGRADE, NEW)

    assert "systemctl restart matinee-web.service" in host.log


def test_a_portal_that_cannot_be_relieved_is_ended_on_the_way_back(
    host: Machine, change: Change
) -> None:
    (host.root / "stuck").touch()

    with pytest.raises(ChangeFailed, match=r"1\.0 is in use again"):
        change.to(UPGRADE, NEW)

    assert releases.in_use(host.layout) == OLD
    assert host.log.count("systemctl restart matinee-web.service") == 1


def test_what_was_ill_before_does_not_count(host: Machine, change: Change) -> None:
    host.add(OLD, "people films", ill=("mail.server",))
    host.add(NEW, "people films later", ill=("mail.server",))

    assert change.to(UPGRADE, NEW).trouble == ""


def test_where_the_old_code_does_not_bear_the_new_database_the_copy_is_put_back(
    host: Machine, change: Change
) -> None:
    host.add(OLD, "people films", bears=False)
    host.add(NEW, "people films later", contracts=("later",), ill=("x.y",))

    with pytest.raises(ChangeFailed):
        change.to(UPGRADE, NEW)

    assert releases.in_use(host.layout) == OLD
    assert host.database == "people films"
    log = host.log
    stop = "systemctl stop matinee-web.service matinee-web.socket"
    stops = [place for place, line in enumerate(log) if line.startswith(stop)]
    assert stops[0] < log.index("1.1 migrate")
    back = next(i for i, line in enumerate(log) if "--put-back" in line)
    assert stops[1] < back


class Killed(BaseException):
    """Nothing gets to tidy up."""


@pytest.mark.parametrize("at", range(7))
def test_killed_before_any_step_the_next_run_brings_it_to_its_end(
    host: Machine, clock: FixedClock, change: Change, at: int
) -> None:
    said: list[str] = []

    def say(sentence: str) -> None:
        said.append(sentence)
        if len(said) == at + 1:
            raise Killed

    with pytest.raises(Killed):
        Change(Host(host.layout, user=""), clock, say, patience=0).to(UPGRADE, NEW)

    outcome = change.to(UPGRADE, NEW)

    assert (outcome.before, outcome.after, outcome.trouble) == (OLD, NEW, "")
    assert releases.in_use(host.layout) == NEW
    assert releases.in_use(host.layout, "previous") == OLD
    assert host.database == "people films later"
    assert len([line for line in host.log if line == "1.1 migrate"]) <= 2


@pytest.mark.parametrize("at", range(7))
def test_killed_before_any_step_it_can_be_taken_back(
    host: Machine, clock: FixedClock, change: Change, at: int
) -> None:
    said: list[str] = []

    def say(sentence: str) -> None:
        said.append(sentence)
        if len(said) == at + 1:
            raise Killed

    with pytest.raises(Killed):
        Change(Host(host.layout, user=""), clock, say, patience=0).to(UPGRADE, NEW)

    outcome = change.undo()

    assert outcome is not None
    assert outcome.trouble
    assert releases.in_use(host.layout) == OLD
    assert release_journal.read(host.layout) is None
    assert change.undo() is None


def test_killed_on_the_way_back_it_goes_on_back(
    host: Machine, clock: FixedClock, change: Change
) -> None:
    host.add(NEW, "people films later", ill=("x.y",))

    def say(sentence: str) -> None:
        if sentence.startswith("Going back"):
            raise Killed

    with pytest.raises(Killed):
        Change(Host(host.layout, user=""), clock, say, patience=0).to(UPGRADE, NEW)

    outcome = change.resume()

    assert outcome is not None
    assert "x.y" in outcome.trouble
    assert releases.in_use(host.layout) == OLD


def test_what_was_cut_short_comes_before_anything_else(
    host: Machine, clock: FixedClock, change: Change
) -> None:
    host.add("1.2", "people films later")

    def say(sentence: str) -> None:
        if sentence.startswith("Waiting"):
            raise Killed

    with pytest.raises(Killed):
        Change(Host(host.layout, user=""), clock, say, patience=0).to(UPGRADE, NEW)

    with pytest.raises(PreconditionFailed, match=r"upgrade --resume"):
        change.to(UPGRADE, "1.2")
    assert change.resume() is not None
    assert change.resume() is None
    assert change.to(UPGRADE, "1.2").after == "1.2"


def test_a_rollback_keeps_the_database_and_brings_back_the_settings_of_the_time(
    host: Machine, change: Change
) -> None:
    change.to(UPGRADE, NEW)
    host.layout.configuration.write_text("with more")
    host.add(OLD, "people films", broken={"config check": "There is no such setting."})

    outcome = change.to(ROLLBACK, OLD)

    assert outcome.after == OLD
    assert releases.in_use(host.layout) == OLD
    assert releases.in_use(host.layout, "previous") == NEW
    assert host.database == "people films later"
    assert host.layout.configuration.read_text() == "of the time"


def test_a_rollback_to_what_does_not_bear_the_database_needs_a_copy_of_it(
    host: Machine, change: Change
) -> None:
    made = change.to(UPGRADE, NEW).snapshot
    host.add(OLD, "people films", bears=False)

    with pytest.raises(MatineeError, match="newer"):
        change.to(ROLLBACK, OLD)
    assert releases.in_use(host.layout) == NEW

    change.to(ROLLBACK, OLD, made)

    assert releases.in_use(host.layout) == OLD
    assert host.database == "people films"


def test_units_that_a_release_does_not_have_any_more_go(
    host: Machine, change: Change
) -> None:
    for place in (host.layout.release(OLD) / "systemd", host.layout.units):
        (place / "matinee-former.timer").write_text("")

    change.to(UPGRADE, NEW)

    assert not (host.layout.units / "matinee-former.timer").exists()
    assert "systemctl disable --now matinee-former.timer" in host.log

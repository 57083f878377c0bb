"""Releases on a machine: which there are, the links to them, and what is kept."""

import json
from pathlib import Path

import pytest

from appliance.errors import Locked, NotFound, PreconditionFailed
from appliance.operations import release_journal, releases
from appliance.operations.release_journal import Journal, Outcome, Step
from appliance.operations.releases import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    return Layout(tmp_path)


def add(layout: Layout, version: str, *, whole: bool = True) -> None:
    folder = layout.release(version)
    folder.mkdir(parents=True)
    facts = {"version": version, "built_at": "2026-01-02", "schema": ["people"]}
    (folder / "release.json").write_text(json.dumps(facts))
    if whole:
        (folder / releases.COMPLETE).touch()


def test_releases_are_listed_with_the_newest_first(layout: Layout) -> None:
    for version in ("1.9.0", "1.10.0", "1.10.0rc1", "1.2"):
        add(layout, version)
    releases.switch(layout, "1.10.0", "1.9.0")

    found = releases.listing(layout)

    assert [each.version for each in found] == ["1.10.0", "1.10.0rc1", "1.9.0", "1.2"]
    assert [each.version for each in found if each.current] == ["1.10.0"]
    assert [each.version for each in found if each.previous] == ["1.9.0"]


def test_a_machine_without_releases_has_none(layout: Layout) -> None:
    assert releases.listing(layout) == ()
    assert releases.in_use(layout) == ""


def test_the_links_lead_beside_them_and_can_be_turned_again(layout: Layout) -> None:
    add(layout, "1.0")
    add(layout, "1.1")

    for _ in range(2):
        releases.switch(layout, "1.1", "1.0")

    current = layout.folder / "current"
    assert str(current.readlink()) == "releases/1.1"
    assert releases.in_use(layout, "previous") == "1.0"
    assert sorted(each.name for each in layout.folder.iterdir()) == [
        *("current", "previous", "releases")
    ]


def test_without_one_before_there_is_no_link_to_it(layout: Layout) -> None:
    add(layout, "1.0")
    releases.switch(layout, "1.0", "1.0")

    releases.switch(layout, "1.0", "")

    assert releases.in_use(layout, "previous") == ""


def test_a_release_that_is_missing_or_was_cut_short_is_not_put_into_use(
    layout: Layout,
) -> None:
    add(layout, "1.1", whole=False)

    with pytest.raises(NotFound, match=r"no release 1\.0"):
        releases.require(layout, "1.0")
    with pytest.raises(PreconditionFailed, match=r"install\.sh"):
        releases.require(layout, "1.1")


def test_three_releases_are_kept_and_never_less_than_the_two_in_use(
    layout: Layout,
) -> None:
    for number in range(6):
        add(layout, f"1.{number}")
    releases.switch(layout, "1.2", "1.0")

    gone = releases.forget_old(layout)

    left = {each.version for each in releases.listing(layout)}
    assert left == {"1.5", "1.2", "1.0"}
    assert gone == ["1.4", "1.3", "1.1"]


def test_of_two_who_change_releases_one_is_refused(layout: Layout) -> None:
    with (
        releases.alone(layout),
        pytest.raises(Locked, match="Another upgrade"),
        releases.alone(layout),
    ):
        pass


def test_how_far_it_has_come_is_read_again(layout: Layout) -> None:
    layout.folder.mkdir(parents=True)
    journal = Journal("upgrade", "1.0", "1.1", "", "now", Step.MIGRATE, sick=("x.y",))

    assert release_journal.read(layout) is None
    release_journal.write(layout, journal)
    assert release_journal.read(layout) == journal
    outcome = Outcome("1.0", "1.1", "upgrade", "later", 3.0)
    release_journal.close(layout, outcome)
    assert release_journal.read(layout) is None
    assert release_journal.last(layout) == outcome


def test_only_what_comes_after_the_trial_has_touched_anything() -> None:
    assert [each for each in Step if not each.touched] == [
        *(Step.CHECK, Step.SNAPSHOT, Step.TRIAL)
    ]

"""Policies of licences: what they say, who sets them, and which one applies."""

import json

import pytest

from appliance.cenc import Label
from appliance.db import Database
from appliance.errors import Forbidden, InvalidInput, NotFound
from appliance.events import Event, latest
from appliance.permissions import SYSTEM, Role
from appliance.protection import policies, policy
from appliance.protection.policy import DEFAULT, Hdcp
from tests.builders import Builders
from tests.conftest import Matinee


def test_the_default_asks_for_hardware_only_where_studios_do() -> None:
    assert DEFAULT.robustness == {
        Label.AUDIO: 1,
        Label.SD: 1,
        Label.HD: 1,
        Label.UHD: 5,
    }
    assert DEFAULT.hdcp[Label.UHD] is Hdcp.V2_2
    assert {DEFAULT.hdcp[each] for each in Label if each is not Label.UHD} == {
        Hdcp.NONE
    }
    assert not DEFAULT.persistent


def test_a_policy_is_made_changed_and_removed(db: Database) -> None:
    made = policies.put(
        db, SYSTEM, " Studio  A ", {"robustness.hd": "3", "hdcp.hd": "1.0"}
    )
    changed = policies.put(
        db, SYSTEM, "studio a", {"licence_seconds": 86400, "persistent": "yes"}
    )

    assert (made.name, changed.id) == ("Studio A", made.id)
    found = policies.by_name(db, "STUDIO A").policy
    assert (found.robustness[Label.HD], found.hdcp[Label.HD]) == (3, Hdcp.V1)
    assert (found.licence_seconds, found.persistent) == (86400, True)
    assert [each.name for each in policies.listing(db)] == ["Studio A"]

    policies.remove(db, SYSTEM, "studio a")

    assert policies.listing(db) == []
    with pytest.raises(NotFound):
        policies.by_name(db, "studio a")
    told = [each.data for each in latest(db) if each.name == Event.POLICY_CHANGE]
    assert told == [
        {"change": "made", "fields": ["hdcp.hd", "robustness.hd"]},
        {"change": "changed", "fields": ["licence_seconds", "persistent"]},
        {"change": "removed", "titles": 0, "rights": 0},
    ]


def test_setting_what_is_so_already_changes_nothing(db: Database) -> None:
    policies.put(db, SYSTEM, "studio", {"hdcp.hd": "1.0"})

    policies.put(db, SYSTEM, "studio", {"hdcp.hd": "1.0"})

    assert len(latest(db)) == 1


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [
        ("robustness.hd", "6", "1 (software) to 5"),
        ("robustness.hd", "0", "1 (software) to 5"),
        ("robustness.hd", "two", "1 (software) to 5"),
        ("robustness.4k", "1", "robustness.uhd"),
        ("hdcp.uhd", "9", "none, 1.0"),
        ("licence_seconds", "-1", "number of seconds"),
        ("licence_seconds", "1.5", "number of seconds"),
        ("licence_seconds", "99999999999", "ten years"),
        ("rental_seconds", "", "number of seconds"),
        ("persistent", "maybe", "yes or no"),
        ("password", "x", "A policy has no “password”"),
    ],
)
def test_what_cannot_be_is_refused_with_what_would_do(
    db: Database, field: str, value: str, told: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        policies.put(db, SYSTEM, "studio", {field: value})

    assert told in refused.value.message
    assert policies.listing(db) == []


@pytest.mark.parametrize("name", ["", "  ", "x" * 61, "a\x07b"])
def test_a_policy_needs_a_name(db: Database, name: str) -> None:
    with pytest.raises(InvalidInput):
        policies.put(db, SYSTEM, name, {})


def test_every_field_can_be_written_and_read_back() -> None:
    values = {
        **{f"robustness.{each.lower()}": 4 for each in Label},
        **{f"hdcp.{each.lower()}": "2.3" for each in Label},
        "licence_seconds": 1,
        "rental_seconds": 2,
        "playback_seconds": 3,
        "persistent": True,
    }

    assert set(values) == set(policy.FIELDS)
    assert policy.fields(policy.changed(DEFAULT, values)) == values


def test_only_administrators_set_policies(db: Database, make: Builders) -> None:
    publisher = make.actor(Role.PUBLISHER)

    with pytest.raises(Forbidden):
        policies.put(db, publisher, "studio", {})
    with pytest.raises(Forbidden):
        policies.remove(db, publisher, "studio")


def test_the_first_policy_there_is_applies(db: Database, make: Builders) -> None:
    of_title = policies.put(db, SYSTEM, "title", {"licence_seconds": 1})
    of_plan = policies.put(db, SYSTEM, "plan", {"licence_seconds": 2})

    def seconds(*ids: int | None) -> int:
        return policies.effective(db, *ids).licence_seconds

    assert seconds(of_title.id, of_plan.id) == 1
    assert seconds(None, of_plan.id) == 2
    assert seconds(999, of_plan.id) == 2
    assert policies.effective(db, None, None) == DEFAULT


def test_a_title_whose_policy_is_removed_falls_back(
    db: Database, make: Builders
) -> None:
    made = policies.put(db, SYSTEM, "studio", {})
    title = make.title(policy_id=made.id)
    assert policies.by_name(db, "studio").titles == 1

    policies.remove(db, SYSTEM, "studio")

    assert db.value("select policy_id from titles where id = ?", (title.id,)) is None


def test_the_command_sets_shows_and_removes(matinee: Matinee) -> None:
    done = matinee("policy", "set", "studio", "hdcp.hd=1.0", "persistent=yes")
    assert done.exit_code == 0, done.output

    shown = json.loads(matinee("policy", "show", "Studio", "--json").stdout)
    assert (shown["name"], shown["hdcp.hd"], shown["persistent"]) == (
        "studio",
        "1.0",
        True,
    )
    assert "hdcp.uhd" in matinee("policy", "show").stdout
    listed = json.loads(matinee("policy", "list", "--json").stdout)
    assert [each["name"] for each in listed] == ["studio"]

    assert matinee("policy", "remove", "studio").exit_code == 2
    assert matinee("policy", "remove", "studio", "--yes").exit_code == 0
    assert matinee("policy", "show", "studio").exit_code == 4


@pytest.mark.parametrize("field", ["hdcp.hd", "hdcp.hd=", "hdcp.hd=loud", "=1"])
def test_the_command_says_how_a_field_is_written(matinee: Matinee, field: str) -> None:
    done = matinee("policy", "set", "studio", field)

    assert done.exit_code == 2
    assert "studio" not in matinee("policy", "list").stdout

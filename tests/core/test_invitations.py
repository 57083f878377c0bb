"""Machines are invited by a token for one use, and put out again."""

import pytest

from appliance import __version__
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.errors import Conflict, Forbidden, Gone, InvalidInput
from appliance.events import since
from appliance.operations import invitations
from appliance.operations.invitations import Kind
from appliance.permissions import SYSTEM, Actor, Role
from tests.builders import Builders

THERE = Actor(username="anonymous", address="192.0.2.7")


def redeem(db: Database, token: str, name: str = "encoder-1") -> str:
    return invitations.redeem(db, THERE, token, name, __version__, {"redis": "x"})[1]


def test_a_token_lets_one_machine_join_and_no_second(db: Database) -> None:
    token, made = invitations.invite(db, SYSTEM, Kind.WORKER)

    redeem(db, token)

    (member,) = invitations.members(db, SYSTEM)
    assert (member.name, member.kind, member.address) == (
        "encoder-1",
        Kind.WORKER,
        "192.0.2.7",
    )
    assert member.given == {"redis": "x"}
    with pytest.raises(Gone, match="used already"):
        redeem(db, token, "encoder-2")
    assert [each.name for each in since(db)][-2:] == ["node:invite", "node:join"]
    assert made.id == member.id


def test_a_token_that_ran_out_says_so(db: Database, clock: FixedClock) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.WORKER, minutes=5)
    clock.advance(minutes=5)

    with pytest.raises(Gone, match="has run out"):
        redeem(db, token)
    assert invitations.waiting(db, SYSTEM) == []


def test_a_token_of_another_installation_is_refused(db: Database) -> None:
    invitations.invite(db, SYSTEM, Kind.WORKER)

    with pytest.raises(Forbidden, match="opens nothing here"):
        redeem(db, "of-another-installation")


def test_neither_token_nor_credential_is_kept(db: Database) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.EDGE)
    credential = redeem(db, token)

    dump = "\n".join(db.conn.iterdump())

    assert token not in dump
    assert credential not in dump


def test_another_release_is_refused_and_the_token_is_not_used_up(db: Database) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.WORKER)

    with pytest.raises(Conflict, match=f"install {__version__} here first"):
        invitations.looked_at(db, token, "encoder-1", "0.0.1")
    redeem(db, token)


def test_the_name_of_the_invitation_counts(db: Database) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.EDGE, "berlin")
    redeem(db, token, "whatever-it-is-called")

    assert [each.name for each in invitations.members(db, SYSTEM)] == ["berlin"]


def test_a_name_is_had_by_one_machine(db: Database) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.WORKER)
    other, _ = invitations.invite(db, SYSTEM, Kind.WORKER)
    redeem(db, token)

    with pytest.raises(Conflict, match="matinee node remove encoder-1"):
        redeem(db, other)
    with pytest.raises(Conflict):
        invitations.invite(db, SYSTEM, Kind.WORKER, "encoder-1")
    redeem(db, other, "encoder-2")


@pytest.mark.parametrize("name", ["", "../x", "a b", "x" * 41, "-x", "ä"])
def test_a_name_that_no_machine_can_have_is_refused(db: Database, name: str) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.WORKER)

    with pytest.raises(InvalidInput):
        redeem(db, token, name)


def test_who_was_put_out_may_ask_for_nothing(db: Database, clock: FixedClock) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.EDGE)
    credential = redeem(db, token, "berlin")
    clock.advance(minutes=3)
    member = invitations.known(db, credential, __version__)
    assert invitations.members(db, SYSTEM)[0].seen_at == db.now()

    invitations.expel(db, SYSTEM, member)

    with pytest.raises(Forbidden, match="no longer"):
        invitations.known(db, credential, __version__)
    assert invitations.members(db, SYSTEM) == []
    again, _ = invitations.invite(db, SYSTEM, Kind.EDGE, "berlin")
    redeem(db, again)


def test_a_token_can_be_withdrawn(db: Database) -> None:
    token, _ = invitations.invite(db, SYSTEM, Kind.WORKER, "encoder-1")

    assert invitations.withdraw(db, SYSTEM, "encoder-1") == 1

    with pytest.raises(Gone):
        redeem(db, token)


def test_only_administrators_invite(db: Database, make: Builders) -> None:
    publisher = make.actor(Role.PUBLISHER)

    with pytest.raises(Forbidden):
        invitations.invite(db, publisher, Kind.WORKER)
    with pytest.raises(Forbidden):
        invitations.members(db, publisher)

"""``matinee node``: the machines of this installation, and what they do now."""

import dataclasses
from contextlib import suppress
from datetime import timedelta
from typing import Any

import click

from appliance.cli import node_joining
from appliance.cli.installation import Installation, pass_installation
from appliance.clock import to_text
from appliance.db import Database
from appliance.delivery import routes
from appliance.errors import Conflict, NotFound
from appliance.operations import invitations
from appliance.operations.invitations import Kind, Member
from jobs.machines import directing, joining
from jobs.machines.joining import Removed
from jobs.machines.nodes import Node

_GIGABYTE = 1_000_000_000
# Edges ask for changes every few minutes.
_SILENT = timedelta(minutes=30)


@click.group()
def node() -> None:
    """See the machines of a cluster, let more join, and say what they may do.

    A media worker, an edge or a standby joins by a token for one use.

    \b
    matinee node token --kind worker --name encoder-2     here
    matinee node join https://portal.example --token-stdin     on the new machine
    matinee node list
    matinee node drain encoder-2
    matinee node limit encoder-2 4
    """


for _command in node_joining.COMMANDS:
    node.add_command(_command)


@node.command("list")
@click.option("--label", help="Only machines with this label.")
@click.option("--role", help="Only machines with this role: cpu, gpu or speech.")
@pass_installation
def listing(installation: Installation, label: str | None, role: str | None) -> None:
    """List the machines, their load, and what each is doing.

    One that was lost stays in the list for an hour; its work went to the others. Edges
    and standbys follow, and machines that joined and did not begin yet.
    """
    with installation.db() as db:
        known = directing.listing(db, installation.actor, installation.storage)
        members = invitations.members(db, installation.actor)
        recently = to_text(db.clock.now() - _SILENT)
    found = [
        each
        for each in known
        if (label is None or label in each.labels)
        and (role is None or role in each.roles)
    ]
    named = {each.name for each in known}
    others = [
        each
        for each in members
        if label is None and role is None
        if each.kind is not Kind.WORKER or each.name not in named
    ]
    installation.out.table(
        ("NODE", "KIND", "STATE", "TAKES", "LOAD", "FREE GB", "LABELS", "DOES"),
        [*map(_row, found), *(_row_of_member(each, recently) for each in others)],
        [*map(_document, found), *(_told(each, recently) for each in others)],
        empty="No media worker runs: start one with `matinee worker --media`.",
    )
    for each in found:
        for sentence in filter(None, (each.refused, each.trouble, *each.degraded)):
            installation.out.say(f"{each.name}: {sentence}")


_name = click.argument("name")


@node.command()
@_name
@pass_installation
def drain(installation: Installation, name: str) -> None:
    """Let the machine NAME finish what it does, and take nothing new.

    That holds until `matinee node resume`, also when its worker starts again.
    """
    with installation.db() as db:
        _require_worker(db, installation, name)
        actor, storage = installation.actor, installation.storage
        found = directing.drain(db, actor, storage, name)
    doing = sum(len(each.doing) for each in found)
    then = f" It finishes {doing} work units." if doing else ""
    installation.out.result(
        {"node": name, "doing": doing}, f"{name} takes nothing new.{then}"
    )


@node.command()
@_name
@pass_installation
def resume(installation: Installation, name: str) -> None:
    """Let the machine NAME take work again."""
    with installation.db() as db:
        directing.resume(db, installation.actor, installation.storage, name)
    installation.out.result({"node": name}, f"{name} takes work again.")


@node.command()
@_name
@click.argument("units", type=click.IntRange(0, 1000))
@pass_installation
def limit(installation: Installation, name: str, units: int) -> None:
    """Let the machine NAME do at most UNITS work units at once; 0 lifts the limit."""
    with installation.db() as db:
        actor, storage = installation.actor, installation.storage
        directing.limit(db, actor, storage, name, units)
    words = f"at most {units} work units at once" if units else "as many as it has room"
    installation.out.result({"node": name, "limit": units}, f"{name} does {words}.")


@node.command()
@_name
@click.option("--yes", is_flag=True, help="Do not ask.")
@pass_installation
def remove(installation: Installation, name: str, yes: bool) -> None:
    """Put the machine NAME out of this installation, and forget it.

    What it was given when it joined is taken away as far as that is possible: its user
    in Redis, its secret as an edge, its right to ask for more. What it may still know
    is printed, with what to do about it. One that never joined by a token is only
    forgotten, and not while its worker runs: stop that first.
    """
    with installation.db() as db:
        joined = _has_joined(db, installation, name)
        if joined:
            sentence = f"Put {name} out of this installation?"
            installation.out.confirm(sentence, yes)
        removed, runs = _removed(db, installation, name, joined=joined)
    remaining = [line for each in removed for line in each.remaining]
    if runs:
        remaining.append(f"Its worker still runs: stop it on {name}.")
    taken = [line for each in removed for line in each.taken]
    installation.out.result(
        {"node": name, "taken": taken, "remaining": remaining},
        "\n".join([f"{name} is forgotten.", *(f"  {each}" for each in taken)]),
    )
    for line in remaining:
        installation.out.say(line)


def _has_joined(db: Database, installation: Installation, name: str) -> bool:
    actor = installation.actor
    joined = {each.name for each in invitations.members(db, actor)}
    invited = {each.name for each in invitations.waiting(db, actor)}
    return name in joined | invited


def _removed(
    db: Database, installation: Installation, name: str, *, joined: bool
) -> tuple[list[Removed], bool]:
    """Return what was taken from a machine, and whether its worker still runs."""
    actor, storage = installation.actor, installation.storage
    if not joined:
        directing.remove(db, actor, storage, name)
        return [], False
    removed = joining.remove(db, installation.settings, actor, name)
    try:
        # One that never did media work is none to forget.
        with suppress(NotFound):
            directing.remove(db, actor, storage, name)
    except Conflict:
        return removed, True
    return removed, False


def _require_worker(db: Database, installation: Installation, name: str) -> None:
    """Say how an edge is drained: by where viewers are sent."""
    edges = {each.name for each in routes.edges(installation.settings)}
    for each in invitations.members(db, installation.actor):
        edges |= {each.name} if each.kind is Kind.EDGE else set()
    workers = directing.listing(db, installation.actor, installation.storage)
    if name in edges and name not in {each.name for each in workers}:
        raise Conflict(
            "node.edge",
            f"{name} is an edge: take it out of edge.sites, and no viewer is sent there"
            " any more. What plays goes on.",
        )


def _document(each: Node) -> dict[str, Any]:
    return dataclasses.asdict(each) | {"state": each.state, "kind": Kind.WORKER.value}


def _told(each: Member, recently: str) -> dict[str, Any]:
    return {
        "name": each.name,
        "kind": each.kind.value,
        "state": _state(each, recently),
        "address": each.address,
        "version": each.version,
        "joined_at": each.joined_at,
        "seen_at": each.seen_at,
    }


def _state(each: Member, recently: str) -> str:
    """Return one word for a machine that does not say itself what it does."""
    if each.kind is Kind.WORKER:
        return "joined"
    return "here" if each.seen_at > recently else "silent"


def _row_of_member(each: Member, recently: str) -> tuple[Any, ...]:
    return (each.name, each.kind, _state(each, recently), *[""] * 4, each.address)


def _row(each: Node) -> tuple[Any, ...]:
    takes = ", ".join(f"{count} {name}" for name, count in each.slots.items())
    return (
        each.name,
        Kind.WORKER,
        each.state if each.alive else f"lost {each.silent:.0f} s ago",
        f"{takes} (limit {each.limit})" if each.limit else takes,
        f"{each.load:.1f}/{each.cores}",
        f"{each.scratch_free / _GIGABYTE:.0f}",
        " ".join(each.labels),
        ", ".join(f"{d.unit} {100 * d.progress:.0f} %" for d in each.doing),
    )

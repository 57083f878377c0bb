"""How a machine becomes part of the cluster, asks for what changed, and is put out.

What it is given by others, as a user in Redis, is made first and outside of any
transaction; the token is used up when all of it is there.
"""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from appliance.accounts import throttle
from appliance.db import Database
from appliance.delivery import edge_secret, tokens
from appliance.errors import Conflict, Forbidden, MatineeError, NotFound
from appliance.operations import invitations
from appliance.operations.invitations import Invitation, Kind, Member
from appliance.permissions import Action, Actor, check
from appliance.settings import Settings
from jobs import broker
from jobs.machines import passes, provisions
from jobs.machines.provisions import Provision


@dataclass(frozen=True, slots=True)
class Asked:
    """What a machine says of itself when it joins; ``exchange`` may be empty."""

    token: str = field(repr=False)
    name: str
    version: str
    exchange: str = ""


@dataclass(frozen=True, slots=True)
class Joined:
    """A machine that joined, with what it gets; ``credential`` is for asking again."""

    member: Member
    provision: Provision
    credential: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Removed:
    """What was taken away from a machine, and what it may still know."""

    name: str
    taken: tuple[str, ...]
    remaining: tuple[str, ...]


def invite(
    db: Database,
    settings: Settings,
    actor: Actor,
    kind: Kind,
    name: str = "",
    minutes: int = 60,
) -> tuple[str, Invitation]:
    """Make a token for one machine. Errors: as of :func:`provisions.require_possible`
    and :func:`invitations.invite`.
    """
    check(actor, Action.SYSTEM_MANAGE)
    provisions.require_possible(settings, kind)
    if kind is Kind.EDGE and name:
        # Before the edge is there, so that the origin's nginx can be told already.
        edge_secret.of_edge(settings.keys, invitations.usable(name))
    return invitations.invite(db, actor, kind, name, minutes)


def join(db: Database, settings: Settings, actor: Actor, asked: Asked) -> Joined:
    """Let a machine join by its token; guessing is slowed down.

    Errors: ``TooManyRequests``, those of :func:`invitations.looked_at`, ``TryAgain``
    while Redis does not answer.
    """
    admission = throttle.admit_joining(db, settings, actor.address)
    try:
        found = invitations.looked_at(db, asked.token, asked.name, asked.version)
    except Forbidden:
        raise
    except MatineeError:
        throttle.give_back(db, admission)
        raise
    throttle.give_back(db, admission)
    name = found.name or asked.name
    provisions.require_possible(settings, found.kind)
    provision, given = _made(settings, found.kind, name, asked.exchange)
    try:
        member, credential = invitations.redeem(
            db, actor, asked.token, asked.name, asked.version, given
        )
    except MatineeError:
        with suppress(MatineeError):
            _take_back(settings, given)
        raise
    return Joined(member, provision, credential)


def refresh(db: Database, settings: Settings, credential: str, version: str) -> Joined:
    """Return what a machine gets now, but for what it was given once.

    Errors: ``Forbidden`` node.credential for one that was removed.
    """
    member = invitations.known(db, credential, version)
    if member.kind is Kind.WORKER:
        how = str(member.given.get("exchange", "folder"))
        return Joined(member, provisions.of_worker(settings, member.name, how))
    return Joined(member, _of_kind(settings, member.kind, member.name))


def remove(db: Database, settings: Settings, actor: Actor, name: str) -> list[Removed]:
    """Put the machines of a name out of the cluster, and say what they still know.

    Tokens that wait for one of that name count no more. Errors: ``NotFound`` when none
    joined; ``TryAgain`` while Redis does not answer, and nothing is changed.
    """
    check(actor, Action.SYSTEM_MANAGE)
    found = [each for each in invitations.members(db, actor) if each.name == name]
    withdrawn = invitations.withdraw(db, actor, name)
    if not found and not withdrawn:
        raise NotFound("node.missing", f"No machine “{name}” joined this cluster.")
    # Made when it was invited; a machine may never have come.
    edge_secret.forget(settings.keys, name)
    removed = []
    for member in found:
        taken = tuple(_taken(settings, member))
        invitations.expel(db, actor, member)
        removed.append(Removed(name, taken, tuple(_remaining(settings, member))))
    return removed


def _made(
    settings: Settings, kind: Kind, name: str, wanted: str
) -> tuple[Provision, dict[str, object]]:
    """Return what a new machine gets, and what to note of it, without secrets."""
    if kind is not Kind.WORKER:
        provision = _of_kind(settings, kind, name)
        return provision, {"files": sorted(provision.files)}
    how = provisions.exchange(settings, wanted)
    provision = provisions.of_worker(settings, name, how)
    own = passes.issue(broker.of(settings), name, far=how == "objects")
    given: dict[str, object] = {
        "files": sorted(provision.files),
        "exchange": how,
        "redis": own.username if own.own else "",
    }
    files = provision.files
    if own.password:
        files = {**files, **provisions.credentials(own.username, own.password)}
    return Provision(provision.settings, files), given


def _of_kind(settings: Settings, kind: Kind, name: str) -> Provision:
    if kind is Kind.EDGE:
        secret = edge_secret.of_edge(settings.keys, name)
        return provisions.of_edge(settings, secret)
    if kind is Kind.STANDBY:
        return provisions.of_standby(settings)
    raise Conflict("node.kind", f"A {kind} gets more than this.")


def _take_back(settings: Settings, given: dict[str, object]) -> None:
    if given.get("redis"):
        passes.revoke(broker.of(settings), str(given["redis"]))


def _taken(settings: Settings, member: Member) -> Iterator[str]:
    yield "it can ask for nothing here any more"
    user = str(member.given.get("redis", ""))
    if user and settings.queue.url:
        passes.revoke(broker.of(settings), user)
        yield f"its user {user} in Redis is gone, and its connections are closed"
    if member.kind is Kind.EDGE:
        edge_secret.forget(settings.keys, member.name)
        tokens.retract(settings.keys)
        yield "its secret counts no more, nor does the next key of media tokens"


def _remaining(settings: Settings, member: Member) -> Iterator[str]:
    """Yield what else must be changed, if whoever has the machine is not trusted."""
    files = member.given.get("files", ())
    if member.kind is Kind.EDGE:
        hours = settings.playback.native_token_seconds / 3600
        yield (
            "It knows the keys that media tokens are signed with: run `matinee key"
            f" rotate media --yes` now, and again after {hours:g} hours, when what was"
            " handed out has run out. Until then it can make tokens that open films."
        )
        yield f"Take {member.name} out of edge.sites, so that no viewer is sent there."
    if member.kind is Kind.WORKER and not member.given.get("redis"):
        yield (
            "It knows the password of Redis that all machines share: change it there,"
            " and in queue.toml of every machine."
        )
    if "worker.key" in files:
        yield (
            "It knows worker.key, by which content keys are sealed for workers: when no"
            " protected film is in work, run `matinee key rotate worker --yes`."
        )
    if "s3.toml" in files:
        yield (
            "It knows the access key of the object storage: make a new one there, write"
            " it into s3.toml, and withdraw the old one."
        )
    if provisions.PLACES in files:
        yield (
            "It knows what opens the place of backups: change that there, and in"
            f" {provisions.PLACES}."
        )
    if member.kind is not Kind.EDGE:
        yield "What it has of films on its own disks stays there: erase them."

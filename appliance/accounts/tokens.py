"""API tokens: named, for some actions only, until a day; shown once, kept as a hash."""

import hashlib
import secrets
from collections.abc import Iterable
from dataclasses import dataclass

from appliance.db import Database, Row, write
from appliance.errors import Forbidden, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import ROLES, Action, Actor, Role, check

MOST_DAYS = 366
_MOST_TOKENS = 50
_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Token:
    """A token as its owner sees it; ``scopes`` are names of actions."""

    id: str
    name: str
    username: str
    scopes: tuple[str, ...]
    created_at: str
    seen_at: str
    expires_at: str


def create(
    db: Database,
    actor: Actor,
    username: str,
    name: str,
    scopes: Iterable[str],
    days: int,
) -> tuple[str, Token]:
    """Make a token of an account: one's own, or as an administrator anybody's.

    It may do what its ``scopes`` name as long as the roles of the account allow it, and
    sees what the profile sees that made it: a limit of age, or a PIN, holds for it too.
    Errors: ``InvalidInput``, ``NotFound``, ``Forbidden``.
    """
    named, wanted = _name(name), _scopes(scopes)
    if not 1 <= days <= MOST_DAYS:
        raise _refusal("days", f"A token lives 1 to {MOST_DAYS} days.", most=MOST_DAYS)
    text, public_id = secrets.token_urlsafe(32), secrets.token_hex(8)
    with write(db):
        account = _account(db, actor, username)
        _require_allowed(actor, account, wanted)
        most = "select count(*) from sessions where account_id = ? and name <> ''"
        if int(db.value(f"{most} and revoked_at is null", (account["id"],))) >= (
            _MOST_TOKENS
        ):
            raise InvalidInput(
                "token.most",
                f"There are {_MOST_TOKENS} tokens: revoke one.",
                {"field": "name", "most": _MOST_TOKENS},
            )
        row = {
            "public_id": public_id,
            "token_hash": hashlib.sha256(text.encode()).hexdigest(),
            "account_id": account["id"],
            "profile_id": account["profile_id"],
            "profile_chosen_at": db.now(),
            "kind": "api",
            "name": named,
            "scopes": ",".join(wanted),
            "address": actor.address,
            "created_at": db.now(),
            "seen_at": db.now(),
            "expires_at": db.now(days=days),
        }
        db.table("sessions").insert(row)
        subject = f"session/{public_id}"
        record(db, actor, Event.TOKEN_CREATE, subject, name=named, scopes=wanted)
        return text, _token(_row(db, public_id))


def listing(db: Database, actor: Actor, *, everybody: bool = False) -> list[Token]:
    """Return the tokens that still hold: one's own, or all. Errors: ``Forbidden``."""
    if everybody:
        check(actor, Action.INTEGRATION_MANAGE)
    rows = db.rows(
        f"""
        {_SELECT}
        where s.name <> '' and s.revoked_at is null and s.expires_at > :now
            and (:everybody or s.account_id = :account)
        order by s.id desc
        """,
        {"now": db.now(), "everybody": everybody, "account": actor.account_id},
    )
    return [_token(row) for row in rows]


def revoke(db: Database, actor: Actor, public_id: str) -> Token:
    """End a token: one's own, or as an administrator any. Errors: ``NotFound``."""
    with write(db):
        row = _row(db, public_id)
        own = row["account_id"] == actor.account_id
        if not own and not actor.may(Action.INTEGRATION_MANAGE):
            raise NotFound("token.missing", "There is no such token.")
        db.conn.execute(
            "update sessions set revoked_at = ? where public_id = ?",
            (db.now(), public_id),
        )
        record(db, actor, Event.TOKEN_REVOKE, f"session/{public_id}", name=row["name"])
        return _token(row)


def allowed(roles: Iterable[Role]) -> list[Action]:
    """Return what a token of somebody with these roles can be for."""
    of_roles = frozenset[Action]().union(*(ROLES[role] for role in roles))
    return [action for action in Action if action in of_roles]


_SELECT = """
select s.*, a.username from sessions s join accounts a on a.id = s.account_id
"""


def _account(db: Database, actor: Actor, username: str) -> Row:
    row = db.one(
        """
        select a.id, a.username, group_concat(distinct r.role) as roles, (
            select p.id from profiles p
            where p.account_id = a.id and p.kids = 0 order by p.id limit 1
        ) as profile_id
        from accounts a left join role_assignments r on r.account_id = a.id
        where a.username = ? and a.state = 'active'
        group by a.id
        """,
        (username,),
    )
    if row is not None and row["id"] == actor.account_id:
        check(actor, Action.ACCOUNT_OWN)
        return row | {"profile_id": actor.profile_id}
    if row is None or not actor.may(Action.INTEGRATION_MANAGE):
        raise NotFound("account.missing", f"There is no account “{username[:60]}”.")
    if row["profile_id"] is None:
        raise _refusal("username", "This account has profiles of children only.")
    return row


def _require_allowed(actor: Actor, account: Row, scopes: list[str]) -> None:
    """Refuse what the account may not do, and what the actor itself may not."""
    roles = map(Role, (account["roles"] or "").split(",")) if account["roles"] else ()
    may = {action.value for action in allowed(roles)}
    beyond = [each for each in scopes if each not in may]
    if beyond:
        raise Forbidden(
            "token.scope", f"“{account['username']}” may not: {', '.join(beyond)}."
        )
    lacking = [each for each in scopes if not actor.may(Action(each))]
    if lacking and account["id"] == actor.account_id:
        raise Forbidden("token.scope", f"This token may not: {', '.join(lacking)}.")


def _name(name: str) -> str:
    named = " ".join(name.split())
    if not named or len(named) > _LONGEST_NAME or not named.isprintable():
        raise _refusal(
            "name",
            f"Say in {_LONGEST_NAME} characters at most what it is for.",
            most=_LONGEST_NAME,
        )
    return named


def _scopes(scopes: Iterable[str]) -> list[str]:
    wanted = sorted({each.strip() for each in scopes if each.strip()})
    unknown = [each for each in wanted if each not in tuple(Action)]
    if not wanted or unknown:
        what = f"There is no “{unknown[0][:40]}”. " if unknown else ""
        raise _refusal(
            "scopes", f"{what}Name what it may do, as {Action.PORTAL_SEE.value}."
        )
    return wanted


def _row(db: Database, public_id: str) -> Row:
    row = db.one(f"{_SELECT} where s.public_id = ? and s.name <> ''", (public_id,))
    if row is None:
        raise NotFound("token.missing", "There is no such token.")
    return row


def _token(row: Row) -> Token:
    return Token(
        id=row["public_id"],
        name=row["name"],
        username=row["username"],
        scopes=tuple(row["scopes"].split(",")),
        created_at=row["created_at"],
        seen_at=row["seen_at"],
        expires_at=row["expires_at"],
    )


def _refusal(field: str, sentence: str, **figures: int) -> InvalidInput:
    return InvalidInput(f"token.{field}", sentence, {"field": field, **figures})

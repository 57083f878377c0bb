"""Accounts: who may sign in, as what, and with which password."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from appliance.accounts import confirmation, names, passwords, sessions, throttle
from appliance.db import Database, Row, write
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, Role, check
from appliance.settings import Settings


class AccountState(StrEnum):
    """Whether an account may sign in."""

    ACTIVE = "active"
    DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Account:
    """Who may sign in; ``created_at`` is UTC text."""

    id: int
    public_id: str
    username: str
    display_name: str
    email: str | None
    state: AccountState
    roles: frozenset[Role]
    has_totp: bool
    created_at: str


def create(
    db: Database,
    settings: Settings,
    actor: Actor,
    username: str,
    password: str,
    *,
    display_name: str = "",
    email: str | None = None,
    roles: Iterable[Role] = (Role.VIEWER,),
) -> Account:
    """Make an account with its first profile; without a name it is shown as its user.

    Errors: ``InvalidInput`` for a bad name or a weak password, ``Conflict`` when the
    user name is taken (upper and lower case are the same).
    """
    check(actor, Action.ACCOUNT_MANAGE)
    name = names.username(username)
    shown = names.display_name(display_name or name)
    address, wanted = names.email(email), _some(roles)
    passwords.require_good(settings, name, password)
    stored = passwords.hashed(password)
    with write(db):
        _refuse_taken(db, name)
        account_id = _insert(db, name, shown, address, stored)
        _assign(db, account_id, wanted)
        account = by_id(db, account_id)
        record(
            db,
            actor,
            Event.ACCOUNT_CREATE,
            _subject(account),
            username=name,
            roles=sorted(wanted),
        )
        return account


def find(db: Database, username: str) -> Account:
    """Return the account of that user name; ``NotFound`` when there is none."""
    row = db.one(f"{_SELECT} where a.username = ?", (names.lookup(username),))
    if row is None:
        raise NotFound("account.missing", f"There is no account “{username.strip()}”.")
    return _account(row)


def by_id(db: Database, account_id: int) -> Account:
    """Return the account with that internal id; ``NotFound`` when there is none."""
    row = db.one(f"{_SELECT} where a.id = ?", (account_id,))
    if row is None:
        raise NotFound("account.missing", "There is no such account.")
    return _account(row)


def listing(db: Database) -> list[Account]:
    """Return every account, by user name."""
    rows = db.rows(f"{_SELECT} order by a.username collate nocase")
    return [_account(row) for row in rows]


def any_administrator(db: Database) -> bool:
    """Say whether somebody can administer this installation."""
    return _administrators_but(db, account_id=None) > 0


def rename(db: Database, actor: Actor, display_name: str) -> Account:
    """Change the name that the actor's own account is shown with."""
    name = names.display_name(display_name)
    own = confirmation.account_id(actor)
    with write(db):
        before = by_id(db, own)
        db.conn.execute(
            "update accounts set display_name = ? where id = ?", (name, own)
        )
        # The first profile follows, as long as nobody named it otherwise.
        db.conn.execute(
            "update profiles set name = ? where account_id = ? and name = ?",
            (name, own, before.display_name),
        )
        account = by_id(db, own)
        record(db, actor, Event.ACCOUNT_UPDATE, _subject(account), display_name=name)
        return account


def set_roles(
    db: Database, actor: Actor, username: str, roles: Iterable[Role]
) -> Account:
    """Give an account exactly these roles; it has them with its next request.

    Errors: ``Conflict`` when nobody could administer the installation any more.
    """
    wanted = _some(roles)
    with write(db):
        check(actor, Action.ACCOUNT_MANAGE)
        before = find(db, username)
        if Role.ADMINISTRATOR not in wanted:
            _refuse_last_administrator(db, before)
        db.conn.execute(
            "delete from role_assignments where account_id = ?", (before.id,)
        )
        _assign(db, before.id, wanted)
        record(
            db,
            actor,
            Event.ACCOUNT_ROLE,
            _subject(before),
            before=sorted(before.roles),
            after=sorted(wanted),
        )
        return by_id(db, before.id)


def disable(db: Database, actor: Actor, username: str) -> Account:
    """Keep an account from signing in, and end its sessions at once."""
    with write(db):
        check(actor, Action.ACCOUNT_MANAGE)
        account = find(db, username)
        if account.state is AccountState.DISABLED:
            return account
        _refuse_last_administrator(db, account)
        _set_state(db, account.id, AccountState.DISABLED)
        sessions.revoke_others(db, actor, account.id)
        record(db, actor, Event.ACCOUNT_DISABLE, _subject(account))
        return by_id(db, account.id)


def enable(db: Database, actor: Actor, username: str) -> Account:
    """Let a disabled account sign in again."""
    with write(db):
        check(actor, Action.ACCOUNT_MANAGE)
        account = find(db, username)
        if account.state is AccountState.ACTIVE:
            return account
        _set_state(db, account.id, AccountState.ACTIVE)
        record(db, actor, Event.ACCOUNT_ENABLE, _subject(account))
        return by_id(db, account.id)


def reset_password(
    db: Database, settings: Settings, actor: Actor, username: str, password: str
) -> Account:
    """Set somebody's password and end every session of the account."""
    check(actor, Action.ACCOUNT_MANAGE)
    account = find(db, username)
    passwords.require_good(settings, account.username, password)
    stored = passwords.hashed(password)
    with write(db):
        _store_password(db, account.id, stored)
        sessions.revoke_others(db, actor, account.id)
        throttle.forgive(db, settings, account.username)
        record(db, actor, Event.PASSWORD_RESET, _subject(account))
        return by_id(db, account.id)


def change_password(
    db: Database,
    settings: Settings,
    actor: Actor,
    old: str,
    new: str,
    keep_session: str | None,
) -> None:
    """Change the actor's own password and end every session but ``keep_session``.

    Errors: ``InvalidInput`` when ``old`` is wrong or ``new`` is weak,
    ``TooManyRequests`` after several wrong ones.
    """
    account = by_id(db, confirmation.account_id(actor))
    confirmation.require_password(db, settings, actor, old)
    passwords.require_good(settings, account.username, new)
    stored = passwords.hashed(new)
    with write(db):
        _store_password(db, account.id, stored)
        sessions.revoke_others(db, actor, account.id, keep_session)
        record(db, actor, Event.PASSWORD_CHANGE, _subject(account))


_SELECT = """
select a.id, a.public_id, a.username, a.display_name, a.email, a.state, a.created_at,
    a.totp_confirmed_at is not null as has_totp,
    (select group_concat(role) from role_assignments where account_id = a.id) as roles
from accounts a
"""


def _account(row: Row) -> Account:
    return Account(
        id=row["id"],
        public_id=row["public_id"],
        username=row["username"],
        display_name=row["display_name"],
        email=row["email"],
        state=AccountState(row["state"]),
        roles=frozenset(map(Role, row["roles"].split(",") if row["roles"] else ())),
        has_totp=bool(row["has_totp"]),
        created_at=row["created_at"],
    )


def _subject(account: Account) -> str:
    return f"account/{account.public_id}"


def _some(roles: Iterable[Role]) -> frozenset[Role]:
    wanted = frozenset(roles)
    if not wanted:
        raise InvalidInput(
            "role.none", f"Give at least one role: {', '.join(sorted(Role))}."
        )
    return wanted


def _refuse_taken(db: Database, username: str) -> None:
    taken = db.value("select username from accounts where username = ?", (username,))
    if taken is not None:
        raise Conflict(
            "account.exists",
            f"There is an account “{taken}” already: choose another user name.",
        )


def _insert(
    db: Database, username: str, shown: str, email: str | None, stored: str
) -> int:
    cursor = db.conn.execute(
        """
        insert into accounts (public_id, username, display_name, email, password_hash,
            created_at, password_changed_at)
        values (?, ?, ?, ?, ?, ?, ?)
        """,
        (secrets.token_hex(8), username, shown, email, stored, db.now(), db.now()),
    )
    account_id = cursor.lastrowid
    assert account_id is not None
    db.conn.execute(
        """
        insert into profiles (public_id, account_id, name, created_at)
        values (?, ?, ?, ?)
        """,
        (secrets.token_hex(8), account_id, shown, db.now()),
    )
    return account_id


def _assign(db: Database, account_id: int, roles: frozenset[Role]) -> None:
    db.conn.executemany(
        "insert into role_assignments (account_id, role) values (?, ?)",
        [(account_id, role.value) for role in sorted(roles)],
    )


def _set_state(db: Database, account_id: int, state: AccountState) -> None:
    db.conn.execute(
        "update accounts set state = ? where id = ?", (state.value, account_id)
    )


def _store_password(db: Database, account_id: int, stored: str) -> None:
    db.conn.execute(
        """
        update accounts set password_hash = ?, password_changed_at = ?
        where id = ?
        """,
        (stored, db.now(), account_id),
    )


def _refuse_last_administrator(db: Database, account: Account) -> None:
    if Role.ADMINISTRATOR not in account.roles:
        return
    if account.state is AccountState.ACTIVE and not _administrators_but(db, account.id):
        raise Conflict(
            "account.last-administrator",
            f"“{account.username}” is the last administrator: make somebody else one"
            " first.",
        )


def _administrators_but(db: Database, account_id: int | None) -> int:
    return int(
        db.value(
            """
            select count(distinct a.id)
            from accounts a
            join role_assignments r on r.account_id = a.id
            where r.role = ? and a.state = 'active' and a.id is not ?
            """,
            (Role.ADMINISTRATOR.value, account_id),
        )
    )

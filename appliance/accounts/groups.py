"""Groups of accounts: departments, customers, whoever has the same rights."""

import secrets
from dataclasses import dataclass

from appliance.accounts import names, people
from appliance.db import Database, write
from appliance.errors import Conflict, InvalidInput, NotFound
from appliance.events import Event, record
from appliance.permissions import Action, Actor, check


@dataclass(frozen=True, slots=True)
class Group:
    """A group; ``members`` says how many accounts are in it."""

    id: int
    public_id: str
    name: str
    members: int


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a group."""

    username: str
    display_name: str


def listing(db: Database) -> list[Group]:
    """Return every group, by name."""
    rows = db.rows(f"{_SELECT} order by g.name collate nocase")
    return [Group(**row) for row in rows]


def find(db: Database, name: str) -> Group:
    """Return a group by its name or public id. Errors: ``NotFound``."""
    row = db.one(
        f"{_SELECT} where g.name = :name or g.public_id = :name"
        " order by g.name = :name desc",
        {"name": name},
    )
    if row is None:
        raise NotFound("group.missing", f"There is no group “{name[:80]}”.")
    return Group(**row)


def members(db: Database, group: Group) -> list[Member]:
    """Return who is in a group, by user name."""
    rows = db.rows(
        """
        select a.username, a.display_name from group_members m
        join accounts a on a.id = m.account_id
        where m.group_id = ? order by a.username collate nocase
        """,
        (group.id,),
    )
    return [Member(**row) for row in rows]


def of_account(db: Database, account_id: int) -> list[Group]:
    """Return the groups that an account is in, by name."""
    rows = db.rows(
        f"""
        {_SELECT} where g.id in (
            select group_id from group_members where account_id = ?
        )
        order by g.name collate nocase
        """,
        (account_id,),
    )
    return [Group(**row) for row in rows]


def add(db: Database, actor: Actor, name: str) -> Group:
    """Make a group. Errors: ``InvalidInput``, ``Conflict``, ``Forbidden``."""
    check(actor, Action.ACCOUNT_MANAGE)
    wanted = _name(name)
    with write(db):
        taken = db.value(
            "select name from groups where name = ? collate nocase", (wanted,)
        )
        if taken is not None:
            raise Conflict(
                "group.exists",
                f"There is a group “{taken}” already.",
                {"field": "name"},
            )
        row = {"public_id": secrets.token_hex(8), "name": wanted}
        db.table("groups").insert(row)
        made = find(db, row["public_id"])
        _record(db, actor, made, change="add", name=made.name)
    return made


def remove(db: Database, actor: Actor, name: str) -> Group:
    """Remove a group with its rights; return what it was.

    Errors: ``Conflict`` while windows or rows of the home page are for it: without it
    they would be for nobody, or gone, and their titles shown to all.
    """
    check(actor, Action.ACCOUNT_MANAGE)
    with write(db):
        group = find(db, name)
        _refuse_used(db, group)
        db.conn.execute("delete from groups where id = ?", (group.id,))
        _record(db, actor, group, change="remove", name=group.name)
    return group


def join(db: Database, actor: Actor, name: str, username: str) -> Group:
    """Put an account into a group; doing it again changes nothing.

    Errors: ``NotFound``, ``Forbidden``.
    """
    check(actor, Action.ACCOUNT_MANAGE)
    with write(db):
        group, account = find(db, name), people.find(db, username)
        joined = db.conn.execute(
            "insert or ignore into group_members (group_id, account_id) values (?, ?)",
            (group.id, account.id),
        )
        if joined.rowcount:
            _record(db, actor, group, change="join", account=account.username)
        return find(db, group.public_id)


def leave(db: Database, actor: Actor, name: str, username: str) -> Group:
    """Take an account out of a group; what it watches by it stops within minutes.

    Errors: ``NotFound``, also when it is not in it, ``Forbidden``.
    """
    check(actor, Action.ACCOUNT_MANAGE)
    with write(db):
        group, account = find(db, name), people.find(db, username)
        left = db.conn.execute(
            "delete from group_members where group_id = ? and account_id = ?",
            (group.id, account.id),
        )
        if not left.rowcount:
            raise NotFound(
                "group.no-member", f"“{account.username}” is not in “{group.name}”."
            )
        _record(db, actor, group, change="leave", account=account.username)
        return find(db, group.public_id)


_SELECT = """
select g.id, g.public_id, g.name, (
    select count(*) from group_members where group_id = g.id
) as members
from groups g
"""
_USES = {
    "availability_windows": "availability windows of titles",
    "home_rows": "rows of the home page",
}


def _name(text: str) -> str:
    try:
        wanted = names.display_name(text)
    except InvalidInput as error:
        raise InvalidInput("group.name", error.message, {"field": "name"}) from error
    if ":" in wanted or "," in wanted:
        raise InvalidInput(
            "group.name",
            "The name of a group has neither colons nor commas: rights are written as"
            " group:NAME.",
            {"field": "name"},
        )
    return wanted


def _refuse_used(db: Database, group: Group) -> None:
    uses = [
        words
        for table, words in _USES.items()
        if db.value(f"select 1 from {table} where group_id = ?", (group.id,))
    ]
    if uses:
        raise Conflict(
            "group.used",
            f"“{group.name}” is named by {' and '.join(uses)}: take them away first.",
        )


def _record(db: Database, actor: Actor, group: Group, **data: object) -> None:
    record(db, actor, Event.GROUP_CHANGE, f"group/{group.public_id}", **data)

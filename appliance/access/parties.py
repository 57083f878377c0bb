"""Who has a right, as people write it: ``everyone``, ``group:Training``."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from appliance.accounts import people
from appliance.db import Database
from appliance.errors import InvalidInput
from appliance.permissions import Role


@dataclass(frozen=True, slots=True)
class Party:
    """A subject of rights: ``kind`` and ``id`` or ``role`` as their row has them."""

    kind: str
    id: int | None = None
    role: str | None = None
    name: str = ""

    @property
    def source(self) -> str:
        """Where a right of this party comes from, when nobody says otherwise."""
        if self.kind == "everyone":
            return "installation"
        return f"{'assignment' if self.kind == 'account' else self.kind}:{self.name}"


def party(db: Database, text: str) -> Party:
    """Return whom ``everyone``, ``role:…``, ``group:…`` or ``account:…`` names.

    Errors: ``InvalidInput`` for another word, or a role or group that is not there;
    ``NotFound`` for an account.
    """
    kind, _, name = text.strip().partition(":")
    if kind not in _KINDS or bool(name.strip()) == (kind == "everyone"):
        raise InvalidInput(
            "grant.subject",
            f"“{text.strip()[:80]}” names nobody: write everyone, role:viewer,"
            " group:NAME or account:NAME.",
            {"field": "subject"},
        )
    return _KINDS[kind](db, name.strip())


def group(db: Database, name: str) -> int:
    """Return the id of a group by its name. Errors: ``InvalidInput``."""
    found = db.value("select id from groups where name = ?", (name,))
    if found is None:
        known = [row["name"] for row in db.rows("select name from groups order by 1")]
        there = f"There are: {', '.join(known[:20])}." if known else "There are none."
        raise InvalidInput(
            "group.unknown",
            f"There is no group “{name[:80]}”. {there}",
            {"field": "group"},
        )
    return int(found)


def _everyone(_db: Database, _name: str) -> Party:
    return Party("everyone")


def _role(_db: Database, name: str) -> Party:
    if name not in tuple(Role):
        raise InvalidInput(
            "role.unknown",
            f"There is no role “{name[:80]}”. There are: {', '.join(Role)}.",
            {"field": "subject"},
        )
    return Party("role", role=name, name=name)


def _group(db: Database, name: str) -> Party:
    return Party("group", group(db, name), name=name)


def _account(db: Database, name: str) -> Party:
    account = people.find(db, name)
    return Party("account", account.id, name=account.username)


_KINDS: Mapping[str, Callable[[Database, str], Party]] = {
    "everyone": _everyone,
    "role": _role,
    "group": _group,
    "account": _account,
}

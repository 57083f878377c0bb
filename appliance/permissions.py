"""Who may do what: a table of roles, one check, and one SQL predicate for lists."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from appliance.errors import Forbidden, Unauthenticated


class Role(StrEnum):
    """What somebody is in this installation."""

    VIEWER = "viewer"
    CONTRIBUTOR = "contributor"
    PUBLISHER = "publisher"
    ADMINISTRATOR = "administrator"


class Action(StrEnum):
    """What can be allowed, ``noun:verb``; the meaning stands in :data:`MEANINGS`."""

    PORTAL_SEE = "portal:see"
    PLAYBACK_OPEN = "playback:open"
    STUDIO_SEE = "studio:see"
    TITLE_CREATE = "title:create"
    TITLE_EDIT_OWN = "title:edit-own"
    TITLE_EDIT = "title:edit"
    TITLE_PUBLISH = "title:publish"
    TITLE_REMOVE = "title:remove"
    JOB_CONTROL = "job:control"
    ACCOUNT_MANAGE = "account:manage"
    AUDIT_READ = "audit:read"
    KEY_MANAGE = "key:manage"
    GRANT_MANAGE = "grant:manage"
    PLAYBACK_MANAGE = "playback:manage"
    ACCESS_EXPLAIN = "access:explain"
    STORAGE_MANAGE = "storage:manage"


MEANINGS: Mapping[Action, str] = {
    Action.PORTAL_SEE: "See the portal and what is published there.",
    Action.PLAYBACK_OPEN: "Start playing a title one can see.",
    Action.STUDIO_SEE: "Open the Studio.",
    Action.TITLE_CREATE: "Create titles and upload films.",
    Action.TITLE_EDIT_OWN: "Edit the titles one created.",
    Action.TITLE_EDIT: "Edit every title.",
    Action.TITLE_PUBLISH: "Publish, unpublish and archive titles.",
    Action.TITLE_REMOVE: "Remove titles with their files.",
    Action.JOB_CONTROL: "Retry and cancel jobs.",
    Action.ACCOUNT_MANAGE: "Create, change and disable accounts.",
    Action.AUDIT_READ: "Read the audit log.",
    Action.KEY_MANAGE: "Manage content keys and the policies of licences.",
    Action.GRANT_MANAGE: "Grant and take away rights to watch.",
    Action.PLAYBACK_MANAGE: "See what everybody watches now, and stop it.",
    Action.ACCESS_EXPLAIN: "Ask why somebody may or may not watch a title.",
    Action.STORAGE_MANAGE: "See what films take up, and move them between storages.",
}

_VIEWER = frozenset({Action.PORTAL_SEE, Action.PLAYBACK_OPEN})
_CONTRIBUTOR = _VIEWER | {
    Action.STUDIO_SEE,
    Action.TITLE_CREATE,
    Action.TITLE_EDIT_OWN,
}
_PUBLISHER = _CONTRIBUTOR | {
    Action.TITLE_EDIT,
    Action.TITLE_PUBLISH,
    Action.TITLE_REMOVE,
    Action.JOB_CONTROL,
    Action.ACCESS_EXPLAIN,
}

ROLES: Mapping[Role, frozenset[Action]] = {
    Role.VIEWER: _VIEWER,
    Role.CONTRIBUTOR: _CONTRIBUTOR,
    Role.PUBLISHER: _PUBLISHER,
    Role.ADMINISTRATOR: frozenset(Action),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts: a signed-in account with its profile, or the system itself.

    ``account_id`` is None for the system and for somebody not signed in;
    ``address`` is the network address the audit log names, ``session`` the public id
    of the session that it signed in with; empty for commands.
    """

    username: str
    account_id: int | None = None
    profile_id: int | None = None
    roles: frozenset[Role] = field(default_factory=frozenset)
    address: str = ""
    session: str = ""

    @property
    def signed_in(self) -> bool:
        return self.account_id is not None

    def may(self, action: Action) -> bool:
        """Say whether a role of the actor allows ``action``."""
        return any(action in ROLES[role] for role in self.roles)


ANONYMOUS = Actor(username="anonymous")
SYSTEM = Actor(username="system", roles=frozenset({Role.ADMINISTRATOR}))


def check(actor: Actor, action: Action) -> None:
    """Let ``action`` pass or refuse it.

    Errors: ``Unauthenticated`` when nobody is signed in, ``Forbidden`` otherwise.
    """
    if actor.may(action):
        return
    if not actor.signed_in and actor is not SYSTEM:
        raise Unauthenticated("session.missing", "Please sign in first.")
    raise Forbidden(
        "permission.missing",
        f"This needs the permission “{action}”. Ask an administrator for it.",
        {"action": action.value},
    )


def check_title(actor: Actor, creator_id: int | None) -> None:
    """Let the actor edit a title that the account ``creator_id`` created."""
    own = actor.account_id is not None and actor.account_id == creator_id
    check(actor, Action.TITLE_EDIT_OWN if own else Action.TITLE_EDIT)


def visible(actor: Actor, table: str = "titles") -> tuple[str, dict[str, object]]:
    """Return the SQL predicate, with its parameters, of the titles one may see.

    Viewers see what is published; contributors also what they created; whoever may
    edit every title sees every title. Nobody signed in sees nothing.
    """
    if actor.may(Action.TITLE_EDIT):
        return "1 = 1", {}
    if actor.may(Action.TITLE_EDIT_OWN):
        return (
            f"({table}.state = 'published' or {table}.created_by = :visible_to)",
            {"visible_to": actor.account_id},
        )
    if actor.may(Action.PORTAL_SEE):
        return f"{table}.state = 'published'", {}
    return "1 = 0", {}

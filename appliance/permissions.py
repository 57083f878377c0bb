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
    ACCOUNT_OWN = "account:own"
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
    REVIEW_DECIDE = "review:decide"
    LIBRARY_MANAGE = "library:manage"
    NODE_MANAGE = "node:manage"
    TITLE_IMPORT = "title:import"
    PEOPLE_EDIT = "people:edit"
    HOME_ARRANGE = "home:arrange"
    PORTAL_BRAND = "portal:brand"
    PORTAL_ANNOUNCE = "portal:announce"
    INTEGRATION_MANAGE = "integration:manage"
    SYSTEM_SEE = "system:see"
    SYSTEM_MANAGE = "system:manage"


MEANINGS: Mapping[Action, str] = {
    Action.PORTAL_SEE: "See the portal and what is published there.",
    Action.PLAYBACK_OPEN: "Start playing a title one can see.",
    Action.ACCOUNT_OWN: "Change one's own account and its profiles.",
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
    Action.REVIEW_DECIDE: "Approve or reject the quality of films.",
    Action.LIBRARY_MANAGE: "Make and change libraries and how they encode.",
    Action.NODE_MANAGE: "See and drain media workers; test encoders.",
    Action.TITLE_IMPORT: "Import and export titles as tables, and fetch films by URL.",
    Action.PEOPLE_EDIT: "Edit people, tags and the fields of this installation.",
    Action.HOME_ARRANGE: "Arrange the rows of the home page and collections.",
    Action.PORTAL_BRAND: "Change name, logo, colours and texts of the portal.",
    Action.PORTAL_ANNOUNCE: "Announce something, and close the portal for maintenance.",
    Action.INTEGRATION_MANAGE: "Manage webhooks, e-mail and everybody's API tokens.",
    Action.SYSTEM_SEE: "See how the machines are: checks, backups, alerts, figures.",
    Action.SYSTEM_MANAGE: "Back up and restore, invite machines, change releases.",
}

CHILD = frozenset({Action.PORTAL_SEE, Action.PLAYBACK_OPEN})
"""What a child's profile may do, whatever its account may."""

_VIEWER = CHILD | {Action.ACCOUNT_OWN}
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
    Action.REVIEW_DECIDE,
    Action.TITLE_IMPORT,
    Action.PEOPLE_EDIT,
    Action.HOME_ARRANGE,
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

    ``rating_limit`` is the age up to which the profile sees titles (None: all),
    ``country`` where it is (None: nobody knows), ``scopes`` what its API token may do
    (None: whatever its roles may). With ``as_group`` it sees what members of that group
    see: a page can be looked at as somebody else.
    """

    username: str
    account_id: int | None = None
    profile_id: int | None = None
    roles: frozenset[Role] = field(default_factory=frozenset)
    address: str = ""
    session: str = ""
    rating_limit: int | None = None
    country: str | None = None
    scopes: frozenset[Action] | None = None
    as_group: int | None = None

    @property
    def signed_in(self) -> bool:
        return self.account_id is not None

    def may(self, action: Action) -> bool:
        """Say whether a role of the actor, and its token, allow ``action``."""
        if self.scopes is not None and action not in self.scopes:
            return False
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


def visible(
    actor: Actor, now: str, table: str = "titles"
) -> tuple[str, dict[str, object]]:
    """Return the SQL predicate, with its parameters, of the titles one may see.

    Viewers see what is published and available to them at ``now``; contributors also
    what they created; whoever may edit every title sees every title, but for those in
    the trash. A profile with an age limit sees nothing above it, nor what nobody
    rated, nor parts of either. Nobody signed in sees nothing.
    """
    params: dict[str, object] = {}
    clauses = [f"{table}.removed_at is null"]
    if actor.rating_limit is not None:
        clauses.append(_FOR_THE_AGE.format(table=table))
        params["visible_age"] = actor.rating_limit
    if actor.may(Action.TITLE_EDIT):
        return " and ".join(clauses), params
    if not actor.may(Action.PORTAL_SEE):
        return "1 = 0", {}
    shown = _SHOWN.format(table=table)
    params |= {
        "visible_at": now,
        "visible_to": actor.account_id,
        "visible_in": actor.country,
        "visible_as": actor.as_group,
    }
    if actor.may(Action.TITLE_EDIT_OWN):
        shown = f"({shown} or {table}.created_by = :visible_to)"
    return " and ".join([*clauses, shown]), params


_FOR_THE_AGE = """{table}.age <= :visible_age
    and (
        {table}.parent_id is null or exists (
            select 1 from titles older
            where older.id = {table}.parent_id and older.age <= :visible_age
        )
    )"""

# Own windows of an episode count instead of those of its series.
_SHOWN = """(
    {table}.state = 'published'
    and (
        {table}.parent_id is null or exists (
            select 1 from titles whole
            where whole.id = {table}.parent_id and whole.state = 'published'
        )
    )
    and (
        {table}.windowed = 0 or exists (
            select 1 from availability_windows w
            where w.title_id = coalesce(
                (
                    select own.title_id from availability_windows own
                    where own.title_id = {table}.id limit 1
                ),
                {table}.parent_id
            )
            and coalesce(w.starts_at, '') <= :visible_at
            and (w.ends_at is null or w.ends_at > :visible_at)
            and (
                w.group_id is null or w.group_id = :visible_as or w.group_id in (
                    select group_id from group_members where account_id = :visible_to
                )
            )
            and (
                w.territories = '[]' or exists (
                    select 1 from json_each(w.territories) where value = :visible_in
                )
            )
        )
    )
)"""

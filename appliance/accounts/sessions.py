"""Sessions on the server: what a cookie or a bearer token stands for.

A token is 256 random bits; the database holds only its SHA-256, so a copy of it opens
no session. A plain hash is enough here, as nobody guesses 256 bits.
"""

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum

from appliance.accounts import credentials, faces
from appliance.db import Database, Row, write
from appliance.errors import NotFound, StorageFull, TryAgain, Unauthenticated
from appliance.events import Event, record
from appliance.permissions import CHILD, Action, Actor, Role
from appliance.settings import Settings


class Kind(StrEnum):
    """What holds the token: a browser's cookie, or a program."""

    BROWSER = "browser"
    API = "api"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who calls; ``session_id`` is the public id of the session.

    Until somebody has ``profile_chosen`` the profile is the account's first one, and
    nothing may be done but choosing.
    """

    session_id: str
    account_id: int
    profile_id: int
    username: str
    display_name: str
    roles: frozenset[Role]
    language: str
    profile_name: str = ""
    avatar: str = ""
    kids: bool = False
    rating_limit: int | None = None
    profile_chosen: bool = False
    scopes: frozenset[Action] | None = None

    def actor(self, address: str, country: str | None = None) -> Actor:
        """Return the actor that the core checks and the audit log names.

        A child's profile watches, whatever the account may do besides; whoever has not
        said yet who watches may nothing at all.
        """
        scopes = self.scopes
        if self.kids:
            scopes = CHILD if scopes is None else CHILD & scopes
        return Actor(
            self.username,
            self.account_id,
            self.profile_id,
            self.roles if self.profile_chosen else frozenset(),
            address,
            self.session_id,
            self.rating_limit,
            country,
            scopes,
        )


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its owner sees it; times are UTC text."""

    id: str
    kind: Kind
    address: str
    user_agent: str
    created_at: str
    seen_at: str
    expires_at: str


def sign_in(
    db: Database,
    settings: Settings,
    username: str,
    password: str,
    otp: str | None,
    *,
    address: str,
    user_agent: str,
    kind: str = Kind.BROWSER,
    device: str = "",
    profile: str = "",
) -> tuple[str, SignedIn]:
    """Prove who it is and open a session; return its token with who signed in.

    ``profile`` is who watches, by name or public id; else who that is, is asked where
    there are several.
    Errors: ``Unauthenticated`` ("sign-in.wrong", "sign-in.disabled",
    "sign-in.otp-needed", "sign-in.otp-wrong"), ``TooManyRequests``, ``NotFound``.
    """
    proven = credentials.password(
        db, settings, username, password, address=address, device=device
    )
    if proven.needs_code:
        if not otp:
            raise Unauthenticated(
                "sign-in.otp-needed", "The code of the authenticator app is needed too."
            )
        credentials.code(db, settings, proven, otp, address=address, device=device)
    return start(
        db,
        settings,
        proven.account_id,
        address=address,
        user_agent=user_agent,
        kind=kind,
        profile=profile,
    )


def start(
    db: Database,
    settings: Settings,
    account_id: int,
    *,
    address: str,
    user_agent: str,
    kind: str = Kind.BROWSER,
    replaces: str = "",
    profile: str = "",
) -> tuple[str, SignedIn]:
    """Open a session for an account that has proved itself.

    ``replaces`` is the token that the browser held before: its session ends, so that
    one planted there is worth nothing after signing in. A program watches as
    ``profile``, else as the first one: it knows the password, which is worth more than
    any PIN. In a browser that somebody else may sit down at, who watches is asked.
    """
    token = secrets.token_urlsafe(32)
    with write(db):
        if replaces:
            _revoke(db, "token_hash = ?", (_digest(replaces),))
        watching = _Watching.of(db, account_id, Kind(kind), profile)
        _insert(db, settings, watching, token, Kind(kind), address, user_agent)
        signed_in = resolve(db, settings, token)
        if signed_in is None:
            raise Unauthenticated(
                "sign-in.disabled", "This account is disabled: ask an administrator."
            )
        event = Event.TOKEN_CREATE if kind == Kind.API else Event.SESSION_CREATE
        actor = signed_in.actor(address)
        record(db, actor, event, f"session/{signed_in.session_id}")
    return token, signed_in


def resolve(db: Database, settings: Settings, token: str) -> SignedIn | None:
    """Return who a token stands for; None when it is unknown, ended or run out.

    Runs on every request: one look-up by an index, and a write once a minute at most.
    """
    row = db.conn.execute(_RESOLVE, (_digest(token), db.now())).fetchone()
    if row is None:
        return None
    if row[7] < db.now(minutes=-1):
        _touch(db, settings, row[0], Kind(row[8]))
    roles = frozenset(map(Role, row[6].split(","))) if row[6] else frozenset()
    scopes = frozenset(map(Action, row[9].split(","))) if row[9] else None
    return SignedIn(
        row[1],
        row[2],
        row[3],
        row[4],
        row[5],
        roles,
        row[10],
        profile_name=row[11],
        avatar=row[12] or faces.usual(row[3]),
        kids=bool(row[13]),
        rating_limit=row[14],
        profile_chosen=row[15] is not None,
        scopes=scopes,
    )


def listing(db: Database, account_id: int) -> list[Session]:
    """Return the sessions of an account that still hold, last used first."""
    rows = db.rows(
        """
        select * from sessions
        where account_id = ? and revoked_at is null and expires_at > ?
        order by seen_at desc, id desc
        """,
        (account_id, db.now()),
    )
    return [_session(row) for row in rows]


def revoke(
    db: Database, actor: Actor, session_id: str, of_account: int | None = None
) -> None:
    """End a session of one's own, or as an administrator anybody's.

    Errors: ``NotFound``, also for somebody else's session, or where it is not one
    ``of_account``.
    """
    with write(db):
        row = db.one(
            """
            select kind, account_id from sessions
            where public_id = ? and account_id = coalesce(?, account_id)
                and revoked_at is null
            """,
            (session_id, of_account),
        )
        if row is None or not _may_end(actor, row["account_id"]):
            raise NotFound("session.missing", "There is no such session any more.")
        _revoke(db, "public_id = ?", (session_id,))
        api = row["kind"] == Kind.API
        event = Event.TOKEN_REVOKE if api else Event.SESSION_REVOKE
        record(db, actor, event, f"session/{session_id}")


def revoke_others(
    db: Database, actor: Actor, account_id: int, keep_session: str | None = None
) -> int:
    """End every session of an account but one; return how many those were."""
    with write(db):
        if not _may_end(actor, account_id):
            raise NotFound("session.missing", "There is no such session any more.")
        ended = _revoke(
            db,
            "account_id = ? and public_id is not ?",
            (account_id, keep_session),
        )
        if ended:
            public_id = db.value(
                "select public_id from accounts where id = ?", (account_id,)
            )
            subject = f"account/{public_id}"
            record(db, actor, Event.SESSION_REVOKE, subject, sessions=ended)
        return ended


def forget_ended(db: Database) -> None:
    """Remove sessions that ended a month ago; the audit log still tells of them."""
    with write(db):
        db.conn.execute(
            "delete from sessions where coalesce(revoked_at, expires_at) < ?",
            (db.now(days=-30),),
        )


# Few columns and no join of roles: the roles of an account are one short index range.
_RESOLVE = """
select s.id, s.public_id, s.account_id, s.profile_id, a.username, a.display_name,
    (select group_concat(role) from role_assignments where account_id = a.id),
    s.seen_at, s.kind, s.scopes, p.language, p.name, p.avatar, p.kids, p.rating_limit,
    s.profile_chosen_at
from sessions s
join accounts a on a.id = s.account_id
join profiles p on p.id = s.profile_id
where s.token_hash = ?
    and s.revoked_at is null
    and s.expires_at > ?
    and a.state = 'active'
"""


@dataclass(frozen=True, slots=True)
class _Watching:
    """Which profile a new session is of, and whether that is settled."""

    account_id: int
    profile_id: int
    chosen: bool

    @classmethod
    def of(cls, db: Database, account_id: int, kind: Kind, wish: str) -> "_Watching":
        rows = db.rows(
            """
            select id, public_id, name, pin_hash is not null as locked
            from profiles where account_id = ? order by id
            """,
            (account_id,),
        )
        if wish:
            rows = [each for each in rows if wish in (each["public_id"], each["name"])]
            if not rows:
                raise NotFound("profile.missing", "This account has no such profile.")
        alone = len(rows) == 1 and not rows[0]["locked"]
        return cls(account_id, rows[0]["id"], alone or kind is Kind.API)


def _insert(
    db: Database,
    settings: Settings,
    watching: _Watching,
    token: str,
    kind: Kind,
    address: str,
    user_agent: str,
) -> None:
    db.conn.execute(
        """
        insert into sessions (public_id, token_hash, account_id, profile_id,
            profile_chosen_at, kind, address, user_agent, created_at, seen_at,
            expires_at)
        values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        (
            secrets.token_hex(8),
            _digest(token),
            watching.account_id,
            watching.profile_id,
            db.now() if watching.chosen else None,
            kind.value,
            address,
            user_agent[:300],
            db.now(),
            db.now(),
            _expiry(db, settings, kind),
        ),
    )


def _expiry(db: Database, settings: Settings, kind: Kind) -> str:
    if kind is Kind.API:
        return db.now(hours=settings.accounts.token_hours)
    return db.now(days=settings.accounts.session_days)


def _touch(db: Database, settings: Settings, row_id: int, kind: Kind) -> None:
    """Note that a session was used; a browser's lives on from here, a token's not."""
    expiry = _expiry(db, settings, kind) if kind is Kind.BROWSER else None
    try:
        with write(db):
            db.conn.execute(
                """
                update sessions
                set seen_at = ?, expires_at = coalesce(?, expires_at)
                where id = ?
                """,
                (db.now(), expiry, row_id),
            )
    except (TryAgain, StorageFull):
        # A full disk must not keep people from watching; the next request notes it.
        return


def _may_end(actor: Actor, account_id: int) -> bool:
    return actor.account_id == account_id or actor.may(Action.ACCOUNT_MANAGE)


def _revoke(db: Database, condition: str, params: tuple[object, ...]) -> int:
    ended = db.conn.execute(
        f"""
        update sessions set revoked_at = ?
        where revoked_at is null and {condition}
        """,
        (db.now(), *params),
    )
    return ended.rowcount


def _session(row: Row) -> Session:
    return Session(
        id=row["public_id"],
        kind=Kind(row["kind"]),
        address=row["address"],
        user_agent=row["user_agent"],
        created_at=row["created_at"],
        seen_at=row["seen_at"],
        expires_at=row["expires_at"],
    )


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()

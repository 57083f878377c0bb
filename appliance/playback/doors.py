"""The doors that content keys leave by: one set of checks, one line of account each.

A licence, a raw key and a provider's licence are asked for with a token; the token names
a playback session, and the session decides: what its token was signed for an hour ago
does not count, what stands in the database now does. Whatever the answer is, one event
tells of it.

| refused because | status | code |
|---|---|---|
| no token was sent | 401 | licence.token-missing |
| the token is altered, of another film, or for another door | 403 | licence.token |
| the token has run out (clocks may disagree by ``SKEW_SECONDS``) | 410 | licence.token-expired |
| the session was ended; ``reason`` says why | 410 | licence.ended |
| the session's player was silent for too long | 410 | licence.session-expired |
| the sign-in that the session was opened from has ended | 401 | licence.signed-out |
| the viewer may not watch this now; ``reasons`` say why | 403 | licence.not-allowed |
| the title does not allow this key system | 403 | licence.key-system |
| the film is not encrypted, or its keys are retired | 404 | licence.no-keys |
| a key id is of another film, retired, or beyond the viewer's quality | 403 | licence.kid |
| a device may not keep licences of this title | 403 | licence.persistent |
| the session has had too many licences | 429 | licence.too-many |
| the content keys can't be opened here | 503 | licence.keys-unavailable |
"""  # noqa: E501 - the lines of a table

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from appliance import turns
from appliance.cenc import KeySystem
from appliance.db import Database, write
from appliance.delivery import tokens
from appliance.delivery.tokens import Keys, MediaToken, Scope
from appliance.errors import (
    Forbidden,
    Gone,
    MatineeError,
    NotFound,
    PreconditionFailed,
    TooManyRequests,
    Unauthenticated,
)
from appliance.events import Event, record
from appliance.permissions import ANONYMOUS, Actor
from appliance.playback import permission
from appliance.playback.permission import Standing
from appliance.protection import door_keys, policies
from appliance.protection.keys import ContentKey
from appliance.settings import Settings

_log = logging.getLogger("matinee.licence")


@dataclass(slots=True)
class Visit:
    """One request at a door: who asks is known once :func:`admit` has found out.

    ``about`` is what only the audit log is told of a refusal.
    """

    system: KeySystem
    address: str
    standing: Standing | None = None
    about: dict[str, object] = field(default_factory=dict)

    @property
    def actor(self) -> Actor:
        """Who the event names: nobody, as long as no token proved it."""
        found = self.standing
        if found is None:
            return Actor(username=ANONYMOUS.username, address=self.address)
        return Actor(
            found.username, found.account_id, found.profile_id, address=self.address
        )

    @property
    def subject(self) -> str:
        """What the event is about: the session, as soon as it is known."""
        if self.standing is None:
            return "playback/unknown"
        return f"playback/{self.standing.session}"


@dataclass(frozen=True, slots=True)
class Admitted:
    """A session that may have licences now; ``max_height`` is the least that counts."""

    standing: Standing
    token: MediaToken
    max_height: int | None


@contextmanager
def visit(db: Database, system: KeySystem, address: str) -> Iterator[Visit]:
    """Write the one event of a refusal, when what happens inside ends in one."""
    found = Visit(system, address)
    try:
        yield found
    except MatineeError as error:
        with write(db):
            record(
                db,
                found.actor,
                Event.LICENCE_REFUSE,
                found.subject,
                system=system.value,
                code=error.code,
                **_reasons(error),
                **found.about,
            )
        raise


def admit(
    db: Database,
    settings: Settings,
    keys: Keys,
    visit: Visit,
    text: str,
    asset: str | None = None,
) -> Admitted:
    """Let a token in: its session is live, and its viewer may watch the film now.

    ``asset`` is the public id in the address of a media token; without it ``text`` must
    be a playback token. Errors: those of the table above.
    """
    if not text:
        raise Unauthenticated(
            "licence.token-missing",
            "This door needs the token of a playback session: press Play again.",
        )
    standing = _standing(db, settings, text, visit.address)
    token = _checked(db, keys, text, standing, asset)
    visit.standing = standing
    _require_live(db, standing)
    if visit.system not in standing.key_systems:
        raise Forbidden(
            "licence.key-system",
            f"This title does not open with {visit.system}: its player must use"
            " another key system.",
        )
    caps = (standing.max_height, token.scope.max_height)
    height = min((each for each in caps if each is not None), default=None)
    return Admitted(standing, token, height)


def content(
    db: Database, settings: Settings, admitted: Admitted
) -> tuple[ContentKey, ...]:
    """Return every key of the film that is not retired, whatever its quality.

    Errors: ``NotFound`` licence.no-keys, ``PreconditionFailed``
    licence.keys-unavailable.
    """
    standing = admitted.standing
    try:
        found = door_keys.of_asset(db, settings, standing.asset_id)
    except PreconditionFailed as error:
        # Names of files and remedies are for the operator; the viewer can do nothing.
        _log.error("content keys of asset %s: %s", standing.asset, error.message)
        raise PreconditionFailed(
            "licence.keys-unavailable",
            "The keys of this film can’t be opened at the moment. Please tell whoever"
            " runs this service.",
        ) from None
    if not found:
        raise NotFound(
            "licence.no-keys", "This film is not encrypted and needs no licence."
        )
    return found


def require_persistence(db: Database, admitted: Admitted) -> None:
    """Refuse a licence to keep, where the title's policy does not allow it."""
    if not policies.effective(db, admitted.standing.policy_id).persistent:
        raise Forbidden(
            "licence.persistent",
            "This title can’t be kept on a device: watch it while connected.",
        )


def require_room(settings: Settings, standing: Standing) -> None:
    """Refuse early what :func:`issue` would refuse, before a provider is asked."""
    if standing.licences >= settings.protection.licences_per_session:
        raise _too_many()


def issue(
    db: Database,
    settings: Settings,
    visit: Visit,
    keys: Sequence[ContentKey],
    *,
    counted: bool = True,
    **data: object,
) -> None:
    """Count a licence against its session and write its event, in one transaction.

    Nothing leaves the house before this returns. Errors: ``TooManyRequests``
    licence.too-many, ``Gone`` licence.ended when it ended a moment ago.
    """
    standing = visit.standing
    assert standing is not None, "issued to nobody"
    with turns.to_write(settings.database), write(db):
        if counted and not _count(db, settings, standing.row_id):
            raise _uncounted(db, standing.row_id)
        record(
            db,
            visit.actor,
            Event.LICENCE_ISSUE,
            visit.subject,
            system=visit.system.value,
            labels=[each.label.value for each in keys],
            asset=standing.asset,
            **data,
        )


def _standing(db: Database, settings: Settings, text: str, address: str) -> Standing:
    parts = text.split(".")
    try:
        return permission.standing(
            db, settings, parts[3] if len(parts) == 6 else "", address
        )
    except NotFound:
        # Whoever makes up a session learns no more than whoever makes up a signature.
        raise _foreign() from None


def _checked(
    db: Database, keys: Keys, text: str, standing: Standing, asset: str | None
) -> MediaToken:
    now = db.clock.now()
    try:
        if asset is None:
            return tokens.check(keys, text, standing.asset, now, Scope.LICENCE)
        if asset != standing.asset:
            raise _foreign()
        return tokens.check_media(keys, text, asset, now)
    except Forbidden:
        raise _foreign() from None
    except Gone:
        expired = int(text.split(".")[2])
        raise Gone(
            "licence.token-expired",
            "The token of this playback has run out: press Play again. If this comes"
            " right after pressing Play, the clocks of the servers disagree.",
            {"expired_at": expired, "now": int(now.timestamp())},
        ) from None


def _require_live(db: Database, standing: Standing) -> None:
    if standing.ended_at is not None:
        raise _ended(standing.end_reason)
    if standing.expires_at < db.now():
        raise Gone(
            "licence.session-expired",
            "This player was silent for so long that its session ended: press Play"
            " again.",
        )
    if not standing.signed_in:
        raise Unauthenticated(
            "licence.signed-out", "You have been signed out: sign in and press Play."
        )
    if not standing.decision.allowed:
        raise Forbidden(
            "licence.not-allowed",
            standing.decision.sentence,
            standing.decision.details,
        )


def _count(db: Database, settings: Settings, row_id: int) -> bool:
    return bool(
        db.conn.execute(
            """
            update playback_sessions set licences = licences + 1
            where id = ? and ended_at is null and licences < ?
            """,
            (row_id, settings.protection.licences_per_session),
        ).rowcount
    )


def _uncounted(db: Database, row_id: int) -> MatineeError:
    reason = db.value(
        """
        select end_reason from playback_sessions
        where id = ? and ended_at is not null
        """,
        (row_id,),
    )
    return _too_many() if reason is None else _ended(reason)


def _reasons(error: MatineeError) -> dict[str, object]:
    """Return the part of an error's details that belongs into the audit log."""
    known = ("reason", "reasons")
    return {name: error.details[name] for name in known if name in error.details}


def _ended(reason: str) -> Gone:
    return Gone(
        "licence.ended",
        "This playback has ended: press Play again.",
        {"reason": reason},
    )


def _foreign() -> Forbidden:
    return Forbidden(
        "licence.token", "This token does not open this film: press Play again."
    )


def _too_many() -> TooManyRequests:
    return TooManyRequests(
        "licence.too-many",
        "This playback has asked for more licences than any player needs:"
        " press Play again.",
    )

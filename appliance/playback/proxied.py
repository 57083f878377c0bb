"""Licences of providers for playback sessions: what may be in one, and its account."""

from appliance.cenc import KeySystem
from appliance.db import Database
from appliance.errors import Forbidden, InvalidInput, MatineeError
from appliance.playback import doors
from appliance.playback.doors import Admitted, Visit
from appliance.protection import challenges, licence_services, policies, reach
from appliance.protection.keys import ContentKey
from appliance.protection.services.shapes import Issued, Wish
from appliance.settings import Settings


def wish(
    db: Database,
    settings: Settings,
    admitted: Admitted,
    system: KeySystem,
    challenge: bytes,
    soap_action: str = "",
) -> Wish:
    """Return what the provider is to be asked for: the viewer's keys, and our policy.

    Errors: ``InvalidInput`` licence.request, ``Forbidden`` licence.kid, those of
    :func:`doors.content`, ``PreconditionFailed`` licence.no-service.
    """
    standing = admitted.standing
    keys: tuple[ContentKey, ...] = ()
    if not challenge:
        raise InvalidInput("licence.request", "This licence request is empty.")
    if not challenges.is_certificate_request(system, challenge):
        of_film = doors.content(db, settings, admitted)
        keys = reach.within(of_film, admitted.max_height)
        _check(settings, system, challenge, of_film, keys)
        doors.require_room(settings, standing)
    return Wish(
        system=system,
        challenge=challenge,
        soap_action=soap_action,
        keys=keys,
        policy=policies.effective(db, standing.policy_id),
        asset=standing.asset,
        session=standing.session,
        viewer=f"account-{standing.account_id}",
        now=db.clock.now(),
    )


def licence(db: Database, settings: Settings, visit: Visit, wish: Wish) -> Issued:
    """Ask the provider, and account for what it gives.

    A request for the certificate is no start of anything: it is not counted, and only
    its failure leaves an event. A licence given back is not counted either.
    Errors: those of :func:`licence_services.obtain` and of :func:`doors.issue`.
    """
    if db.conn.in_transaction:
        raise RuntimeError("a provider was asked inside write(db)")
    try:
        issued = licence_services.obtain(settings, wish)
    except MatineeError as error:
        # Whose service it is, and what ails it, is the operator's to know.
        visit.about |= error.details
        error.details.clear()
        raise
    if wish.keys:
        doors.issue(
            db,
            settings,
            visit,
            () if issued.release else wish.keys,
            counted=not issued.release,
            provider=settings.protection.licences_from,
            **issued.facts,
        )
    return issued


def _check(
    settings: Settings,
    system: KeySystem,
    challenge: bytes,
    all_keys: tuple[ContentKey, ...],
    allowed: tuple[ContentKey, ...],
) -> None:
    """Refuse a challenge for another film, or for more than the viewer may have."""
    asked = challenges.read(system, challenge)
    if asked.opaque or asked.existing:
        return
    foreign = asked.kids - {each.kid for each in all_keys}
    beyond = asked.kids - {each.kid for each in allowed}
    chooses = licence_services.chosen(settings, system).chooses
    # A service that is told the keys gives those and no others. One that gives what is
    # asked for must be asked for nothing else, and for something that can be read.
    if foreign or (not chooses and (beyond or not asked.kids)):
        raise Forbidden(
            "licence.kid",
            "A key that was asked for does not belong to this film, or not to the"
            " quality that your account includes: press Play again.",
        )

"""Why a film does not play: rights, limits, sessions and licences."""

from collections.abc import Mapping

from flask_babel import LazyString, format_date, format_time, gettext, ngettext
from flask_babel import lazy_gettext as _

from appliance import clock
from appliance.access.evaluate import Reason
from appliance.errors import MatineeError
from web.refusals.sentences import Sentences

REASONS: Mapping[str, LazyString] = {
    Reason.ACCOUNT_DISABLED: _("This account is disabled: ask an administrator."),
    Reason.SIGNED_OUT: _("This device has been signed out: sign in again."),
    Reason.TITLE_UNAVAILABLE: _("This title is not available now."),
    Reason.NOT_ENTITLED: _("Your account does not include this title."),
    Reason.NOT_YET: _("Your right to watch this title has not begun yet."),
    Reason.NO_LONGER: _("Your right to watch this title has ended."),
    Reason.NOT_YET_AVAILABLE: _("This title can’t be watched yet."),
    Reason.NOT_IN_TERRITORY: _(
        "This title can’t be watched in the country you are in."
    ),
    Reason.TERRITORY_UNKNOWN: _(
        "This title is for some countries only, and it is not known which one you are"
        " in."
    ),
    Reason.NOT_FOR_GROUP: _("This title is for other groups than yours."),
    Reason.NO_LONGER_AVAILABLE: _("This title can no longer be watched."),
    Reason.RATING_TOO_HIGH: _("This title is not for the age of this profile."),
    Reason.RATING_UNKNOWN: _(
        "This profile has an age limit, and it is not known for which age this title"
        " is."
    ),
    Reason.STREAM_LIMIT: _(
        "As many streams play with this account as it may have at once: stop one first."
    ),
}
"""Why somebody may not watch a title, as ``Decision.reasons`` names it."""


def refused(error: MatineeError) -> str:
    """Say the weightiest reason, and when it ends to count where that is known."""
    sentence = str(REASONS[error.details["reasons"][0]])
    begins = error.details.get("begins_at")
    if begins is None:
        return sentence
    at = clock.from_text(begins)
    opening = gettext(
        "It begins on %(day)s, %(hour)s UTC.",
        day=format_date(at, "long"),
        hour=format_time(at, "short"),
    )
    return f"{sentence} {opening}"


def _limit(error: MatineeError) -> str:
    limit: int = error.details["limit"]
    if error.details["quality"] == "uhd":
        return str(
            ngettext(
                "Your account can play %(num)s film sharper than 1080p at once. Stop it"
                " to watch here.",
                "Your account can play %(num)s films sharper than 1080p at once. Stop"
                " one to watch here.",
                limit,
            )
        )
    return str(
        ngettext(
            "Your account can play %(num)s film at once. Stop it to watch here.",
            "Your account can play %(num)s films at once. Stop one to watch here.",
            limit,
        )
    )


_ANEW = _("This playback can’t go on like this: press Play again.")
_OTHER_FILM = _("This address does not open this film.")
_NOT_SET_UP = _(
    "The licence service is not set up rightly here. Please tell whoever runs this"
    " service."
)

_PLAYBACK: Sentences = {
    "playback.refused": refused,
    "playback.limit": _limit,
    "playback.missing": _("Nothing plays here any more: press Play again."),
    "playback.not-ready": _("There is no film of this title that can be played yet."),
    "playback.what": _ANEW,
    "title.no-film": _("There is no film of this title that can be played yet."),
    "asset.missing": _("There is no film of this title that can be played yet."),
    "progress.position": _("That is no place in this film."),
    "transcript.missing": _("This title has no captions to be read."),
    "media.expired": _("This address has run out: press Play again."),
    "media.missing": _("There is nothing at this address."),
    "media.token": _OTHER_FILM,
}
_LICENCES: Sentences = {
    "licence.not-allowed": refused,
    "licence.busy": _("Many licences are being asked for: try again in a moment."),
    "licence.ended": _("This playback has ended: press Play again."),
    "licence.key-system": _(
        "This title does not open in this browser: watch it in another one."
    ),
    "licence.keys-unavailable": _(
        "The keys of this film can’t be opened at the moment. Please tell whoever runs"
        " this service."
    ),
    "licence.kid": _(
        "A key that was asked for does not belong to this film, or not to the quality"
        " that your account includes: press Play again."
    ),
    "licence.no-keys": _("This film is not encrypted and needs no licence."),
    "licence.no-service": _NOT_SET_UP,
    "licence.persistent": _(
        "This title can’t be kept on a device: watch it while connected."
    ),
    "licence.provider": _("The licence service failed. Please try again later."),
    "licence.provider-refused": _(
        "The licence service refused this device. Try another browser or device."
    ),
    "licence.provider-setup": _NOT_SET_UP,
    "licence.provider-slow": _(
        "The licence service did not answer in time. Please try again."
    ),
    "licence.request": _(
        "This browser asked for a licence in a way that can’t be read."
    ),
    "licence.session-expired": _(
        "This player was silent for so long that its session ended: press Play again."
    ),
    "licence.signed-out": _("You have been signed out: sign in and press Play."),
    "licence.token": _ANEW,
    "licence.token-expired": _(
        "The token of this playback has run out: press Play again. If this comes right"
        " after pressing Play, the clocks of the servers disagree."
    ),
    "licence.token-missing": _ANEW,
    "licence.too-large": _(
        "This browser asked for a licence in a way that can’t be read."
    ),
    "licence.too-many": _(
        "This playback has asked for more licences than any player needs: press Play"
        " again."
    ),
}
SENTENCES: Sentences = {**_PLAYBACK, **_LICENCES}

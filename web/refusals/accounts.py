"""Signing in, the account with its second factor and tokens, and its profiles."""

import math

from flask_babel import gettext, ngettext
from flask_babel import lazy_gettext as _

from appliance.errors import MatineeError, NotFound
from web.refusals.sentences import Sentences

# From here on minutes are said.
_SECONDS = 100


def _session(error: MatineeError) -> str:
    if isinstance(error, NotFound):
        return str(gettext("That device is signed out already."))
    return str(gettext("Please sign in first."))


def _pause(error: MatineeError) -> str:
    wait: int = error.details["retry_after"]
    if wait < _SECONDS:
        return str(
            ngettext(
                "Too many wrong tries: wait %(num)s second and try again.",
                "Too many wrong tries: wait %(num)s seconds and try again.",
                wait,
            )
        )
    return str(
        ngettext(
            "Too many wrong tries: wait %(num)s minute and try again.",
            "Too many wrong tries: wait %(num)s minutes and try again.",
            math.ceil(wait / 60),
        )
    )


_SIGNING_IN: Sentences = {
    "session.missing": _session,
    "sign-in.wrong": _("That user name and password don’t match."),
    "sign-in.otp-wrong": _(
        "That code does not fit: each one works once. Type the one that shows now, or"
        " a recovery code."
    ),
    "sign-in.expired": _("Please sign in again."),
    "sign-in.disabled": _("This account is disabled: ask an administrator."),
    "sign-in.busy": _("Many people are signing in: try again in a moment."),
    "sign-in.pause": _pause,
    "setup.used": _("This link was used already: sign in with that account."),
    "setup.missing": _("There is nothing at this address."),
    "setup.expired": _(
        "This link has run out: run `matinee init` again for a new one."
    ),
    "account.exists": _("This user name is taken: choose another one."),
    "username.invalid": _(
        "A user name has 3 to 64 characters, begins with a letter or a digit, and"
        " holds only unaccented letters, digits, and . _ - @"
    ),
    "permission.missing": _("You may not do this. Ask an administrator."),
}
_ACCOUNT: Sentences = {
    "account.missing": _("There is no such account."),
    "display-name.invalid": _("A name has 1 to %(most)s characters that can be seen."),
    "password.wrong": _("That is not your password."),
    "password.short": _("A password has %(least)s characters or more."),
    "password.long": _("A password has %(most)s characters or fewer."),
    "password.username": _("The password must not be the user name."),
    "password.common": _(
        "That password is among the first anybody would try: three or four words that"
        " do not belong together make a good one."
    ),
    "totp.on": _("The second factor is already switched on."),
    "totp.off": _("The second factor is not switched on."),
    "totp.not-begun": _("Begin again: there is no code to confirm."),
    "totp.wrong-code": _(
        "That code does not fit: check the clock of your phone, and type the code that"
        " shows now."
    ),
    "token.missing": _("There is no such token."),
    "token.scope": _("A token may do what your account may do, and no more."),
    "token.most": _("There are %(most)s tokens: revoke one."),
    "token.name": _("Say in %(most)s characters at most what it is for."),
    "token.days": _("A token lives 1 to %(most)s days."),
    "token.*": _("Choose what it may do."),
}
_PROFILES: Sentences = {
    "profile.missing": _("There is no such profile."),
    "profile.choose": _("Say first who is watching: choose a profile."),
    "profile.locked": _("Choose this profile first: it takes a PIN to open it."),
    "profile.exists": _("There is a profile “%(name)s” already."),
    "profile.most": _("An account has %(most)s profiles at most: remove one first."),
    "profile.last": _(
        "An account keeps one profile that is not a child’s, or nobody could look"
        " after it: add another one first."
    ),
    "profile.avatar": _("Choose one of the pictures."),
    "profile.limit": _("The age limit is a whole number from 0 to %(most)s, or none."),
    "profile.kids-limit": _(
        "A child’s profile needs an age limit: say up to which age."
    ),
    "captions.language": _("Choose one of the languages."),
    "preference.invalid": _("Choose what is offered: this can’t be kept."),
    "pin.needed": _("Type the PIN."),
    "pin.wrong": _("That is not the PIN."),
    "pin.form": _("A PIN is %(least)s to %(most)s digits."),
    "pin.none": _(
        "This profile has an age limit: set a PIN for the account first, under My"
        " account, or go to a profile without a limit."
    ),
    "pin.pause": _pause,
    "history.missing": _("This is not in your history any more."),
}
SENTENCES: Sentences = {**_SIGNING_IN, **_ACCOUNT, **_PROFILES}

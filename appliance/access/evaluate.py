"""The evaluator: values in, a decision with every reason out. It reads nothing."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeVar

from appliance.access import moments
from appliance.access.availability import Window
from appliance.access.entitlements import Entitlement
from appliance.catalog.titles import TitleState

_Value = TypeVar("_Value", int, str)


class Reason(StrEnum):
    """Why somebody may not watch, the weightiest first; see :data:`SENTENCES`."""

    ACCOUNT_DISABLED = "account-disabled"
    SIGNED_OUT = "signed-out"
    TITLE_UNAVAILABLE = "title-unavailable"
    NOT_ENTITLED = "not-entitled"
    NOT_YET = "not-yet"
    NO_LONGER = "no-longer"
    NOT_YET_AVAILABLE = "not-yet-available"
    NOT_IN_TERRITORY = "not-in-territory"
    TERRITORY_UNKNOWN = "territory-unknown"
    NOT_FOR_GROUP = "not-for-group"
    NO_LONGER_AVAILABLE = "no-longer-available"
    RATING_TOO_HIGH = "rating-too-high"
    RATING_UNKNOWN = "rating-unknown"
    STREAM_LIMIT = "stream-limit"


SENTENCES: Mapping[Reason, str] = {
    Reason.ACCOUNT_DISABLED: "This account is disabled: ask an administrator.",
    Reason.SIGNED_OUT: "This device has been signed out: sign in again.",
    Reason.TITLE_UNAVAILABLE: "This title is not available now.",
    Reason.NOT_ENTITLED: "Your account does not include this title.",
    Reason.NOT_YET: "Your right to watch this title has not begun yet.",
    Reason.NO_LONGER: "Your right to watch this title has ended.",
    Reason.NOT_YET_AVAILABLE: "This title can’t be watched yet.",
    Reason.NOT_IN_TERRITORY: "This title can’t be watched in the country you are in.",
    Reason.TERRITORY_UNKNOWN: (
        "This title is for some countries only, and it is not known which one you"
        " are in."
    ),
    Reason.NOT_FOR_GROUP: "This title is for other groups than yours.",
    Reason.NO_LONGER_AVAILABLE: "This title can no longer be watched.",
    Reason.RATING_TOO_HIGH: "This title is not for the age of this profile.",
    Reason.RATING_UNKNOWN: (
        "This profile has an age limit, and it is not known for which age this title"
        " is."
    ),
    Reason.STREAM_LIMIT: (
        "As many streams play with this account as it may have at once: stop one first."
    ),
}


@dataclass(frozen=True, slots=True)
class Limits:
    """How many streams at once, how many sharper than 1080p (0: no limit), how sharp.

    ``max_height`` is in pixels; None: every quality.
    """

    streams: int = 0
    uhd_streams: int = 0
    max_height: int | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """What the decision depends on; ``now`` is UTC text as the database keeps it.

    ``may_edit``: the actor may edit the title, and so preview it whatever its state,
    without a right of their own, anywhere and in every quality; what was
    ``title_removed`` lies in the trash, where nobody plays it. ``territory`` is the
    country code of who watches, ``rating_age`` what the title's rating stands for,
    ``rating_limit`` the age of the profile; ``other_streams`` play besides this one;
    ``usual`` are the limits where no right has any.
    """

    account_active: bool
    title_state: TitleState
    may_edit: bool
    entitlements: tuple[Entitlement, ...]
    now: str
    windows: tuple[Window, ...] = ()
    territory: str | None = None
    rating_age: int | None = None
    rating_limit: int | None = None
    other_streams: int = 0
    signed_in: bool = True
    usual: Limits = Limits()
    title_removed: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes, or no with every reason, the weightiest first.

    ``rights`` and ``windows`` are those that count now, ``policy_id`` the policy of
    the best right, ``until`` when what counts now has ended, ``begins`` when it will
    be otherwise, for reasons of which that is known.
    """

    reasons: tuple[Reason, ...] = ()
    rights: tuple[Entitlement, ...] = ()
    windows: tuple[Window, ...] = ()
    limits: Limits = Limits()
    policy_id: int | None = None
    until: str | None = None
    begins: Mapping[Reason, str] = field(default_factory=dict)

    @property
    def allowed(self) -> bool:
        return not self.reasons

    @property
    def sentence(self) -> str:
        """The first reason as a sentence; empty when allowed."""
        return self.spoken(self.reasons[0]) if self.reasons else ""

    @property
    def details(self) -> dict[str, object]:
        """Every reason, and of the first when it will not count any more, if known."""
        begins = self.begins.get(self.reasons[0]) if self.reasons else None
        told: dict[str, object] = {"reasons": [each.value for each in self.reasons]}
        return told if begins is None else told | {"begins_at": begins}

    def spoken(self, reason: Reason) -> str:
        """Return a reason as a sentence, with the day it ends to count if known."""
        begins = self.begins.get(reason)
        if begins is None:
            return SENTENCES[reason]
        return f"{SENTENCES[reason]} It begins on {moments.spoken(begins)}."


def evaluate(request: Request) -> Decision:
    """Decide whether the title may be watched, and within which limits."""
    now = request.now
    rights = tuple(each for each in request.entitlements if miss_of(each, now) is None)
    windows = tuple(each for each in request.windows if not misses_of(each, request))
    best = max(rights, key=_generosity, default=None)
    limits = _limits(request, rights, windows)
    reasons = tuple(_reasons(request, rights, windows, limits))
    return Decision(
        reasons=reasons,
        rights=rights,
        windows=windows,
        limits=limits,
        policy_id=best.policy_id if best else None,
        until=_least(
            _most(each.ends_at for each in rights),
            _most(each.ends_at for each in windows),
        ),
        begins=_begins(request) if reasons else {},
    )


def miss_of(right: Entitlement, now: str) -> Reason | None:
    """Return why a right does not count at a time; None: it does."""
    if right.ends_at and right.ends_at <= now:
        return Reason.NO_LONGER
    return Reason.NOT_YET if right.starts_at and now < right.starts_at else None


def misses_of(window: Window, request: Request) -> tuple[Reason, ...]:
    """Return why a window is shut for who asks; nothing: it is open."""
    misses = []
    if window.starts_at and request.now < window.starts_at:
        misses.append(Reason.NOT_YET_AVAILABLE)
    if window.territories and request.territory is None:
        misses.append(Reason.TERRITORY_UNKNOWN)
    elif window.territories and request.territory not in window.territories:
        misses.append(Reason.NOT_IN_TERRITORY)
    if not window.for_viewer:
        misses.append(Reason.NOT_FOR_GROUP)
    if window.ends_at and window.ends_at <= request.now:
        misses.append(Reason.NO_LONGER_AVAILABLE)
    return tuple(misses)


def _reasons(
    request: Request,
    rights: tuple[Entitlement, ...],
    windows: tuple[Window, ...],
    limits: Limits,
) -> Iterator[Reason]:
    if not request.account_active:
        yield Reason.ACCOUNT_DISABLED
    if not request.signed_in:
        yield Reason.SIGNED_OUT
    if request.title_removed:
        yield Reason.TITLE_UNAVAILABLE
    if not request.may_edit:
        shown = request.title_state is TitleState.PUBLISHED
        if not shown and not request.title_removed:
            yield Reason.TITLE_UNAVAILABLE
        if not rights:
            yield from _lack_of_right(request)
        if request.windows and not windows:
            yield from _shut(request)
    # Also for those who may edit it: the limit is there for whoever sits in front.
    if request.rating_limit is not None:
        if request.rating_age is None:
            yield Reason.RATING_UNKNOWN
        elif request.rating_age > request.rating_limit:
            yield Reason.RATING_TOO_HIGH
    if 0 < limits.streams <= request.other_streams:
        yield Reason.STREAM_LIMIT


def _lack_of_right(request: Request) -> Iterator[Reason]:
    misses = {miss_of(each, request.now) for each in request.entitlements}
    if not misses:
        yield Reason.NOT_ENTITLED
    for reason in (Reason.NOT_YET, Reason.NO_LONGER):
        if reason in misses:
            yield reason


def _shut(request: Request) -> Iterable[Reason]:
    """Return what keeps every window shut, that of the nearest one first."""
    order = list(Reason)
    each_misses = sorted(
        (misses_of(each, request) for each in request.windows),
        key=lambda misses: (len(misses), [order.index(each) for each in misses]),
    )
    return dict.fromkeys(reason for misses in each_misses for reason in misses)


def _begins(request: Request) -> dict[Reason, str]:
    """Return when time alone will have opened a right, and a window."""
    rights = [
        each.starts_at
        for each in request.entitlements
        if each.starts_at and miss_of(each, request.now) is Reason.NOT_YET
    ]
    windows = [
        each.starts_at
        for each in request.windows
        if each.starts_at and misses_of(each, request) == (Reason.NOT_YET_AVAILABLE,)
    ]
    begins = {}
    if rights:
        begins[Reason.NOT_YET] = min(rights)
    if windows:
        begins[Reason.NOT_YET_AVAILABLE] = min(windows)
    return begins


def _limits(
    request: Request, rights: tuple[Entitlement, ...], windows: tuple[Window, ...]
) -> Limits:
    height = _least(
        _most(each.max_height for each in rights),
        _most(each.max_height for each in windows),
    )
    return Limits(
        streams=_streams((each.streams for each in rights), request.usual.streams),
        uhd_streams=_streams(
            (each.uhd_streams for each in rights), request.usual.uhd_streams
        ),
        max_height=None if request.may_edit else height,
    )


def _streams(limits: Iterable[int | None], usual: int) -> int:
    """Return the most generous limit that a right has; the usual one if none has."""
    own = [each for each in limits if each is not None]
    return 0 if 0 in own else max(own, default=usual)


def _generosity(right: Entitlement) -> tuple[float, str]:
    height = float("inf") if right.max_height is None else right.max_height
    return height, right.ends_at or "9"


def _most(values: Iterable[_Value | None]) -> _Value | None:
    """Return the largest; None, which is no limit, is larger than all."""
    largest = None
    for each in values:
        if each is None:
            return None
        largest = each if largest is None else max(largest, each)
    return largest


def _least(*values: _Value | None) -> _Value | None:
    return min((each for each in values if each is not None), default=None)

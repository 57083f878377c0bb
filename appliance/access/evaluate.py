"""The evaluator: values in, a decision with every reason out. It reads nothing."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from appliance.access.entitlements import Entitlement
from appliance.catalog.titles import TitleState


class Reason(StrEnum):
    """Why somebody may not watch; the sentence stands in :data:`SENTENCES`."""

    ACCOUNT_DISABLED = "account-disabled"
    TITLE_UNAVAILABLE = "title-unavailable"
    NOT_ENTITLED = "not-entitled"
    NOT_YET = "not-yet"
    NO_LONGER = "no-longer"


SENTENCES: Mapping[Reason, str] = {
    Reason.ACCOUNT_DISABLED: "This account is disabled: ask an administrator.",
    Reason.TITLE_UNAVAILABLE: "This title is not available now.",
    Reason.NOT_ENTITLED: "Your account does not include this title.",
    Reason.NOT_YET: "Your right to watch this title has not begun yet.",
    Reason.NO_LONGER: "Your right to watch this title has ended.",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What the decision depends on; ``now`` is UTC text as the database keeps it.

    ``may_edit``: the actor may edit the title, and so preview it whatever its state
    and without a right of their own.
    """

    account_active: bool
    title_state: TitleState
    may_edit: bool
    entitlements: tuple[Entitlement, ...]
    now: str


@dataclass(frozen=True, slots=True)
class Decision:
    """Yes, or no with every reason, the weightiest first."""

    allowed: bool
    reasons: tuple[Reason, ...]

    @property
    def sentence(self) -> str:
        """The first reason as a sentence; empty when allowed."""
        return SENTENCES[self.reasons[0]] if self.reasons else ""


def evaluate(request: Request) -> Decision:
    """Decide whether the title may be watched."""
    reasons = tuple(_reasons(request))
    return Decision(allowed=not reasons, reasons=reasons)


def _reasons(request: Request) -> Iterator[Reason]:
    if not request.account_active:
        yield Reason.ACCOUNT_DISABLED
    if request.may_edit:
        return
    if request.title_state is not TitleState.PUBLISHED:
        yield Reason.TITLE_UNAVAILABLE
    yield from _lack_of_right(request.entitlements, request.now)


def _lack_of_right(rights: tuple[Entitlement, ...], now: str) -> Iterator[Reason]:
    begun = [each for each in rights if not each.starts_at or each.starts_at <= now]
    if any(not each.ends_at or now < each.ends_at for each in begun):
        return
    if not rights:
        yield Reason.NOT_ENTITLED
    if len(begun) < len(rights):
        yield Reason.NOT_YET
    if begun:
        yield Reason.NO_LONGER

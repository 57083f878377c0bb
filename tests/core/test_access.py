"""Who may watch: every reason for a no is told, and a no has a reason."""

import itertools
from dataclasses import replace
from typing import Any

import pytest

from appliance.access.availability import Window
from appliance.access.entitlements import Entitlement
from appliance.access.evaluate import (
    SENTENCES,
    Decision,
    Limits,
    Reason,
    Request,
    evaluate,
)
from appliance.catalog.titles import TitleState

_NOW = "2026-01-02T12:00:00.000000Z"
_PAST = "2026-01-01T00:00:00.000000Z"
_FUTURE = "2026-02-01T00:00:00.000000Z"
_LATER = "2026-03-01T00:00:00.000000Z"


def _right(**fields: Any) -> Entitlement:
    return replace(Entitlement("r1", "plan:basic"), **fields)


def _window(*territories: str, **fields: Any) -> Window:
    return replace(Window("w1"), territories=frozenset(territories), **fields)


_ALLOWED = Request(
    account_active=True,
    title_state=TitleState.PUBLISHED,
    may_edit=False,
    entitlements=(_right(),),
    now=_NOW,
)


def _decide(**fields: Any) -> Decision:
    return evaluate(replace(_ALLOWED, **fields))


@pytest.mark.parametrize(
    ("rights", "reasons"),
    [
        ([_right()], []),
        ([_right(starts_at=_PAST, ends_at=_FUTURE)], []),
        ([_right(starts_at=_NOW)], []),
        ([_right(ends_at=_PAST), _right(starts_at=_PAST)], []),
        ([], [Reason.NOT_ENTITLED]),
        ([_right(ends_at=_NOW)], [Reason.NO_LONGER]),
        ([_right(starts_at=_FUTURE)], [Reason.NOT_YET]),
        (
            [_right(ends_at=_PAST), _right(starts_at=_FUTURE)],
            [Reason.NOT_YET, Reason.NO_LONGER],
        ),
    ],
)
def test_one_right_that_is_running_is_enough(
    rights: list[Entitlement], reasons: list[Reason]
) -> None:
    decision = _decide(entitlements=tuple(rights))

    assert list(decision.reasons) == reasons
    assert decision.allowed is not bool(reasons)


@pytest.mark.parametrize(
    ("windows", "territory", "reasons"),
    [
        ([], None, []),
        ([_window(starts_at=_PAST, ends_at=_FUTURE)], None, []),
        ([_window(starts_at=_NOW)], None, []),
        ([_window("DE", "AT")], "AT", []),
        ([_window("DE"), _window(starts_at=_PAST)], "FR", []),
        ([_window(starts_at=_FUTURE)], None, [Reason.NOT_YET_AVAILABLE]),
        ([_window(ends_at=_NOW)], None, [Reason.NO_LONGER_AVAILABLE]),
        ([_window("DE")], "FR", [Reason.NOT_IN_TERRITORY]),
        ([_window("DE")], None, [Reason.TERRITORY_UNKNOWN]),
        ([_window(for_viewer=False)], None, [Reason.NOT_FOR_GROUP]),
        (
            [_window("DE", ends_at=_PAST, for_viewer=False)],
            "FR",
            [
                Reason.NOT_IN_TERRITORY,
                Reason.NOT_FOR_GROUP,
                Reason.NO_LONGER_AVAILABLE,
            ],
        ),
        # The nearest window speaks first, whatever order they were made in.
        (
            [_window("DE", ends_at=_PAST), _window("FR", starts_at=_FUTURE)],
            "FR",
            [
                Reason.NOT_YET_AVAILABLE,
                Reason.NOT_IN_TERRITORY,
                Reason.NO_LONGER_AVAILABLE,
            ],
        ),
        (
            [_window(ends_at=_PAST), _window("DE")],
            "FR",
            [Reason.NOT_IN_TERRITORY, Reason.NO_LONGER_AVAILABLE],
        ),
    ],
)
def test_one_window_must_be_open_where_there_is_any(
    windows: list[Window], territory: str | None, reasons: list[Reason]
) -> None:
    decision = _decide(windows=tuple(windows), territory=territory)

    assert list(decision.reasons) == reasons
    assert decision.allowed is not bool(reasons)


@pytest.mark.parametrize(
    ("age", "limit", "reasons"),
    [
        (18, None, []),
        (None, None, []),
        (12, 12, []),
        (0, 0, []),
        (16, 12, [Reason.RATING_TOO_HIGH]),
        (None, 12, [Reason.RATING_UNKNOWN]),
        (None, 21, [Reason.RATING_UNKNOWN]),
    ],
)
def test_a_profile_with_an_age_limit_watches_what_is_known_to_be_below(
    age: int | None, limit: int | None, reasons: list[Reason]
) -> None:
    decision = _decide(rating_age=age, rating_limit=limit)

    assert list(decision.reasons) == reasons


def test_every_reason_is_told_and_the_weightiest_first() -> None:
    decision = _decide(
        account_active=False,
        signed_in=False,
        title_state=TitleState.ARCHIVED,
        entitlements=(),
        windows=(_window("DE", starts_at=_FUTURE),),
        rating_limit=6,
        rating_age=16,
        other_streams=1,
        usual=Limits(streams=1),
    )

    assert decision.reasons == (
        Reason.ACCOUNT_DISABLED,
        Reason.SIGNED_OUT,
        Reason.TITLE_UNAVAILABLE,
        Reason.NOT_ENTITLED,
        Reason.NOT_YET_AVAILABLE,
        Reason.TERRITORY_UNKNOWN,
        Reason.RATING_TOO_HIGH,
        Reason.STREAM_LIMIT,
    )
    assert decision.sentence == SENTENCES[Reason.ACCOUNT_DISABLED]


def test_whoever_may_edit_a_title_previews_it_everywhere_and_in_every_quality() -> None:
    anything = {
        "title_state": TitleState.DRAFT,
        "entitlements": (_right(max_height=480),),
        "windows": (_window("DE", max_height=360),),
        "may_edit": True,
    }

    assert _decide(**anything).allowed
    assert _decide(**anything).limits.max_height is None
    assert _decide(**anything, account_active=False).reasons == (
        Reason.ACCOUNT_DISABLED,
    )
    assert _decide(**anything, signed_in=False).reasons == (Reason.SIGNED_OUT,)
    assert _decide(**anything, rating_limit=6).reasons == (Reason.RATING_UNKNOWN,)


def test_a_decision_without_a_reason_is_a_yes_and_no_other_is() -> None:
    """Each condition alone and all together: 1,536 people in front of a film."""
    good_and_bad: dict[str, tuple[Any, ...]] = {
        "account_active": (True, False),
        "signed_in": (True, False),
        "title_state": (TitleState.PUBLISHED, TitleState.READY),
        "entitlements": ((_right(),), (), (_right(starts_at=_FUTURE),)),
        "windows": ((), (_window("DE"),), (_window(ends_at=_PAST),), (_window(),)),
        "territory": ("DE", None),
        "rating_age": (6, None),
        "rating_limit": (None, 12),
        "other_streams": (0, 1),
    }
    usual = Limits(streams=1)

    for values in itertools.product(*good_and_bad.values()):
        fields = dict(zip(good_and_bad, values, strict=True))
        decision = _decide(**fields, usual=usual)
        right = fields["entitlements"] == (_right(),)
        shut = fields["windows"] == (_window(ends_at=_PAST),) or (
            fields["windows"] == (_window("DE"),) and fields["territory"] is None
        )
        everything = (
            fields["account_active"]
            and fields["signed_in"]
            and fields["title_state"] is TitleState.PUBLISHED
            and right
            and not shut
            and (fields["rating_limit"] is None or fields["rating_age"] == 6)
            and fields["other_streams"] == 0
        )
        assert decision.allowed is everything
        assert decision.allowed is not bool(decision.reasons)
        assert len(set(decision.reasons)) == len(decision.reasons)
        assert bool(decision.sentence) is not decision.allowed


def test_each_thing_that_is_wrong_adds_its_reason_and_takes_none_away() -> None:
    wrong: dict[Reason, dict[str, Any]] = {
        Reason.ACCOUNT_DISABLED: {"account_active": False},
        Reason.SIGNED_OUT: {"signed_in": False},
        Reason.TITLE_UNAVAILABLE: {"title_state": TitleState.DRAFT},
        Reason.NOT_ENTITLED: {"entitlements": ()},
        Reason.NOT_IN_TERRITORY: {"windows": (_window("DE"),), "territory": "FR"},
        Reason.RATING_TOO_HIGH: {"rating_age": 18, "rating_limit": 6},
        Reason.STREAM_LIMIT: {"other_streams": 2, "usual": Limits(streams=2)},
    }

    for count in range(len(wrong) + 1):
        for chosen in itertools.combinations(wrong, count):
            fields: dict[str, Any] = {}
            for reason in chosen:
                fields |= wrong[reason]
            assert _decide(**fields).reasons == chosen


@pytest.mark.parametrize(
    ("rights", "limits"),
    [
        ([_right()], Limits(2, 1, None)),
        ([_right(streams=4, uhd_streams=2)], Limits(4, 2, None)),
        ([_right(streams=1)], Limits(1, 1, None)),
        ([_right(streams=1), _right(streams=3)], Limits(3, 1, None)),
        ([_right(streams=0), _right(streams=3)], Limits(0, 1, None)),
        ([_right(streams=9, ends_at=_PAST), _right(streams=1)], Limits(1, 1, None)),
        ([_right(max_height=720), _right(max_height=1080)], Limits(2, 1, 1080)),
        ([_right(max_height=720), _right()], Limits(2, 1, None)),
    ],
)
def test_the_most_generous_right_that_counts_sets_each_limit(
    rights: list[Entitlement], limits: Limits
) -> None:
    decision = _decide(entitlements=tuple(rights), usual=Limits(2, 1))

    assert decision.limits == limits


@pytest.mark.parametrize(
    ("right", "windows", "height"),
    [
        (1080, [_window(max_height=720)], 720),
        (720, [_window(max_height=1080)], 720),
        (None, [_window(max_height=720)], 720),
        (None, [_window(max_height=720), _window(max_height=480)], 720),
        (None, [_window(max_height=720), _window()], None),
        (None, [_window(max_height=720), _window("FR")], 720),
        (1080, [], 1080),
    ],
)
def test_the_quality_is_what_both_the_right_and_the_window_allow(
    right: int | None, windows: list[Window], height: int | None
) -> None:
    decision = _decide(
        entitlements=(_right(max_height=right),), windows=tuple(windows), territory="DE"
    )

    assert decision.limits.max_height == height


def test_the_best_right_brings_its_policy() -> None:
    weak = _right(policy_id=1, max_height=720)
    rented = _right(policy_id=2, ends_at=_FUTURE)
    bought = _right(policy_id=3)
    ended = _right(policy_id=4, ends_at=_PAST)

    assert _decide(entitlements=(ended, weak)).policy_id == 1
    assert _decide(entitlements=(ended, weak, rented)).policy_id == 2
    assert _decide(entitlements=(ended, weak, rented, bought)).policy_id == 3


def test_a_yes_says_until_when_it_holds() -> None:
    soon, later = _right(ends_at=_FUTURE), _right(ends_at=_LATER)

    assert _decide().until is None
    assert _decide(entitlements=(soon, later)).until == _LATER
    assert _decide(entitlements=(soon, _right())).until is None
    assert (
        _decide(entitlements=(later,), windows=(_window(ends_at=_FUTURE),)).until
        == _FUTURE
    )


def test_a_no_that_time_will_turn_says_when() -> None:
    early = _decide(windows=(_window(starts_at=_LATER), _window(starts_at=_FUTURE)))
    assert early.begins == {Reason.NOT_YET_AVAILABLE: _FUTURE}
    assert early.sentence == (
        "This title can’t be watched yet. It begins on 1 February 2026, 00:00 UTC."
    )

    promised = _decide(entitlements=(_right(starts_at=_FUTURE),))
    assert promised.begins == {Reason.NOT_YET: _FUTURE}

    elsewhere = _decide(windows=(_window("DE", starts_at=_FUTURE),), territory="FR")
    assert Reason.NOT_YET_AVAILABLE in elsewhere.reasons
    assert elsewhere.begins == {}, "that day opens nothing for who asks"


def test_every_reason_has_a_sentence() -> None:
    assert list(SENTENCES) == list(Reason)
    assert all(each.endswith(".") for each in SENTENCES.values())

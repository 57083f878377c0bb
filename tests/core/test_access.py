"""Who may watch: every reason for a no is told."""

import itertools

import pytest

from appliance.access import entitlements
from appliance.access.entitlements import Entitlement
from appliance.access.evaluate import SENTENCES, Reason, Request, evaluate
from appliance.catalog.titles import TitleState
from appliance.db import Database
from tests.builders import Builders

_NOW = "2026-01-02T12:00:00.000000Z"
_PAST = "2026-01-01T00:00:00.000000Z"
_FUTURE = "2026-02-01T00:00:00.000000Z"


def _right(starts: str | None = None, ends: str | None = None) -> Entitlement:
    return Entitlement("r1", "plan:basic", starts, ends)


def _request(
    *rights: Entitlement,
    active: bool = True,
    state: TitleState = TitleState.PUBLISHED,
    may_edit: bool = False,
) -> Request:
    return Request(
        account_active=active,
        title_state=state,
        may_edit=may_edit,
        entitlements=rights,
        now=_NOW,
    )


@pytest.mark.parametrize(
    ("rights", "reasons"),
    [
        ([_right()], []),
        ([_right(starts=_PAST, ends=_FUTURE)], []),
        ([_right(starts=_NOW)], []),
        ([_right(ends=_PAST), _right(starts=_PAST)], []),
        ([], [Reason.NOT_ENTITLED]),
        ([_right(ends=_NOW)], [Reason.NO_LONGER]),
        ([_right(starts=_FUTURE)], [Reason.NOT_YET]),
        (
            [_right(ends=_PAST), _right(starts=_FUTURE)],
            [Reason.NOT_YET, Reason.NO_LONGER],
        ),
    ],
)
def test_one_right_that_is_running_is_enough(
    rights: list[Entitlement], reasons: list[Reason]
) -> None:
    decision = evaluate(_request(*rights))

    assert list(decision.reasons) == reasons
    assert decision.allowed is not bool(reasons)


def test_every_reason_is_told_and_the_weightiest_first() -> None:
    decision = evaluate(_request(active=False, state=TitleState.ARCHIVED))

    assert decision.reasons == (
        Reason.ACCOUNT_DISABLED,
        Reason.TITLE_UNAVAILABLE,
        Reason.NOT_ENTITLED,
    )
    assert decision.sentence == SENTENCES[Reason.ACCOUNT_DISABLED]


def test_whoever_may_edit_a_title_may_preview_it_unless_disabled() -> None:
    assert evaluate(_request(state=TitleState.DRAFT, may_edit=True)).allowed
    refused = evaluate(_request(active=False, may_edit=True))
    assert refused.reasons == (Reason.ACCOUNT_DISABLED,)


def test_a_viewer_needs_a_published_title_a_right_and_an_account() -> None:
    choices = itertools.product((True, False), TitleState, ([_right()], []))
    for active, state, rights in choices:
        decision = evaluate(_request(*rights, active=active, state=state))
        everything = active and state is TitleState.PUBLISHED and bool(rights)
        assert decision.allowed is everything
        assert decision.allowed is not bool(decision.reasons)


def test_every_reason_has_a_sentence() -> None:
    assert set(SENTENCES) == set(Reason)


def test_rights_come_from_everyone_the_account_and_its_groups(
    db: Database, make: Builders
) -> None:
    title, other = make.title(), make.title()
    ada, ben = make.actor(), make.actor()
    db.conn.execute("insert into groups values (1, 'g1', 'Training')")
    db.conn.execute("insert into group_members values (1, ?)", (ada.account_id,))
    db.conn.execute("delete from entitlements")
    for subject, subject_id, target, object_id, source in (
        ("everyone", None, "title", other.id, "gift"),
        ("account", ada.account_id, "title", title.id, "voucher"),
        ("group", 1, "all", None, "department"),
        ("group", 2, "all", None, "another department"),
        ("account", ben.account_id, "title", other.id, "voucher"),
    ):
        db.conn.execute(
            """
            insert into entitlements
                (subject, subject_id, object, object_id, source, created_at)
            values (?, ?, ?, ?, ?, ?)
            """,
            (subject, subject_id, target, object_id, source, db.now()),
        )

    def sources(account_id: int | None, title_id: int) -> list[str]:
        assert account_id is not None
        found = entitlements.applying(db, account_id, title_id)
        return [each.source for each in found]

    assert sources(ada.account_id, title.id) == ["voucher", "department"]
    assert sources(ada.account_id, other.id) == ["gift", "department"]
    assert sources(ben.account_id, title.id) == []
    assert sources(ben.account_id, other.id) == ["gift", "voucher"]


def test_a_new_installation_lets_everyone_watch_everything(
    db: Database, make: Builders
) -> None:
    actor = make.actor()
    assert actor.account_id is not None

    found = entitlements.applying(db, actor.account_id, make.title().id)

    assert [each.source for each in found] == ["installation"]

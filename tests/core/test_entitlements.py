"""Rights to watch: granted, listed and taken away; nonsense is refused in words."""

from typing import Any

import pytest

from appliance.access import entitlements
from appliance.catalog import titles
from appliance.db import Database
from appliance.errors import Forbidden, InvalidInput, NotFound
from appliance.events import Event, since
from appliance.permissions import SYSTEM, Actor, Role
from appliance.storage import Storage
from tests.builders import Builders


@pytest.fixture
def ada(make: Builders) -> Actor:
    return make.actor(Role.VIEWER, username="ada")


@pytest.fixture(autouse=True)
def nothing_granted(db: Database) -> None:
    """Take away the right of everybody that a new installation has."""
    for each in entitlements.listing(db):
        entitlements.withdraw(db, SYSTEM, each.id)


def _group(db: Database, name: str, *members: Actor) -> None:
    group = db.conn.execute(
        "insert into groups (public_id, name) values (?, ?)", (name.lower(), name)
    ).lastrowid
    for each in members:
        db.conn.execute(
            "insert into group_members values (?, ?)", (group, each.account_id)
        )


def _sources(db: Database, actor: Actor, title_id: int) -> list[str]:
    assert actor.account_id is not None
    found = entitlements.applying(db, actor.account_id, title_id)
    return [each.source for each in found]


def test_rights_come_from_everyone_a_role_a_group_and_the_account(
    db: Database, make: Builders, ada: Actor
) -> None:
    title, other = make.title(), make.title()
    ben = make.actor(Role.PUBLISHER, username="ben")
    _group(db, "Training", ada)
    _group(db, "Sales")

    for subject, slug in (
        ("everyone", other.slug),
        ("account:ada", title.slug),
        ("group:Training", None),
        ("group:Sales", None),
        ("role:publisher", title.slug),
        ("account:ben", other.slug),
    ):
        entitlements.grant(db, SYSTEM, subject, slug)

    assert _sources(db, ada, title.id) == ["assignment:ada", "group:Training"]
    assert _sources(db, ada, other.id) == ["installation", "group:Training"]
    assert _sources(db, ben, title.id) == ["role:publisher"]
    assert _sources(db, ben, other.id) == ["installation", "assignment:ben"]


def test_a_right_follows_whoever_joins_a_role_or_a_group(
    db: Database, make: Builders, ada: Actor
) -> None:
    title = make.title()
    _group(db, "Training")
    entitlements.grant(db, SYSTEM, "group:Training")
    entitlements.grant(db, SYSTEM, "role:contributor")
    assert _sources(db, ada, title.id) == []

    db.conn.execute("insert into group_members values (1, ?)", (ada.account_id,))
    db.conn.execute(
        "insert into role_assignments (account_id, role) values (?, 'contributor')",
        (ada.account_id,),
    )

    assert _sources(db, ada, title.id) == ["group:Training", "role:contributor"]


def test_a_right_keeps_its_time_its_limits_and_its_policy(
    db: Database, make: Builders, ada: Actor
) -> None:
    title = make.title()
    db.conn.execute(
        """
        insert into licence_policies (id, name, document, created_at, updated_at)
        values (7, 'Rental', '{}', '', '')
        """
    )

    granted = entitlements.grant(
        db,
        SYSTEM,
        "account:ADA",
        title.slug,
        source="voucher:SPRING",
        starts_at="2026-02-01",
        ends_at="2026-03-01T20:00+01:00",
        streams=0,
        uhd_streams=1,
        max_height=720,
        policy="rental",
    )

    assert granted.subject == "account:ada"
    assert granted.title == title.slug
    assert granted.policy == "Rental"
    assert ada.account_id is not None
    (right,) = entitlements.applying(db, ada.account_id, title.id)
    assert right == entitlements.Entitlement(
        granted.id,
        "voucher:SPRING",
        "2026-02-01T00:00:00.000000Z",
        "2026-03-01T19:00:00.000000Z",
        0,
        1,
        720,
        7,
    )
    assert since(db)[-1].name == Event.GRANT_CREATE
    assert since(db)[-1].data == {
        "whose": "account:ada",
        "title": title.slug,
        "collection": None,
        "source": "voucher:SPRING",
    }


@pytest.mark.parametrize(
    ("subject", "fields", "says"),
    [
        ("nobody", {}, "names nobody"),
        ("account", {}, "names nobody"),
        ("everyone:ada", {}, "names nobody"),
        ("", {}, "names nobody"),
        ("role:emperor", {}, "viewer, contributor, publisher, administrator"),
        ("group:Nowhere", {}, "There is no group “Nowhere”. There are none."),
        ("everyone", {"source": "somewhere"}, "plan:NAME"),
        ("everyone", {"source": "plan:"}, "plan:NAME"),
        ("everyone", {"starts_at": "tomorrow"}, "“tomorrow” is no time"),
        ("everyone", {"ends_at": "2026-02-30"}, "is no time"),
        ("everyone", {"starts_at": "0001-01-01T00:00+23:00"}, "is no time"),
        (
            "everyone",
            {"starts_at": "2026-02-01", "ends_at": "2026-02-01"},
            "end before it begins",
        ),
        ("everyone", {"streams": -1}, "from 0 to 1,000"),
        ("everyone", {"uhd_streams": 1001}, "from 0 to 1,000"),
        ("everyone", {"max_height": 0}, "from 1 to 10,000"),
        ("everyone", {"policy": "Nothing"}, "no policy “Nothing”"),
    ],
)
def test_nonsense_is_refused_with_what_would_do(
    db: Database, subject: str, fields: dict[str, Any], says: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        entitlements.grant(db, SYSTEM, subject, **fields)

    assert says in refused.value.message
    assert entitlements.listing(db) == []


def test_accounts_and_titles_that_are_not_there_are_not_found(db: Database) -> None:
    with pytest.raises(NotFound, match="no account “nobody”"):
        entitlements.grant(db, SYSTEM, "account:nobody")
    with pytest.raises(NotFound, match="no title “nothing”"):
        entitlements.grant(db, SYSTEM, "everyone", "nothing")
    with pytest.raises(NotFound, match="no right “ffff”"):
        entitlements.withdraw(db, SYSTEM, "ffff")


@pytest.mark.parametrize("role", [Role.VIEWER, Role.CONTRIBUTOR, Role.PUBLISHER])
def test_only_administrators_grant_and_withdraw(
    db: Database, make: Builders, role: Role
) -> None:
    granted = entitlements.grant(db, SYSTEM, "everyone")
    somebody = make.actor(role)

    with pytest.raises(Forbidden):
        entitlements.grant(db, somebody, "everyone")
    with pytest.raises(Forbidden):
        entitlements.withdraw(db, somebody, granted.id)

    assert [each.id for each in entitlements.listing(db)] == [granted.id]


def test_a_withdrawn_right_is_gone_and_the_log_tells_of_it(
    db: Database, make: Builders, ada: Actor
) -> None:
    title = make.title()
    granted = entitlements.grant(db, SYSTEM, "account:ada", title.slug)

    gone = entitlements.withdraw(db, SYSTEM, granted.id)

    assert gone == granted
    assert _sources(db, ada, title.id) == []
    assert since(db)[-1].name == Event.GRANT_END
    assert since(db)[-1].subject == f"grant/{granted.id}"


def test_rights_are_listed_of_a_subject_or_a_title(
    db: Database, make: Builders, ada: Actor
) -> None:
    title = make.title()
    mine = entitlements.grant(db, SYSTEM, "account:ada", title.slug)
    every = entitlements.grant(db, SYSTEM, "everyone")

    assert set(entitlements.listing(db)) == {mine, every}
    assert entitlements.listing(db, "account:Ada") == [mine]
    assert entitlements.listing(db, title=title.slug) == [mine]
    assert entitlements.listing(db, "everyone", title.slug) == []


def test_a_right_goes_with_what_it_was_for(
    db: Database, make: Builders, storage: Storage, ada: Actor
) -> None:
    """Else a title or a group that is made later could inherit it by its number."""
    title = make.title()
    _group(db, "Training", ada)
    entitlements.grant(db, SYSTEM, "everyone", title.slug)
    entitlements.grant(db, SYSTEM, "group:Training")
    entitlements.grant(db, SYSTEM, "account:ada")

    titles.remove(db, storage, SYSTEM, title.slug)
    assert [each.subject for each in entitlements.listing(db)] == [
        "group:Training",
        "account:ada",
    ]
    db.conn.execute("delete from groups")
    db.conn.execute("delete from accounts where username = 'ada'")
    assert entitlements.listing(db) == []


def test_many_subscribers_do_not_slow_the_look_up(db: Database) -> None:
    plan = db.rows(
        f"explain query plan {entitlements._APPLYING}",
        {"account": 1, "title": 1, "whole": None},
    )

    details = [row["detail"] for row in plan]
    written = ("SCAN CONSTANT ROW", "SCAN objects", "SCAN subjects")
    assert not [e for e in details if e.startswith("SCAN") and e not in written]
    assert [each for each in details if each.startswith("SEARCH e ")] == [
        "SEARCH e USING INDEX entitlements_object"
        " (object=? AND object_id=? AND subject=? AND subject_id=?)"
    ]


def test_a_title_called_all_is_one_title(
    db: Database, make: Builders, ada: Actor
) -> None:
    title, other = make.title("All", slug="all"), make.title()

    granted = entitlements.grant(db, SYSTEM, "everyone", "all")

    assert granted.title == "all"
    assert _sources(db, ada, title.id) == ["installation"]
    assert _sources(db, ada, other.id) == []

"""Releases to come after this tree: one with more in the database, one unwell."""

from pathlib import Path

from tests.host import releases

NEWER, UNWELL = "99.1.0", "99.2.0"

_LATER = '''

@migrations()
def later(db: sqlite_utils.Database) -> None:
    """What a release to come would add."""
    db.conn.execute(
        "create table later (id integer primary key, told text default '') strict"
    )
'''


def with_another_table(tree: Path) -> None:
    """Let a staged tree have a migration more."""
    path = tree / "appliance" / "migrations.py"
    path.write_text(path.read_text() + _LATER)


def never_ready(tree: Path) -> None:
    """Let the portal of a staged tree say that it is not ready, whatever happens."""
    with_another_table(tree)
    path = tree / "web" / "playback" / "health.py"
    text = path.read_text()
    asked = "    settings = context.settings()\n"
    assert asked in text
    refusal = '    raise PreconditionFailed("release.test", "It is not ready.")\n'
    path.write_text(text.replace(asked, refusal + asked, 1))


def newer() -> Path:
    """Return the bundle of a release that is well."""
    return releases.of_tree(NEWER, with_another_table)


def unwell() -> Path:
    """Return the bundle of a release that is not."""
    return releases.of_tree(UNWELL, never_ready)

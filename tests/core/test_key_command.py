"""``matinee key``: keys are listed without being shown, moved without being lost."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance import events
from appliance.cenc import KeySystem, Label, Scheme
from appliance.db import Database, write
from appliance.delivery import tokens
from appliance.errors import Forbidden, InvalidInput
from appliance.events import Event
from appliance.media import jobs
from appliance.media.assets import Asset
from appliance.media.jobs import JobKind
from appliance.permissions import SYSTEM, Role
from appliance.protection import export as exports
from appliance.protection import keys
from appliance.protection.keys import ContentKey
from appliance.settings import Settings
from tests.builders import Builders
from tests.conftest import Matinee

PASSPHRASE = "a long enough passphrase"

Made = tuple[ContentKey, ...]


@pytest.fixture
def asset(make: Builders) -> Asset:
    return make.asset(make.title("The River", slug="the-river"))


@pytest.fixture
def made(db: Database, settings: Settings, asset: Asset) -> Made:
    labels, systems = (Label.AUDIO, Label.SD), (KeySystem.CLEARKEY,)
    return keys.ensure(db, settings, SYSTEM, asset, labels, Scheme.CBCS, systems)


@pytest.fixture
def exported(matinee: Matinee, made: Made, tmp_path: Path) -> Path:
    """An export of the keys, under :data:`PASSPHRASE`."""
    path = tmp_path / "keys.json"
    result = matinee("key", "export", str(path), "--passphrase-stdin", stdin=PASSPHRASE)
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def bring(matinee: Matinee) -> Callable[..., dict[str, object]]:
    """Import a file and return the report."""

    def run(path: Path) -> dict[str, object]:
        command = ("key", "import", str(path), "--passphrase-stdin", "--json")
        result = matinee(*command, stdin=PASSPHRASE)
        assert result.exit_code == 0, result.output
        report: dict[str, object] = json.loads(result.stdout)
        return report

    return run


Bring = Callable[[Path], dict[str, object]]


def test_keys_are_listed_by_kid_and_not_shown(
    matinee: Matinee, made: Made, asset: Asset
) -> None:
    listed = matinee("key", "list", "--title", "the-river", "--json")
    table = matinee("key", "list")

    first = json.loads(listed.stdout)[0]
    assert first["kid"] == made[0].kid
    assert (first["asset"], first["label"]) == (asset.public_id, "AUDIO")
    assert (first["scheme"], first["generation"]) == ("cbcs", 1)
    assert (first["provider"], first["state"]) == ("local", "live")
    assert made[0].kid in table.stdout
    for key in made:
        assert key.key.hex() not in listed.output + table.output


def test_a_title_that_is_not_there_has_no_list(matinee: Matinee) -> None:
    assert matinee("key", "list", "--title", "nothing").exit_code == 4


def test_rotating_content_says_which_file_is_in_use(
    matinee: Matinee, db: Database, settings: Settings, asset: Asset, made: Made
) -> None:
    result = matinee("key", "rotate", "content", "--yes", "--json")

    assert json.loads(result.stdout) == {
        "kind": "content",
        "wrapped": 2,
        "in_use": "content-2",
        "files": ["content-2.key"],
    }
    assert keys.of_asset(db, settings, asset.id) == made


def test_rotating_media_keeps_the_addresses_that_were_handed_out(
    matinee: Matinee, db: Database, settings: Settings
) -> None:
    before = tokens.load(settings.keys)

    result = matinee("key", "rotate", "media", "--yes")

    assert "media-2.key signs now" in result.stdout
    after = tokens.load(settings.keys)
    assert after.current == "2"
    assert after.secrets["1"] == before.secrets["1"]
    (told,) = events.since(db)
    assert (told.name, told.subject) == (Event.KEY_ROTATE, "media-key/2")


@pytest.mark.parametrize("kind", ["content", "media"])
def test_nothing_is_rotated_unasked(
    matinee: Matinee, settings: Settings, kind: str
) -> None:
    result = matinee("key", "rotate", kind)

    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert not settings.keys.exists()


def test_a_lost_key_ends_a_command_with_what_to_restore(
    matinee: Matinee, settings: Settings, made: Made, tmp_path: Path
) -> None:
    (settings.keys / "content-1.key").unlink()

    for command in (
        ("key", "rotate", "--yes"),
        ("key", "export", str(tmp_path / "e"), "--passphrase-stdin"),
    ):
        result = matinee(*command, stdin=PASSPHRASE)
        assert result.exit_code == 3
        assert "restore content-1.key" in result.stderr
    assert not (tmp_path / "e").exists()
    assert list(settings.keys.iterdir()) == []


def test_an_export_is_for_its_owner_and_shows_no_key(
    exported: Path, made: Made, db: Database
) -> None:
    assert exported.stat().st_mode & 0o777 == 0o600
    text = exported.read_text()
    head = json.loads(text)
    assert (head["kind"], head["version"]) == ("matinee content keys", 1)
    for key in made:
        assert key.kid not in text
        assert key.key.hex() not in text
    (told,) = [each for each in events.since(db) if each.name == Event.KEY_EXPORT]
    assert (told.subject, told.data) == (f"export/{head['id']}", {"keys": 2})


def test_an_export_overwrites_nothing(
    matinee: Matinee, made: Made, tmp_path: Path
) -> None:
    path, link = tmp_path / "keys.json", tmp_path / "link.json"
    path.write_text("precious")
    link.symlink_to(tmp_path / "nowhere")

    for each in (path, link):
        command = ("key", "export", str(each), "--passphrase-stdin")
        assert matinee(*command, stdin=PASSPHRASE).exit_code == 3
    assert path.read_text() == "precious"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("passphrase", ["", "\n", "elevenchars"])
def test_a_short_passphrase_is_refused(
    matinee: Matinee, made: Made, tmp_path: Path, passphrase: str
) -> None:
    path = tmp_path / "keys.json"

    command = ("key", "export", str(path), "--passphrase-stdin")
    result = matinee(*command, stdin=passphrase)

    assert result.exit_code == 2
    assert not path.exists()


def test_without_a_terminal_the_passphrase_comes_from_standard_input(
    matinee: Matinee, made: Made, tmp_path: Path
) -> None:
    result = matinee("key", "export", str(tmp_path / "keys.json"))

    assert result.exit_code == 2
    assert "--passphrase-stdin" in result.stderr


def test_keys_that_are_here_already_stay(
    db: Database,
    settings: Settings,
    asset: Asset,
    made: Made,
    exported: Path,
    bring: Bring,
) -> None:
    assert bring(exported) == {
        "imported": 0,
        "present": 2,
        "repaired": 0,
        "unknown": [],
    }
    assert keys.of_asset(db, settings, asset.id) == made


def test_keys_come_back_into_a_database_that_lacks_them(
    db: Database,
    settings: Settings,
    asset: Asset,
    made: Made,
    exported: Path,
    bring: Bring,
) -> None:
    with write(db):
        db.conn.execute("delete from content_keys")

    report = bring(exported)

    assert (report["imported"], report["present"]) == (2, 0)
    assert keys.of_asset(db, settings, asset.id) == made


def test_keys_of_assets_that_are_not_here_are_named(
    db: Database, asset: Asset, exported: Path, bring: Bring
) -> None:
    with write(db):
        db.conn.execute("delete from assets")

    report = bring(exported)

    assert (report["imported"], report["unknown"]) == (0, [asset.public_id])
    assert keys.listing(db) == []


@pytest.mark.parametrize("content", [None, "ab" * 32])
def test_an_import_mends_what_a_lost_or_wrong_key_has_closed(
    db: Database,
    settings: Settings,
    asset: Asset,
    made: Made,
    exported: Path,
    bring: Bring,
    content: str | None,
) -> None:
    path = settings.keys / "content-1.key"
    path.unlink()
    if content:
        path.write_text(content)

    assert bring(exported)["repaired"] == 2

    assert keys.of_asset(db, settings, asset.id) == made
    assert {row.kek.partition(":")[0] for row in keys.listing(db)} == {"content-2"}


def test_an_import_mends_a_damaged_row(
    db: Database,
    settings: Settings,
    asset: Asset,
    made: Made,
    exported: Path,
    bring: Bring,
) -> None:
    with write(db):
        db.conn.execute(
            "update content_keys set wrapped = zeroblob(44) where label = 'SD'"
        )

    report = bring(exported)

    assert (report["repaired"], report["present"]) == (1, 1)
    assert keys.of_asset(db, settings, asset.id) == made


def test_an_import_replaces_no_key_by_another(
    db: Database,
    settings: Settings,
    make: Builders,
    asset: Asset,
    made: Made,
    exported: Path,
    matinee: Matinee,
) -> None:
    with write(db):
        db.conn.execute("delete from content_keys")
    labels, systems = (Label.SD,), (KeySystem.CLEARKEY,)
    ours = keys.ensure(db, settings, SYSTEM, asset, labels, Scheme.CBCS, systems)

    command = ("key", "import", str(exported), "--passphrase-stdin")
    result = matinee(*command, stdin=PASSPHRASE)

    assert result.exit_code == 3
    assert made[1].kid in result.stderr
    assert keys.of_asset(db, settings, asset.id) == ours


def test_a_wrong_passphrase_imports_nothing(
    matinee: Matinee, db: Database, exported: Path
) -> None:
    with write(db):
        db.conn.execute("delete from content_keys")

    command = ("key", "import", str(exported), "--passphrase-stdin")
    result = matinee(*command, stdin="another long passphrase")

    assert result.exit_code == 2
    assert "passphrase is wrong, or the file was damaged" in result.stderr
    assert keys.listing(db) == []


def _altered(text: str, name: str, value: object) -> str:
    return json.dumps(json.loads(text) | {name: value})


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: '{"kind": "matinee content keys", "version": 1}',
        lambda text: "[" * 100_000,
        lambda text: _altered(text, "version", 2),
        lambda text: _altered(text, "made_at", "2030-01-01T00:00:00Z"),
        lambda text: _altered(text, "salt", "00" * 16),
        lambda text: _altered(text, "nonce", ""),
        lambda text: _altered(text, "nonce", 7),
        lambda text: _altered(text, "sealed", "AAAA"),
        lambda text: _altered(text, "sealed", "no base64!"),
    ],
)
def test_a_damaged_export_imports_nothing(
    matinee: Matinee, db: Database, exported: Path, damage: Callable[[str], str]
) -> None:
    with write(db):
        db.conn.execute("delete from content_keys")
    exported.write_text(damage(exported.read_text()))

    command = ("key", "import", str(exported), "--passphrase-stdin")
    result = matinee(*command, stdin=PASSPHRASE)

    assert result.exit_code == 2, result.output
    assert "export" in result.stderr
    assert keys.listing(db) == []


def test_a_file_that_is_not_there_or_no_text_is_refused(
    matinee: Matinee, tmp_path: Path
) -> None:
    binary = tmp_path / "film.mp4"
    binary.write_bytes(b"\x00\xff\xfe")

    for path, code in ((tmp_path / "nothing", 4), (binary, 2)):
        command = ("key", "import", str(path), "--passphrase-stdin")
        assert matinee(*command, stdin=PASSPHRASE).exit_code == code


def test_only_administrators_export_and_import(
    db: Database, settings: Settings, make: Builders, exported: Path
) -> None:
    publisher = make.actor(Role.PUBLISHER)

    with pytest.raises(Forbidden):
        exports.export(db, settings, publisher, PASSPHRASE)
    with pytest.raises(Forbidden):
        exports.restore(db, settings, publisher, exported.read_text(), PASSPHRASE)
    with pytest.raises(InvalidInput):
        exports.export(db, settings, SYSTEM, "too short")


def test_the_keys_of_a_title_are_replaced_by_a_job(
    matinee: Matinee, db: Database, make: Builders
) -> None:
    film = make.title("The River", slug="the-river", protected=True)
    make.asset(film)

    unasked = matinee("key", "replace", "the-river")
    result = matinee("key", "replace", "the-river", "--yes", "--json")
    again = matinee("key", "replace", "the-river", "--yes", "--json")

    assert unasked.exit_code == 2
    started = json.loads(result.stdout)
    assert started["title"] == "the-river"
    job = jobs.by_public_id(db, started["job"])
    assert job.open
    assert job.kind is JobKind.REENCRYPT
    assert json.loads(again.stdout) == started
    assert matinee("key", "replace", "nothing", "--yes").exit_code == 4


def test_a_film_that_is_not_encrypted_has_no_keys_to_replace(
    matinee: Matinee, asset: Asset
) -> None:
    result = matinee("key", "replace", "the-river", "--yes")

    assert result.exit_code == 3
    assert "not protected" in result.stderr


def test_the_doctor_knows_whether_every_key_opens(
    matinee: Matinee, db: Database, settings: Settings, made: Made
) -> None:
    def finding() -> dict[str, str]:
        checks = json.loads(matinee("doctor", "--json").stdout)["checks"]
        (found,) = [each for each in checks if each["id"] == "keys.content"]
        answer: dict[str, str] = found
        return answer

    assert finding()["level"] == "ok"
    with write(db):
        db.conn.execute("update content_keys set wrapped = x'00' where label = 'SD'")
    assert finding()["level"] == "fail"
    assert made[1].kid in finding()["sentence"]
    assert "the-river" in finding()["sentence"]
    (settings.keys / "content-1.key").unlink()
    assert finding()["level"] == "fail"
    assert "content-1.key" in finding()["sentence"]
    assert str(settings.keys) in finding()["fix"]

"""What every test may ask for: a home, a time that stands still, builders, a client."""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer
from jinja2 import BytecodeCache, FileSystemBytecodeCache
from playwright.sync_api import Browser

from appliance import db as database
from appliance import migrations
from appliance.accounts import sessions
from appliance.cli import main
from appliance.clock import FixedClock
from appliance.db import Database
from appliance.permissions import Actor, Role
from appliance.settings import Settings
from appliance.storage import Storage
from tests.browser.chromium import launched
from tests.builders import Builders
from tests.host import object_server
from tests.host.mounts import Mounts
from tests.host.object_server import ObjectServer
from web import create_app, guard

SignIn = Callable[..., Actor]
Matinee = Callable[..., Result]

# Files of a minute and more, what encodes beside what waits. What comes last is short,
# so that nobody waits for one at the end.
_LONGEST_FIRST = (
    "host/test_appliance_install.py",
    "pipeline/test_exchange.py",
    "browser/test_edge_playback.py",
    "pipeline/test_chaos.py",
    "browser/test_accessibility.py",
    "host/test_backup_places.py",
    "pipeline/test_quality_checks.py",
    "pipeline/test_cluster.py",
    "host/test_nginx_playing.py",
    "pipeline/test_breaker.py",
    "browser/test_upload.py",
    "journeys/test_protected_film.py",
    "host/test_standby.py",
    "host/test_make_run.py",
    "journeys/test_first_film.py",
    "host/test_disaster.py",
    "pipeline/test_many_workers.py",
    "host/test_cdn_playing.py",
    "pipeline/test_troubles.py",
)

# Where Linux keeps files in memory, and what must be free there and left to programs.
_MEMORY = Path("/dev/shm")
_ROOM = 4 * 1024**3


def pytest_configure() -> None:
    """Let what tests write lie in memory where there is room: no disk is waited for.

    All is as on a disk, also what outlives a killed process; the test of a disk that
    is another one finds one. A TMPDIR that somebody chose is taken as it is.
    """
    if "TMPDIR" not in os.environ and _has_room():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(_MEMORY))


def _has_room() -> bool:
    memory = Path("/proc/meminfo").read_text().split("MemAvailable:")[1].split()[0]
    return (
        _MEMORY.is_dir()
        and shutil.disk_usage(_MEMORY).free >= _ROOM
        and int(memory) * 1024 >= 2 * _ROOM
    )


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the longest files; the others follow as they lie in their folders."""
    here = Path(__file__).parent
    places = {here / name: place for place, name in enumerate(_LONGEST_FIRST)}
    items.sort(key=lambda item: places.get(item.path, len(places)))


def pytest_report_teststatus(
    report: pytest.CollectReport | pytest.TestReport,
) -> tuple[str, str, str] | None:
    """Name what failed at once: who ends a run that hangs wants to know it."""
    if not report.failed or report.when == "collect":
        return None
    category = "failed" if report.when == "call" else "error"
    return category, f"\n{category.upper()} {report.nodeid}\n", category.upper()


@pytest.fixture
def clock() -> FixedClock:
    """Noon of 2 January 2026, until the test moves it."""
    return FixedClock(datetime(2026, 1, 2, 12, 0, tzinfo=UTC))


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("migrated") / "matinee.db"
    migrations.migrate(path)
    return path


@pytest.fixture
def settings(tmp_path: Path, _migrated: Path) -> Settings:
    """The defaults, with a home of this test's own and a migrated database in it."""
    settings = Settings(home=tmp_path / "home")
    settings.home.mkdir()
    shutil.copy(_migrated, settings.database)
    return settings


@pytest.fixture
def db(settings: Settings, clock: FixedClock) -> Iterator[Database]:
    with database.connect(settings.database, clock) as connection:
        yield connection


@pytest.fixture
def storage(settings: Settings) -> Storage:
    settings.media.mkdir(parents=True, exist_ok=True)
    return Storage(settings.media)


@pytest.fixture
def make(db: Database, settings: Settings, storage: Storage) -> Builders:
    return Builders(db, settings, storage)


@pytest.fixture(scope="session")
def _templates(tmp_path_factory: pytest.TempPathFactory) -> BytecodeCache:
    """Templates that an application compiled, for the applications after it."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(
    settings: Settings, clock: FixedClock, storage: Storage, _templates: BytecodeCache
) -> Flask:
    app = create_app(settings, clock)
    app.testing = True
    app.jinja_env.bytecode_cache = _templates
    return app


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser without a sign-in, which holds the form token as any page does."""
    client = app.test_client()
    with client.session_transaction() as session:
        session["csrf_token"] = "of-this-test"
    assert app.secret_key
    signer = URLSafeTimedSerializer(app.secret_key, salt="wtf-csrf-token")
    client.environ_base["HTTP_X_CSRFTOKEN"] = str(signer.dumps("of-this-test"))
    return client


@pytest.fixture
def sign_in(db: Database, settings: Settings, make: Builders) -> SignIn:
    """``sign_in(client, role) -> Actor``: sign a new account in on that client."""

    def sign(
        client: FlaskClient, role: Role = Role.VIEWER, username: str = ""
    ) -> Actor:
        actor = make.actor(role, username=username or None)
        assert actor.account_id is not None
        token, signed_in = sessions.start(
            db, settings, actor.account_id, address="127.0.0.1", user_agent="test"
        )
        client.set_cookie(guard.COOKIE, token)
        return signed_in.actor("127.0.0.1")

    return sign


@pytest.fixture
def matinee(settings: Settings) -> Matinee:
    """``matinee("title", "list", "--json") -> Result``: run a command in the home."""
    environment = {"MATINEE_HOME": str(settings.home), "MATINEE_CONFIG": None}

    def run(*args: str, stdin: str = "") -> Result:
        return CliRunner(env=environment).invoke(main, args, input=stdin)

    return run


@pytest.fixture
def mounts() -> Iterator[Mounts]:
    """Disks and shares that can vanish; skipped where nothing may be mounted."""
    mounts = Mounts()
    yield mounts
    mounts.end()


@pytest.fixture
def bucket(tmp_path: Path) -> Iterator[ObjectServer]:
    """A real S3 server with an empty bucket."""
    with object_server.serving(tmp_path / "s3") as server:
        yield server


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """One real browser for all tests of a process."""
    with launched() as browser:
        yield browser

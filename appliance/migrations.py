"""The schema, as migrations that are applied once, under a lock.

Each migration has one purpose. The command line applies them; the web server and the
workers refuse to start while one is pending.

A migration **expands**: it adds tables, columns that have a default, indexes. Then the
code of the release before runs on the new schema, and an upgrade can be undone without
losing what was written since. What nothing reads any more goes with a later release,
by a migration that **contracts**, and stands in :data:`CONTRACTS`.
"""

import fcntl
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import sqlite_utils
from sqlite_utils.migrations import Migrations

from appliance import __version__, ratings
from appliance.clock import Clock
from appliance.db import Database
from appliance.errors import MatineeError, PreconditionFailed, StorageFull

migrations = Migrations("matinee")

CONTRACTS: dict[str, str] = {}
"""Migrations that take something away, and which one a code must know to bear it.

``{"no_old_names": "new_names"}``: whoever knows ``new_names`` reads the old ones no
more. Code that does not know it refuses such a database.
"""

SPARE_BYTES = 64 * 1024 * 1024
"""What must stay free beside a copy of the database."""

_NOTES = """
create table if not exists migration_notes (
    name text primary key,
    version text not null,
    needs text not null default ''
) strict
"""


def names() -> list[str]:
    """Return the migrations that this code knows, in their order."""
    return [each.name for each in migrations._migrations]


def migrate(path: Path, clock: Clock | None = None) -> list[str]:
    """Apply what is pending and return the names; foreign keys are checked after.

    Another process that migrates at the same time waits and then finds nothing to do.
    Errors: ``PreconditionFailed`` for a database of a newer code that this one can't
    work with.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(path):
        db = Database(path, clock)
        try:
            _refuse_newer(db)
            pending = [each.name for each in migrations.pending(db)]
            if pending:
                db.conn.execute("pragma foreign_keys = off")
                migrations.apply(db)
                _check_foreign_keys(db)
            _note(db)
            return pending
        finally:
            db.close()


def trial(path: Path) -> list[str]:
    """Migrate a copy of the database beside it; return what would be applied.

    The database itself, which others may be using, is only read. Errors:
    ``StorageFull``, and whatever the migrations themselves raise.
    """
    needed = 2 * path.stat().st_size + SPARE_BYTES
    if shutil.disk_usage(path.parent).free < needed:
        raise StorageFull(
            "database.room",
            f"Trying the migrations needs {needed // 1_000_000} MB in {path.parent}:"
            " free some room.",
        )
    with tempfile.TemporaryDirectory(prefix=".trial-", dir=path.parent) as folder:
        copy = Path(folder) / path.name
        with (
            closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as source,
            closing(sqlite3.connect(copy)) as target,
        ):
            source.backup(target)
        applied = migrate(copy)
        with closing(sqlite3.connect(copy)) as done:
            if (wrong := done.execute("pragma quick_check(1)").fetchone()[0]) != "ok":
                raise MatineeError(
                    "database.trial", f"The migrated copy is not whole: {wrong}"
                )
        return applied


def require_current(path: Path) -> None:
    """Refuse with ``PreconditionFailed`` while a migration is pending.

    A database that a newer code has migrated is refused too, unless all that was done
    to it since leaves room for this code.
    """
    if not path.is_file():
        raise PreconditionFailed(
            "database.missing", f"There is no database {path}: run `matinee init`."
        )
    db = Database(path)
    try:
        pending = [each.name for each in migrations.pending(db)]
        _refuse_newer(db)
    finally:
        db.close()
    if pending:
        raise PreconditionFailed(
            "database.old",
            f"The database needs {len(pending)} migration(s): run `matinee migrate`.",
        )


def _refuse_newer(db: Database) -> None:
    """Refuse a database that is newer than this code and does not bear it."""
    known = set(names())
    unknown = [each.name for each in migrations.applied(db) if each.name not in known]
    if not unknown:
        return
    noted = _noted(db)
    missing = ("", "-")
    unbearable = [
        (name, *noted.get(name, missing))
        for name in unknown
        if noted.get(name, missing)[1] not in known | {""}
    ]
    for name, version, _needs in reversed(unbearable):
        made_by = f"Matinee {version}" if version else "a newer Matinee"
        release = f"release {version}" if version else "that release"
        raise PreconditionFailed(
            "database.newer",
            f"The database is of {made_by} (migration “{name}”), and this is"
            f" {__version__}: install {release}, or restore a backup made before it.",
            {"version": version, "migrations": [each[0] for each in unbearable]},
        )


def _noted(db: Database) -> dict[str, tuple[str, str]]:
    """Return version and need of each migration that left a note."""
    if not db.value("select 1 from sqlite_master where name = 'migration_notes'"):
        return {}
    rows = db.rows("select name, version, needs from migration_notes")
    return {row["name"]: (row["version"], row["needs"]) for row in rows}


def _note(db: Database) -> None:
    """Write beside what was applied what code it needs: older code reads that."""
    db.conn.execute(_NOTES)
    noted = _noted(db)
    for name in names():
        if name not in noted:
            db.conn.execute(
                "insert or ignore into migration_notes values (?, ?, ?)",
                (name, __version__, CONTRACTS.get(name, "")),
            )


@contextmanager
def _only_one(path: Path) -> Iterator[None]:
    with path.with_name(f"{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _check_foreign_keys(db: Database) -> None:
    wrong = db.rows("pragma foreign_key_check")
    if wrong:
        raise MatineeError(
            "database.foreign-keys", f"A migration left {len(wrong)} orphaned row(s)."
        )


def _script(db: sqlite_utils.Database, sql: str) -> None:
    """Run several statements inside the migration's own transaction."""
    for statement in sql.split(";\n\n"):
        if statement.strip():
            db.conn.execute(statement)


@migrations()
def people(db: sqlite_utils.Database) -> None:
    """Accounts with their identities, roles, groups, profiles and sessions."""
    _script(
        db,
        """
create table accounts (
    id integer primary key,
    public_id text not null unique,
    username text not null unique collate nocase,
    display_name text not null,
    email text,
    password_hash text,
    state text not null default 'active' check (state in ('active', 'disabled')),
    payer_id integer references accounts (id),
    language text not null default 'en',
    totp_secret text,
    totp_confirmed_at text,
    totp_last_step integer not null default 0,
    created_at text not null,
    password_changed_at text
) strict;

create index accounts_payer on accounts (payer_id);

create table identities (
    provider text not null,
    subject text not null,
    account_id integer not null references accounts (id) on delete cascade,
    created_at text not null,
    primary key (provider, subject)
) strict;

create index identities_account on identities (account_id);

create table role_assignments (
    account_id integer not null references accounts (id) on delete cascade,
    role text not null,
    scope text not null default '*',
    primary key (account_id, role, scope)
) strict;

create table groups (
    id integer primary key,
    public_id text not null unique,
    name text not null unique
) strict;

create table group_members (
    group_id integer not null references groups (id) on delete cascade,
    account_id integer not null references accounts (id) on delete cascade,
    primary key (group_id, account_id)
) strict;

create index group_members_account on group_members (account_id);

create table profiles (
    id integer primary key,
    public_id text not null unique,
    account_id integer not null references accounts (id) on delete cascade,
    name text not null,
    created_at text not null
) strict;

create index profiles_account on profiles (account_id);

create table sessions (
    id integer primary key,
    public_id text not null unique,
    token_hash text not null unique,
    account_id integer not null references accounts (id) on delete cascade,
    profile_id integer not null references profiles (id) on delete cascade,
    kind text not null default 'browser' check (kind in ('browser', 'api')),
    address text not null default '',
    user_agent text not null default '',
    created_at text not null,
    seen_at text not null,
    expires_at text not null,
    revoked_at text
) strict;

create index sessions_profile on sessions (profile_id);

create index sessions_account on sessions (account_id);

create table recovery_codes (
    account_id integer not null references accounts (id) on delete cascade,
    code_hash text not null,
    used_at text,
    primary key (account_id, code_hash)
) strict;

create table one_time_tokens (
    token_hash text primary key,
    purpose text not null,
    account_id integer references accounts (id) on delete cascade,
    created_at text not null,
    expires_at text not null,
    used_at text
) strict;

create index one_time_tokens_account on one_time_tokens (account_id);

create table sign_in_failures (
    source text primary key,
    failures integer not null,
    failed_at text not null,
    blocked_until text
) strict;

create index sign_in_failures_age on sign_in_failures (failed_at);

create table events (
    id integer primary key,
    at text not null,
    name text not null,
    actor_id integer,
    actor_name text not null,
    address text not null default '',
    subject text not null,
    data text not null default '{}'
) strict;

create index events_subject on events (subject);
""",
    )


@migrations()
def library(db: sqlite_utils.Database) -> None:
    """Titles with genres, artwork, entitlements and a full-text index."""
    _script(
        db,
        """
create table titles (
    id integer primary key,
    public_id text not null unique,
    slug text not null unique,
    kind text not null default 'film',
    name text not null,
    synopsis text not null default '',
    year integer,
    rating text not null default '',
    language text not null default '',
    runtime_seconds real,
    state text not null default 'draft'
        check (state in ('draft', 'processing', 'ready', 'published', 'archived')),
    protected integer not null default 0,
    poster text,
    backdrop text,
    created_by integer references accounts (id) on delete set null,
    created_at text not null,
    updated_at text not null,
    published_at text
) strict;

create index titles_state on titles (state, published_at desc, id desc);

create index titles_creator on titles (created_by);

create table genres (
    id integer primary key,
    slug text not null unique,
    name text not null
) strict;

create table title_genres (
    title_id integer not null references titles (id) on delete cascade,
    genre_id integer not null references genres (id) on delete cascade,
    shown_at text,
    primary key (genre_id, title_id)
) strict;

create index title_genres_title on title_genres (title_id);

create index title_genres_shown
    on title_genres (genre_id, shown_at desc, title_id desc)
    where shown_at is not null;

create trigger title_genres_insert after insert on title_genres begin
    update title_genres
    set shown_at = (
        select published_at from titles
        where id = new.title_id and state = 'published'
    )
    where genre_id = new.genre_id and title_id = new.title_id;
end;

create trigger titles_shown after update of state, published_at on titles begin
    update title_genres
    set shown_at = case when new.state = 'published' then new.published_at end
    where title_id = new.id;
end;

create table library_version (
    id integer primary key check (id = 1),
    version integer not null
) strict;

insert into library_version (id, version) values (1, 1);

create trigger library_version_title_new after insert on titles begin
    update library_version set version = version + 1;
end;

create trigger library_version_title after update of
    slug, name, synopsis, year, rating, runtime_seconds,
    state, poster, backdrop, published_at
on titles begin
    update library_version set version = version + 1;
end;

create trigger library_version_title_gone after delete on titles begin
    update library_version set version = version + 1;
end;

create trigger library_version_genre after insert on title_genres begin
    update library_version set version = version + 1;
end;

create trigger library_version_genre_gone after delete on title_genres begin
    update library_version set version = version + 1;
end;

create table artwork (
    id integer primary key,
    public_id text not null unique,
    title_id integer not null references titles (id) on delete cascade,
    kind text not null check (kind in ('poster', 'backdrop', 'candidate')),
    origin text not null check (origin in ('frame', 'upload')),
    path text not null,
    width integer not null,
    height integer not null,
    seconds real,
    created_at text not null
) strict;

create index artwork_title on artwork (title_id, kind);

create table entitlements (
    id integer primary key,
    subject text not null check (subject in ('everyone', 'account', 'group')),
    subject_id integer,
    object text not null check (object in ('all', 'title', 'collection')),
    object_id integer,
    source text not null,
    starts_at text,
    ends_at text,
    streams integer,
    max_height integer,
    downloads integer not null default 0,
    created_at text not null
) strict;

create virtual table titles_fts using fts5 (
    name, synopsis,
    content = 'titles', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

create trigger titles_fts_insert after insert on titles begin
    insert into titles_fts (rowid, name, synopsis)
    values (new.id, new.name, new.synopsis);
end;

create trigger titles_fts_delete after delete on titles begin
    insert into titles_fts (titles_fts, rowid, name, synopsis)
    values ('delete', old.id, old.name, old.synopsis);
end;

create trigger titles_fts_update after update of name, synopsis on titles begin
    insert into titles_fts (titles_fts, rowid, name, synopsis)
    values ('delete', old.id, old.name, old.synopsis);
    insert into titles_fts (rowid, name, synopsis)
    values (new.id, new.name, new.synopsis);
end;

insert into entitlements (subject, object, source, created_at)
values ('everyone', 'all', 'installation', '1970-01-01T00:00:00.000000Z');
""",
    )


@migrations()
def media(db: sqlite_utils.Database) -> None:
    """Uploads, assets with their tracks, jobs with their work units."""
    _script(
        db,
        """
create table assets (
    id integer primary key,
    public_id text not null unique,
    title_id integer not null references titles (id) on delete cascade,
    role text not null default 'main',
    state text not null default 'uploaded'
        check (state in ('uploaded', 'processing', 'ready', 'failed')),
    source_path text not null,
    source_name text not null,
    source_bytes integer not null,
    source_sha256 text,
    facts text,
    duration real,
    version integer not null default 0,
    key_systems text not null default '[]',
    created_at text not null
) strict;

create index assets_title on assets (title_id);

create table tracks (
    id integer primary key,
    public_id text not null unique,
    asset_id integer not null references assets (id) on delete cascade,
    kind text not null check (kind in ('video', 'audio', 'text', 'thumbnails')),
    name text not null,
    path text not null,
    codec text not null default '',
    language text not null default 'und',
    label text not null default '',
    role text not null default 'main',
    width integer,
    height integer,
    frame_rate text,
    channels integer,
    bandwidth integer not null default 0,
    average_bandwidth integer not null default 0,
    bytes integer not null default 0,
    facts text not null default '{}',
    created_at text not null
) strict;

create index tracks_asset on tracks (asset_id);

create table uploads (
    id integer primary key,
    public_id text not null unique,
    account_id integer references accounts (id) on delete set null,
    title_id integer references titles (id) on delete cascade,
    asset_id integer references assets (id) on delete set null,
    origin text not null default 'browser' check (origin in ('browser', 'watch')),
    filename text not null,
    identity text not null default '',
    bytes integer not null,
    publish integer not null default 0,
    state text not null default 'receiving'
        check (state in ('receiving', 'finished', 'failed')),
    message text not null default '',
    created_at text not null,
    updated_at text not null
) strict;

create index uploads_asset on uploads (asset_id);

create index uploads_title on uploads (title_id);

create index uploads_account on uploads (account_id, state);

create index uploads_watched on uploads (filename) where origin = 'watch';

create table jobs (
    id integer primary key,
    public_id text not null unique,
    asset_id integer not null references assets (id) on delete cascade,
    kind text not null default 'ingest',
    state text not null default 'queued'
        check (state in ('queued', 'running', 'done', 'failed', 'cancelled')),
    priority integer not null default 0,
    publish_when_done integer not null default 0,
    error_code text not null default '',
    error_message text not null default '',
    log_tail text not null default '',
    created_at text not null,
    started_at text,
    ended_at text
) strict;

create index jobs_state on jobs (state, priority desc, id);

create index jobs_asset on jobs (asset_id);

create table work_units (
    id integer primary key,
    job_id integer not null references jobs (id) on delete cascade,
    name text not null,
    step text not null,
    position integer not null default 0,
    weight real not null default 1,
    needs text not null default '[]',
    spec text not null default '{}',
    state text not null default 'waiting'
        check (state in
            ('waiting', 'queued', 'running', 'done', 'failed', 'cancelled')),
    attempt integer not null default 0,
    failures integer not null default 0,
    attempt_key text unique,
    lease_until text,
    heartbeat_at text,
    progress real not null default 0,
    fps real,
    result text,
    error_code text not null default '',
    error_message text not null default '',
    log_tail text not null default '',
    queued_at text,
    started_at text,
    ended_at text,
    unique (job_id, name)
) strict;

create index work_units_state on work_units (state);
""",
    )


@migrations()
def watching(db: sqlite_utils.Database) -> None:
    """Playback sessions and where each profile stopped."""
    _script(
        db,
        """
create table playback_sessions (
    id integer primary key,
    public_id text not null unique,
    account_id integer not null references accounts (id) on delete cascade,
    profile_id integer not null references profiles (id) on delete cascade,
    asset_id integer not null references assets (id) on delete cascade,
    device text not null default '',
    swaps_tokens integer not null default 1,
    last_seq integer not null default 0,
    state text not null default '',
    quality text not null default '{}',
    played text not null default '[]',
    position real,
    started_at text not null,
    heartbeat_at text not null,
    expires_at text not null,
    ended_at text,
    end_reason text not null default ''
) strict;

create index playback_sessions_asset on playback_sessions (asset_id);

create index playback_sessions_profile on playback_sessions (profile_id);

create index playback_sessions_account on playback_sessions (account_id, ended_at);

create index playback_sessions_open on playback_sessions (expires_at)
    where ended_at is null;

create table progress (
    profile_id integer not null references profiles (id) on delete cascade,
    asset_id integer not null references assets (id) on delete cascade,
    position real not null,
    duration real not null,
    finished integer not null default 0,
    hidden integer not null default 0,
    updated_at text not null,
    primary key (profile_id, asset_id)
) strict;

create index progress_asset on progress (asset_id);

create index progress_recent on progress (profile_id, finished, updated_at desc);
""",
    )


@migrations()
def protection(db: sqlite_utils.Database) -> None:
    """Content keys, policies of licences, and what each track is encrypted with."""
    _script(
        db,
        """
create table licence_policies (
    id integer primary key,
    name text not null unique collate nocase,
    document text not null,
    created_at text not null,
    updated_at text not null
) strict;

alter table titles add column key_systems text not null default '[]';

alter table titles add column scheme text not null default ''
    check (scheme in ('', 'cbcs', 'cenc'));

alter table titles add column policy_id integer
    references licence_policies (id) on delete set null;

create index titles_policy on titles (policy_id) where policy_id is not null;

alter table tracks add column scheme text not null default ''
    check (scheme in ('', 'cbcs', 'cenc'));

alter table tracks add column kid text;

alter table tracks add column iv text;

create table content_keys (
    id integer primary key,
    asset_id integer not null references assets (id) on delete cascade,
    generation integer not null,
    label text not null check (label in ('AUDIO', 'SD', 'HD', 'UHD')),
    scheme text not null check (scheme in ('cbcs', 'cenc')),
    kid text not null unique,
    wrapped blob not null,
    kek text not null,
    iv text,
    provider text not null,
    pssh text not null default '{}',
    created_at text not null,
    retired_at text,
    unique (asset_id, generation, label)
) strict;

create index content_keys_kek on content_keys (kek);
""",
    )


@migrations()
def rights(db: sqlite_utils.Database) -> None:
    """Rights of roles and with policies, availability windows, limits of profiles."""
    _script(
        db,
        """
create table entitlements_new (
    id integer primary key,
    public_id text not null unique default (lower(hex(randomblob(8)))),
    subject text not null
        check (subject in ('everyone', 'role', 'group', 'account')),
    subject_id integer,
    role text,
    object text not null check (object in ('all', 'title', 'collection')),
    object_id integer,
    source text not null,
    starts_at text,
    ends_at text,
    streams integer check (streams >= 0),
    uhd_streams integer check (uhd_streams >= 0),
    max_height integer check (max_height > 0),
    downloads integer not null default 0,
    policy_id integer references licence_policies (id) on delete set null,
    created_at text not null,
    check ((subject = 'role') = (role is not null))
) strict;

insert into entitlements_new (id, subject, subject_id, object, object_id,
    source, starts_at, ends_at, streams, max_height, downloads, created_at)
select id, subject, subject_id, object, object_id,
    source, starts_at, ends_at, streams, max_height, downloads, created_at
from entitlements;

drop table entitlements;

alter table entitlements_new rename to entitlements;

create index entitlements_subject on entitlements (subject, subject_id);

create index entitlements_object
    on entitlements (object, object_id, subject, subject_id);

create index entitlements_policy on entitlements (policy_id)
    where policy_id is not null;

create trigger entitlements_of_title after delete on titles begin
    delete from entitlements where object = 'title' and object_id = old.id;
end;

create trigger entitlements_of_account after delete on accounts begin
    delete from entitlements where subject = 'account' and subject_id = old.id;
end;

create trigger entitlements_of_group after delete on groups begin
    delete from entitlements where subject = 'group' and subject_id = old.id;
end;

create table availability_windows (
    id integer primary key,
    public_id text not null unique,
    title_id integer not null references titles (id) on delete cascade,
    starts_at text,
    ends_at text,
    group_id integer references groups (id) on delete cascade,
    territories text not null default '[]',
    max_height integer check (max_height > 0),
    created_at text not null
) strict;

create index availability_windows_title on availability_windows (title_id);

create index availability_windows_group on availability_windows (group_id)
    where group_id is not null;

alter table profiles add column rating_limit integer
    check (rating_limit between 0 and 21);
""",
    )


@migrations()
def streams(db: sqlite_utils.Database) -> None:
    """What a playback session is counted by, and what it was opened from."""
    _script(
        db,
        """
alter table playback_sessions add column sign_in text not null default '';

alter table playback_sessions add column address text not null default '';

alter table playback_sessions add column user_agent text not null default '';

alter table playback_sessions add column max_height integer;

alter table playback_sessions add column uhd integer not null default 0;

alter table playback_sessions add column licences integer not null default 0;

create index playback_sessions_sign_in on playback_sessions (sign_in)
    where ended_at is null;
""",
    )


@migrations()
def places(db: sqlite_utils.Database) -> None:
    """Where the files of tracks lie, what they are, and what a move leaves behind."""
    _script(
        db,
        """
alter table tracks add column place text not null default 'local'
    check (place in ('local', 'objects'));

create table track_files (
    track_id integer primary key references tracks (id) on delete cascade,
    files text not null
) strict;

create table leftovers (
    id integer primary key,
    place text not null check (place in ('local', 'objects')),
    path text not null,
    unique (place, path)
) strict;

create trigger leftovers_of_track after delete on tracks
    when old.place = 'objects'
begin
    insert into leftovers (place, path) values (old.place, old.path)
    on conflict do nothing;
end;
""",
    )


@migrations()
def versions(db: sqlite_utils.Database) -> None:
    """Libraries, versions of assets, quality reports, markers, queues."""
    _script(
        db,
        """
create table libraries (
    id integer primary key,
    public_id text not null unique,
    slug text not null unique,
    name text not null,
    policy text not null default '{}',
    created_at text not null,
    updated_at text not null
) strict;

alter table titles add column library_id integer
    references libraries (id) on delete set null;

create index titles_library on titles (library_id) where library_id is not null;

alter table assets add column analysis text;

alter table assets add column source_removed_at text;

alter table assets add column preview text;

alter table tracks add column retired_at text;

create index tracks_retired on tracks (retired_at) where retired_at is not null;

create table asset_versions (
    id integer primary key,
    asset_id integer not null references assets (id) on delete cascade,
    number integer not null,
    reason text not null default 'ingest',
    job text not null default '',
    duration real not null,
    tracks text not null,
    source_path text not null,
    source_name text not null,
    source text,
    created_at text not null,
    retired_at text,
    unique (asset_id, number)
) strict;

create table qc_reports (
    id integer primary key,
    public_id text not null unique,
    asset_id integer not null references assets (id) on delete cascade,
    version integer not null,
    verdict text not null check (verdict in ('passed', 'warned', 'failed')),
    report text not null,
    review text not null default 'none'
        check (review in ('none', 'approved', 'rejected')),
    reviewer_id integer references accounts (id) on delete set null,
    reviewer text not null default '',
    comment text not null default '',
    reviewed_at text,
    publishes integer not null default 0,
    created_at text not null,
    unique (asset_id, version)
) strict;

create index qc_reports_reviewer on qc_reports (reviewer_id)
    where reviewer_id is not null;

create table markers (
    id integer primary key,
    public_id text not null unique,
    asset_id integer not null references assets (id) on delete cascade,
    kind text not null
        check (kind in ('chapter', 'intro', 'recap', 'credits', 'preview')),
    starts_at real not null check (starts_at >= 0),
    ends_at real not null check (ends_at >= starts_at),
    label text not null default '',
    origin text not null check (origin in ('source', 'detected', 'edited')),
    confidence real,
    created_at text not null
) strict;

create index markers_asset on markers (asset_id, starts_at);

alter table jobs add column paused integer not null default 0;

alter table jobs add column request text not null default '{}';

alter table work_units add column queue text not null default 'cpu'
    check (queue in ('cpu', 'gpu', 'speech'));

alter table work_units add column node text not null default '';
""",
    )


@migrations()
def previews(db: sqlite_utils.Database) -> None:
    """Tell what is seen in the Studio from what viewers watch."""
    _script(
        db,
        "alter table playback_sessions add column preview integer not null default 0",
    )


@migrations()
def shapes(db: sqlite_utils.Database) -> None:
    """Series, people, tags, words in other languages, pictures of more shapes."""
    _script(
        db,
        """
alter table titles add column parent_id integer
    references titles (id) on delete cascade;

alter table titles add column season_number integer check (season_number >= 0);

alter table titles add column episode_number integer check (episode_number >= 0);

alter table titles add column original_name text not null default '';

alter table titles add column logo text;

alter table titles add column age integer check (age between 0 and 21);

alter table titles add column windowed integer not null default 0;

alter table titles add column external_id text;

alter table titles add column revision integer not null default 1;

alter table titles add column review text not null default ''
    check (review in ('', 'asked', 'approved', 'rejected'));

alter table titles add column review_note text not null default '';

alter table titles add column removed_at text;

alter table titles add column removed_from text;

alter table titles add column custom text not null default '{}';

create unique index titles_external on titles (external_id)
    where external_id is not null;

create index titles_parent
    on titles (parent_id, season_number, episode_number)
    where parent_id is not null;

create index titles_removed on titles (removed_at) where removed_at is not null;

create index titles_top on titles (published_at desc, id desc)
    where state = 'published' and parent_id is null;

update titles set windowed = exists (
    select 1 from availability_windows where title_id = titles.id
);

create trigger windows_new after insert on availability_windows begin
    update titles set windowed = 1
    where id = new.title_id or parent_id = new.title_id;
    update library_version set version = version + 1;
end;

create trigger windows_gone after delete on availability_windows begin
    update titles set windowed = exists (
        select 1 from availability_windows
        where title_id in (titles.id, titles.parent_id)
    )
    where id = old.title_id or parent_id = old.title_id;
    update library_version set version = version + 1;
end;

create trigger windows_of_parent after update of parent_id on titles begin
    update titles set windowed = exists (
        select 1 from availability_windows
        where title_id in (new.id, new.parent_id)
    )
    where id = new.id;
end;

create trigger windows_of_part after insert on titles
when new.parent_id is not null begin
    update titles set windowed = exists (
        select 1 from availability_windows where title_id = new.parent_id
    )
    where id = new.id;
end;

drop trigger library_version_title;

create trigger library_version_title after update of
    slug, name, synopsis, year, rating, runtime_seconds, state, poster, backdrop,
    published_at, kind, parent_id, season_number, episode_number, logo, age, removed_at
on titles begin
    update library_version set version = version + 1;
end;

create trigger age_of_part after insert on titles
when new.parent_id is not null and new.rating = '' begin
    update titles set age = (select age from titles where id = new.parent_id)
    where id = new.id;
end;

create trigger age_of_unrated after update of rating, parent_id on titles
when new.parent_id is not null and new.rating = '' begin
    update titles set age = (select age from titles where id = new.parent_id)
    where id = new.id;
end;

create trigger age_of_parent after update of age on titles
when new.age is not old.age begin
    update titles set age = new.age where parent_id = new.id and rating = '';
end;

create table seasons (
    id integer primary key,
    public_id text not null unique,
    title_id integer not null references titles (id) on delete cascade,
    number integer not null check (number >= 0),
    name text not null default '',
    synopsis text not null default '',
    year integer,
    poster text,
    revision integer not null default 1,
    unique (title_id, number)
) strict;

create trigger library_version_season after update on seasons begin
    update library_version set version = version + 1;
end;

create table people (
    id integer primary key,
    public_id text not null unique,
    slug text not null unique,
    name text not null,
    biography text not null default '',
    portrait text,
    external_id text unique,
    revision integer not null default 1,
    created_at text not null,
    updated_at text not null
) strict;

create table credits (
    title_id integer not null references titles (id) on delete cascade,
    person_id integer not null references people (id) on delete cascade,
    job text not null,
    character text not null default '',
    position integer not null default 0,
    primary key (title_id, person_id, job, character)
) strict;

create index credits_person on credits (person_id, job);

create table tags (
    id integer primary key,
    slug text not null unique,
    name text not null
) strict;

create table title_tags (
    title_id integer not null references titles (id) on delete cascade,
    tag_id integer not null references tags (id) on delete cascade,
    primary key (tag_id, title_id)
) strict;

create index title_tags_title on title_tags (title_id);

create table title_translations (
    title_id integer not null references titles (id) on delete cascade,
    language text not null,
    name text not null default '',
    synopsis text not null default '',
    primary key (title_id, language)
) strict;

create trigger library_version_translation after insert on title_translations begin
    update library_version set version = version + 1;
end;

create trigger library_version_retranslation after update on title_translations begin
    update library_version set version = version + 1;
end;

create trigger library_version_untranslated after delete on title_translations begin
    update library_version set version = version + 1;
end;

create index people_name on people (name collate nocase);

create table custom_fields (
    id integer primary key,
    key text not null unique,
    label text not null,
    kind text not null check (kind in ('text', 'number', 'date', 'choice', 'yes-no')),
    choices text not null default '[]',
    position integer not null default 0
) strict;

create table artwork_new (
    id integer primary key,
    public_id text not null unique,
    title_id integer not null references titles (id) on delete cascade,
    kind text not null
        check (kind in ('poster', 'backdrop', 'logo', 'season', 'candidate')),
    origin text not null check (origin in ('frame', 'upload')),
    path text not null,
    width integer not null,
    height integer not null,
    seconds real,
    focal_x real not null default 0.5 check (focal_x between 0 and 1),
    focal_y real not null default 0.5 check (focal_y between 0 and 1),
    created_at text not null
) strict;

insert into artwork_new (id, public_id, title_id, kind, origin, path, width, height,
    seconds, created_at)
select id, public_id, title_id, kind, origin, path, width, height, seconds, created_at
from artwork;

drop table artwork;

alter table artwork_new rename to artwork;

create index artwork_title on artwork (title_id, kind);
""",
    )
    for row in db.query("select id, rating from titles where rating <> ''"):
        years = ratings.age(row["rating"])
        db.conn.execute("update titles set age = ? where id = ?", (years, row["id"]))


@migrations()
def tastes(db: sqlite_utils.Database) -> None:
    """What profiles are and want: PINs, lists, thumbs; collections and rows of home."""
    _script(
        db,
        """
alter table profiles add column avatar text not null default '';

alter table profiles add column language text not null default '';

alter table profiles add column kids integer not null default 0;

alter table profiles add column pin_hash text;

alter table profiles add column preferences text not null default '{}';

alter table accounts add column pin_hash text;

alter table sessions add column profile_chosen_at text;

update sessions set profile_chosen_at = created_at;

alter table sessions add column name text not null default '';

alter table sessions add column scopes text not null default '';

create table my_list (
    profile_id integer not null references profiles (id) on delete cascade,
    title_id integer not null references titles (id) on delete cascade,
    added_at text not null,
    primary key (profile_id, title_id)
) strict;

create index my_list_recent on my_list (profile_id, added_at desc);

create index my_list_title on my_list (title_id);

create table thumbs (
    profile_id integer not null references profiles (id) on delete cascade,
    title_id integer not null references titles (id) on delete cascade,
    value integer not null check (value in (-1, 1, 2)),
    at text not null,
    primary key (profile_id, title_id)
) strict;

create index thumbs_title on thumbs (title_id);

create table collections (
    id integer primary key,
    public_id text not null unique,
    slug text not null unique,
    name text not null,
    synopsis text not null default '',
    artwork text,
    created_at text not null,
    updated_at text not null
) strict;

create table collection_titles (
    collection_id integer not null references collections (id) on delete cascade,
    title_id integer not null references titles (id) on delete cascade,
    position integer not null default 0,
    primary key (collection_id, title_id)
) strict;

create index collection_titles_title on collection_titles (title_id);

create trigger entitlements_of_collection after delete on collections begin
    delete from entitlements where object = 'collection' and object_id = old.id;
end;

create table home_rows (
    id integer primary key,
    public_id text not null unique,
    kind text not null check (kind in (
        'hero', 'continue', 'next', 'list', 'new', 'leaving', 'genres',
        'chosen', 'rule', 'collection'
    )),
    heading text not null default '',
    translations text not null default '{}',
    rule text not null default '{}',
    collection_id integer references collections (id) on delete cascade,
    position integer not null default 0,
    enabled integer not null default 1,
    audience text not null default 'everyone'
        check (audience in ('everyone', 'kids', 'adults')),
    group_id integer references groups (id) on delete cascade,
    starts_at text,
    ends_at text,
    revision integer not null default 1,
    created_at text not null,
    updated_at text not null
) strict;

insert into home_rows (public_id, kind, position, created_at, updated_at)
select value, value, key, '1970-01-01T00:00:00.000000Z', '1970-01-01T00:00:00.000000Z'
from json_each('["hero", "continue", "next", "list", "new", "leaving", "genres"]');

create index home_rows_collection on home_rows (collection_id)
    where collection_id is not null;

create index home_rows_group on home_rows (group_id) where group_id is not null;

create table home_row_titles (
    row_id integer not null references home_rows (id) on delete cascade,
    title_id integer not null references titles (id) on delete cascade,
    position integer not null default 0,
    primary key (row_id, title_id)
) strict;

create index home_row_titles_title on home_row_titles (title_id);
""",
    )


@migrations()
def telling(db: sqlite_utils.Database) -> None:
    """What an installation says and calls: preferences, announcements, mail, hooks."""
    _script(
        db,
        """
create table preferences (
    key text primary key,
    value text not null,
    revision integer not null default 1,
    changed_by text not null,
    changed_at text not null
) strict;

create table announcements (
    id integer primary key,
    public_id text not null unique,
    text text not null,
    translations text not null default '{}',
    level text not null default 'info' check (level in ('info', 'warning')),
    dismissible integer not null default 1,
    starts_at text,
    ends_at text,
    created_by text not null,
    created_at text not null
) strict;

create table webhooks (
    id integer primary key,
    public_id text not null unique,
    url text not null,
    secret text not null,
    events text not null default '[]',
    enabled integer not null default 1,
    cursor integer not null default 0,
    created_at text not null
) strict;

create table webhook_deliveries (
    id integer primary key,
    public_id text not null unique,
    webhook_id integer not null references webhooks (id) on delete cascade,
    event_id integer not null,
    body text not null,
    state text not null default 'waiting'
        check (state in ('waiting', 'delivered', 'failed')),
    attempts integer not null default 0,
    status integer,
    answer text not null default '',
    next_at text,
    created_at text not null,
    finished_at text
) strict;

create index webhook_deliveries_hook on webhook_deliveries (webhook_id, id desc);

create index webhook_deliveries_due on webhook_deliveries (next_at)
    where state = 'waiting';

create table mails (
    id integer primary key,
    public_id text not null unique,
    recipient text not null,
    template text not null,
    language text not null default 'en',
    data text not null default '{}',
    state text not null default 'waiting'
        check (state in ('waiting', 'sent', 'failed')),
    attempts integer not null default 0,
    problem text not null default '',
    next_at text,
    created_at text not null,
    finished_at text
) strict;

create index mails_due on mails (next_at) where state = 'waiting';

create table bulk_changes (
    id integer primary key,
    public_id text not null unique,
    account_id integer references accounts (id) on delete set null,
    username text not null,
    changes text not null,
    created_at text not null,
    undone_at text
) strict;

create index bulk_changes_account on bulk_changes (account_id)
    where account_id is not null;
""",
    )


@migrations()
def handling(db: sqlite_utils.Database) -> None:
    """What managers of content do: reviews, changes of many, imports, fetches."""
    _script(
        db,
        """
create table title_reviews (
    id integer primary key,
    title_id integer not null references titles (id) on delete cascade,
    decision text not null check (decision in ('asked', 'approved', 'rejected')),
    note text not null default '',
    revision integer not null,
    account_id integer references accounts (id) on delete set null,
    username text not null,
    at text not null
) strict;

create index title_reviews_title on title_reviews (title_id, id desc);

create index title_reviews_account on title_reviews (account_id)
    where account_id is not null;

create table bulk_titles (
    bulk_id integer not null references bulk_changes (id) on delete cascade,
    title_id integer not null references titles (id) on delete cascade,
    before text not null,
    after text not null,
    primary key (bulk_id, title_id)
) strict;

create index bulk_titles_title on bulk_titles (title_id);

create table imports (
    id integer primary key,
    public_id text not null unique,
    account_id integer references accounts (id) on delete set null,
    username text not null,
    filename text not null,
    path text not null,
    state text not null default 'planned' check (state in ('planned', 'done')),
    summary text not null default '{}',
    created_at text not null,
    done_at text
) strict;

create index imports_account on imports (account_id) where account_id is not null;

create table fetches (
    id integer primary key,
    public_id text not null unique,
    title_id integer references titles (id) on delete cascade,
    account_id integer references accounts (id) on delete set null,
    username text not null,
    url text not null,
    publish integer not null default 0,
    state text not null default 'waiting'
        check (state in ('waiting', 'running', 'done', 'failed', 'cancelled')),
    filename text not null default '',
    received integer not null default 0,
    total integer,
    code text not null default '',
    message text not null default '',
    created_at text not null,
    updated_at text not null
) strict;

create index fetches_open on fetches (id) where state in ('waiting', 'running');

create index fetches_title on fetches (title_id) where title_id is not null;

create index fetches_account on fetches (account_id) where account_id is not null;

create index assets_hash on assets (source_sha256) where source_sha256 is not null;

create index titles_changed on titles (updated_at desc, id desc);

create index titles_named on titles (name collate nocase, id);

create index windows_end on availability_windows (ends_at) where ends_at is not null;
""",
    )


@migrations()
def searching(db: sqlite_utils.Database) -> None:
    """What is searched: names, people, tags and spoken words, folded; and what is due.

    Triggers only note what changed: folding needs Python, and an index that lags by a
    second is better than a database that only Python can write to.
    """
    _script(
        db,
        """
create table search_documents (
    title_id integer primary key references titles (id) on delete cascade,
    names text not null,
    people text not null,
    tags text not null,
    synopsis text not null
) strict;

create virtual table search_fts using fts5 (
    names, people, tags, synopsis,
    content = 'search_documents', content_rowid = 'title_id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

create trigger search_documents_new after insert on search_documents begin
    insert into search_fts (rowid, names, people, tags, synopsis)
    values (new.title_id, new.names, new.people, new.tags, new.synopsis);
end;

create trigger search_documents_gone after delete on search_documents begin
    insert into search_fts (search_fts, rowid, names, people, tags, synopsis)
    values ('delete', old.title_id, old.names, old.people, old.tags, old.synopsis);
end;

create table search_names (
    name text not null,
    title_id integer not null references titles (id) on delete cascade,
    primary key (name, title_id)
) strict, without rowid;

create index search_names_title on search_names (title_id);

create table search_people (
    person_id integer primary key references people (id) on delete cascade,
    name text not null
) strict;

create virtual table search_people_fts using fts5 (
    name, content = 'search_people', content_rowid = 'person_id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

create trigger search_people_new after insert on search_people begin
    insert into search_people_fts (rowid, name) values (new.person_id, new.name);
end;

create trigger search_people_gone after delete on search_people begin
    insert into search_people_fts (search_people_fts, rowid, name)
    values ('delete', old.person_id, old.name);
end;

create table search_words (
    id integer primary key,
    word text not null unique
) strict;

create table search_grams (
    gram text not null,
    word_id integer not null references search_words (id) on delete cascade,
    primary key (gram, word_id)
) strict, without rowid;

create index search_grams_word on search_grams (word_id);

create table spoken (
    id integer primary key,
    title_id integer not null references titles (id) on delete cascade,
    track text not null,
    language text not null,
    starts real not null,
    text text not null,
    words text not null
) strict;

create index spoken_title on spoken (title_id, track);

create virtual table spoken_fts using fts5 (
    words, content = 'spoken', content_rowid = 'id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '3'
);

create trigger spoken_new after insert on spoken begin
    insert into spoken_fts (rowid, words) values (new.id, new.words);
end;

create trigger spoken_gone after delete on spoken begin
    insert into spoken_fts (spoken_fts, rowid, words)
    values ('delete', old.id, old.words);
end;

create table search_due (
    kind text not null check (kind in ('title', 'person')),
    id integer not null,
    primary key (kind, id)
) strict, without rowid;

insert into search_due (kind, id) select 'title', id from titles;

insert into search_due (kind, id) select 'person', id from people;

create index tracks_languages on tracks (kind, language, asset_id)
    where retired_at is null;

create index titles_top_named on titles (name collate nocase, id)
    where state = 'published' and parent_id is null;

create index titles_top_kind on titles (kind, published_at desc, id desc)
    where state = 'published' and parent_id is null;

create index titles_top_long on titles (runtime_seconds desc, id desc)
    where state = 'published' and parent_id is null;

create index titles_top_short on titles (coalesce(runtime_seconds, 1e9), id)
    where state = 'published' and parent_id is null;

create index titles_top_year on titles (year desc, id desc)
    where state = 'published' and parent_id is null;

create index windows_start on availability_windows (starts_at)
    where starts_at is not null;
""",
    )
    for name, when, rows in _SEARCH_DUE:
        db.conn.execute(
            f"""
            create trigger search_due_{name} after {when} begin
                insert into search_due (kind, id) {rows} on conflict do nothing;
            end
            """
        )
    for table in ("home_rows", "home_row_titles", "collections", "collection_titles"):
        for act in ("insert", "update", "delete"):
            db.conn.execute(
                f"""
                create trigger library_version_{table}_{act} after {act} on {table}
                begin update library_version set version = version + 1; end
                """
            )


@migrations()
def operating(db: sqlite_utils.Database) -> None:
    """What is wrong with the machines, which are invited, and what led to what."""
    _script(
        db,
        """
create table alerts (
    id integer primary key,
    name text not null,
    level text not null check (level in ('warn', 'fail')),
    sentence text not null,
    fix text not null default '',
    began_at text not null,
    seen_at text not null,
    raised_at text,
    cleared_at text
) strict;

create unique index alerts_open on alerts(name) where cleared_at is null;

alter table events add column request text not null default '';

alter table jobs add column asked_by_request text not null default '';

create table node_invitations (
    id integer primary key,
    public_id text not null unique,
    kind text not null check (kind in ('worker', 'edge', 'standby')),
    name text not null default '',
    token_hash text not null unique,
    created_at text not null,
    created_by text not null,
    expires_at text not null,
    used_at text,
    used_by text not null default '',
    address text not null default '',
    version text not null default '',
    given text not null default '{}',
    credential_hash text unique,
    seen_at text,
    removed_at text
) strict;

create unique index node_invitations_members on node_invitations(kind, used_by)
where used_at is not null and removed_at is null;
        """,
    )


@migrations()
def backups(db: sqlite_utils.Database) -> None:
    """What became of each backup, and which films came back without their files."""
    _script(
        db,
        """
create table backup_runs (
    id integer primary key,
    public_id text not null unique,
    kind text not null check (kind in ('create', 'verify')),
    state text not null default 'waiting'
        check (state in ('waiting', 'running', 'done', 'failed')),
    name text not null default '',
    place text not null default '',
    asked_by text not null,
    asked_at text not null,
    started_at text,
    ended_at text,
    message text not null default '',
    facts text not null default '{}',
    removed_at text
) strict;

create unique index backup_runs_open on backup_runs(kind)
where state in ('waiting', 'running');

create table missing_media (
    asset_id integer primary key references assets (id) on delete cascade,
    found_at text not null,
    source integer not null default 0,
    tracks integer not null default 0
) strict;
        """,
    )


@migrations()
def searching_names(db: sqlite_utils.Database) -> None:
    """An index of names alone: to meet common words in it takes a third of the time."""
    _script(
        db,
        """
create virtual table search_names_fts using fts5 (
    names, content = 'search_documents', content_rowid = 'title_id',
    tokenize = 'unicode61 remove_diacritics 2', prefix = '2 3'
);

insert into search_names_fts (search_names_fts) values ('rebuild');

create trigger search_documents_named after insert on search_documents begin
    insert into search_names_fts (rowid, names) values (new.title_id, new.names);
end;

create trigger search_documents_nameless after delete on search_documents begin
    insert into search_names_fts (search_names_fts, rowid, names)
    values ('delete', old.title_id, old.names);
end;
        """,
    )


_OF_PERSON = "select 'title', title_id from credits where person_id = "
_OF_ASSET = "select 'title', title_id from assets where id = "
_SEARCH_DUE = (
    ("title", "insert on titles", "values ('title', new.id)"),
    (
        "title_changed",
        "update of name, original_name, synopsis on titles",
        "values ('title', new.id)",
    ),
    ("translation", "insert on title_translations", "values ('title', new.title_id)"),
    (
        "translation_changed",
        "update on title_translations",
        "values ('title', new.title_id)",
    ),
    (
        "translation_gone",
        "delete on title_translations",
        "values ('title', old.title_id)",
    ),
    ("person", "insert on people", "values ('person', new.id)"),
    ("person_changed", "update of name on people", "values ('person', new.id)"),
    (
        "person_titles",
        "update of name on people",
        # A select of an upsert needs a where of its own: “on” would be read as a join.
        f"{_OF_PERSON} new.id",
    ),
    ("credit", "insert on credits", "values ('title', new.title_id)"),
    ("credit_gone", "delete on credits", "values ('title', old.title_id)"),
    ("tag", "insert on title_tags", "values ('title', new.title_id)"),
    ("tag_gone", "delete on title_tags", "values ('title', old.title_id)"),
    (
        "tag_changed",
        "update of name on tags",
        "select 'title', title_id from title_tags where tag_id = new.id",
    ),
    ("genre", "insert on title_genres", "values ('title', new.title_id)"),
    ("genre_gone", "delete on title_genres", "values ('title', old.title_id)"),
    ("track", "insert on tracks when new.kind = 'text'", f"{_OF_ASSET} new.asset_id"),
    (
        "track_changed",
        "update of retired_at, language on tracks when new.kind = 'text'",
        f"{_OF_ASSET} new.asset_id",
    ),
    (
        "track_gone",
        "delete on tracks when old.kind = 'text'",
        f"{_OF_ASSET} old.asset_id",
    ),
)

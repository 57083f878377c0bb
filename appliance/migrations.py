"""The schema, as migrations that are applied once, under a lock.

Each migration has one purpose. The command line applies them; the web server and the
workers refuse to start while one is pending.
"""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlite_utils
from sqlite_utils.migrations import Migrations

from appliance.clock import Clock
from appliance.db import Database
from appliance.errors import MatineeError, PreconditionFailed

migrations = Migrations("matinee")


def migrate(path: Path, clock: Clock | None = None) -> list[str]:
    """Apply what is pending and return the names; foreign keys are checked after.

    Another process that migrates at the same time waits and then finds nothing to do.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with _only_one(path):
        db = Database(path, clock)
        try:
            pending = [each.name for each in migrations.pending(db)]
            if pending:
                db.conn.execute("pragma foreign_keys = off")
                migrations.apply(db)
                _check_foreign_keys(db)
            return pending
        finally:
            db.close()


def require_current(path: Path) -> None:
    """Refuse with ``PreconditionFailed`` while a migration is pending."""
    if not path.is_file():
        raise PreconditionFailed(
            "database.missing", f"There is no database {path}: run `matinee init`."
        )
    db = Database(path)
    try:
        pending = [each.name for each in migrations.pending(db)]
    finally:
        db.close()
    if pending:
        raise PreconditionFailed(
            "database.old",
            f"The database needs {len(pending)} migration(s): run `matinee migrate`.",
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

BEGIN TRANSACTION;
CREATE TABLE "_sqlite_migrations" (
   "id" INTEGER PRIMARY KEY,
   "migration_set" TEXT,
   "name" TEXT,
   "applied_at" TEXT
);
INSERT INTO "_sqlite_migrations" VALUES(1,'matinee','people','2026-11-21 19:48:55.515114+00:00');
INSERT INTO "_sqlite_migrations" VALUES(2,'matinee','library','2026-11-21 19:48:55.541925+00:00');
INSERT INTO "_sqlite_migrations" VALUES(3,'matinee','media','2026-11-21 19:48:55.555900+00:00');
INSERT INTO "_sqlite_migrations" VALUES(4,'matinee','watching','2026-11-21 19:48:55.566071+00:00');
INSERT INTO "_sqlite_migrations" VALUES(5,'matinee','protection','2026-11-21 19:48:55.579958+00:00');
INSERT INTO "_sqlite_migrations" VALUES(6,'matinee','rights','2026-11-21 19:48:55.599379+00:00');
INSERT INTO "_sqlite_migrations" VALUES(7,'matinee','streams','2026-11-21 19:48:55.609283+00:00');
INSERT INTO "_sqlite_migrations" VALUES(8,'matinee','places','2026-11-21 19:48:55.612903+00:00');
INSERT INTO "_sqlite_migrations" VALUES(9,'matinee','versions','2026-11-21 19:48:55.630563+00:00');
INSERT INTO "_sqlite_migrations" VALUES(10,'matinee','previews','2026-11-21 19:48:55.634405+00:00');
INSERT INTO "_sqlite_migrations" VALUES(11,'matinee','shapes','2026-11-21 19:48:55.669382+00:00');
INSERT INTO "_sqlite_migrations" VALUES(12,'matinee','tastes','2026-11-21 19:48:55.689562+00:00');
INSERT INTO "_sqlite_migrations" VALUES(13,'matinee','telling','2026-11-21 19:48:55.692124+00:00');
INSERT INTO "_sqlite_migrations" VALUES(14,'matinee','handling','2026-11-21 19:48:55.696277+00:00');
INSERT INTO "_sqlite_migrations" VALUES(15,'matinee','searching','2026-11-21 19:48:55.705620+00:00');
CREATE TABLE accounts (
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
, pin_hash text) strict;
CREATE TABLE announcements (
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
CREATE TABLE "artwork" (
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
CREATE TABLE asset_versions (
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
CREATE TABLE assets (
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
, analysis text, source_removed_at text, preview text) strict;
CREATE TABLE availability_windows (
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
CREATE TABLE bulk_changes (
    id integer primary key,
    public_id text not null unique,
    account_id integer references accounts (id) on delete set null,
    username text not null,
    changes text not null,
    created_at text not null,
    undone_at text
) strict;
CREATE TABLE bulk_titles (
    bulk_id integer not null references bulk_changes (id) on delete cascade,
    title_id integer not null references titles (id) on delete cascade,
    before text not null,
    after text not null,
    primary key (bulk_id, title_id)
) strict;
CREATE TABLE collection_titles (
    collection_id integer not null references collections (id) on delete cascade,
    title_id integer not null references titles (id) on delete cascade,
    position integer not null default 0,
    primary key (collection_id, title_id)
) strict;
CREATE TABLE collections (
    id integer primary key,
    public_id text not null unique,
    slug text not null unique,
    name text not null,
    synopsis text not null default '',
    artwork text,
    created_at text not null,
    updated_at text not null
) strict;
CREATE TABLE content_keys (
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
CREATE TABLE credits (
    title_id integer not null references titles (id) on delete cascade,
    person_id integer not null references people (id) on delete cascade,
    job text not null,
    character text not null default '',
    position integer not null default 0,
    primary key (title_id, person_id, job, character)
) strict;
CREATE TABLE custom_fields (
    id integer primary key,
    key text not null unique,
    label text not null,
    kind text not null check (kind in ('text', 'number', 'date', 'choice', 'yes-no')),
    choices text not null default '[]',
    position integer not null default 0
) strict;
CREATE TABLE "entitlements" (
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
INSERT INTO "entitlements" VALUES(1,'6351e4b448104568','everyone',NULL,NULL,'all',NULL,'installation',NULL,NULL,NULL,NULL,NULL,0,NULL,'1970-01-01T00:00:00.000000Z');
CREATE TABLE events (
    id integer primary key,
    at text not null,
    name text not null,
    actor_id integer,
    actor_name text not null,
    address text not null default '',
    subject text not null,
    data text not null default '{}'
) strict;
CREATE TABLE fetches (
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
CREATE TABLE genres (
    id integer primary key,
    slug text not null unique,
    name text not null
) strict;
CREATE TABLE group_members (
    group_id integer not null references groups (id) on delete cascade,
    account_id integer not null references accounts (id) on delete cascade,
    primary key (group_id, account_id)
) strict;
CREATE TABLE groups (
    id integer primary key,
    public_id text not null unique,
    name text not null unique
) strict;
CREATE TABLE home_row_titles (
    row_id integer not null references home_rows (id) on delete cascade,
    title_id integer not null references titles (id) on delete cascade,
    position integer not null default 0,
    primary key (row_id, title_id)
) strict;
CREATE TABLE home_rows (
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
INSERT INTO "home_rows" VALUES(1,'hero','hero','','{}','{}',NULL,0,1,'everyone',NULL,NULL,NULL,1,'1970-01-01T00:00:00.000000Z','1970-01-01T00:00:00.000000Z');
INSERT INTO "home_rows" VALUES(2,'continue','continue','','{}','{}',NULL,1,1,'everyone',NULL,NULL,NULL,1,'1970-01-01T00:00:00.000000Z','1970-01-01T00:00:00.000000Z');
INSERT INTO "home_rows" VALUES(3,'next','next','','{}','{}',NULL,2,1,'everyone',NULL,NULL,NULL,1,'1970-01-01T00:00:00.000000Z','1970-01-01T00:00:00.000000Z');
INSERT INTO "home_rows" VALUES(4,'list','list','','{}','{}',NULL,3,1,'everyone',NULL,NULL,NULL,1,'1970-01-01T00:00:00.000000Z','1970-01-01T00:00:00.000000Z');
INSERT INTO "home_rows" VALUES(5,'new','new','','{}','{}',NULL,4,1,'everyone',NULL,NULL,NULL,1,'1970-01-01T00:00:00.000000Z','1970-01-01T00:00:00.000000Z');
INSERT INTO "home_rows" VALUES(6,'leaving','leaving','','{}','{}',NULL,5,1,'everyone',NULL,NULL,NULL,1,'1970-01-01T00:00:00.000000Z','1970-01-01T00:00:00.000000Z');
INSERT INTO "home_rows" VALUES(7,'genres','genres','','{}','{}',NULL,6,1,'everyone',NULL,NULL,NULL,1,'1970-01-01T00:00:00.000000Z','1970-01-01T00:00:00.000000Z');
CREATE TABLE identities (
    provider text not null,
    subject text not null,
    account_id integer not null references accounts (id) on delete cascade,
    created_at text not null,
    primary key (provider, subject)
) strict;
CREATE TABLE imports (
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
CREATE TABLE jobs (
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
, paused integer not null default 0, request text not null default '{}') strict;
CREATE TABLE leftovers (
    id integer primary key,
    place text not null check (place in ('local', 'objects')),
    path text not null,
    unique (place, path)
) strict;
CREATE TABLE libraries (
    id integer primary key,
    public_id text not null unique,
    slug text not null unique,
    name text not null,
    policy text not null default '{}',
    created_at text not null,
    updated_at text not null
) strict;
CREATE TABLE library_version (
    id integer primary key check (id = 1),
    version integer not null
) strict;
INSERT INTO "library_version" VALUES(1,1);
CREATE TABLE licence_policies (
    id integer primary key,
    name text not null unique collate nocase,
    document text not null,
    created_at text not null,
    updated_at text not null
) strict;
CREATE TABLE mails (
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
CREATE TABLE markers (
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
CREATE TABLE my_list (
    profile_id integer not null references profiles (id) on delete cascade,
    title_id integer not null references titles (id) on delete cascade,
    added_at text not null,
    primary key (profile_id, title_id)
) strict;
CREATE TABLE one_time_tokens (
    token_hash text primary key,
    purpose text not null,
    account_id integer references accounts (id) on delete cascade,
    created_at text not null,
    expires_at text not null,
    used_at text
) strict;
CREATE TABLE people (
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
CREATE TABLE playback_sessions (
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
, sign_in text not null default '', address text not null default '', user_agent text not null default '', max_height integer, uhd integer not null default 0, licences integer not null default 0, preview integer not null default 0) strict;
CREATE TABLE preferences (
    key text primary key,
    value text not null,
    revision integer not null default 1,
    changed_by text not null,
    changed_at text not null
) strict;
CREATE TABLE profiles (
    id integer primary key,
    public_id text not null unique,
    account_id integer not null references accounts (id) on delete cascade,
    name text not null,
    created_at text not null
, rating_limit integer
    check (rating_limit between 0 and 21), avatar text not null default '', language text not null default '', kids integer not null default 0, pin_hash text, preferences text not null default '{}') strict;
CREATE TABLE progress (
    profile_id integer not null references profiles (id) on delete cascade,
    asset_id integer not null references assets (id) on delete cascade,
    position real not null,
    duration real not null,
    finished integer not null default 0,
    hidden integer not null default 0,
    updated_at text not null,
    primary key (profile_id, asset_id)
) strict;
CREATE TABLE qc_reports (
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
CREATE TABLE recovery_codes (
    account_id integer not null references accounts (id) on delete cascade,
    code_hash text not null,
    used_at text,
    primary key (account_id, code_hash)
) strict;
CREATE TABLE role_assignments (
    account_id integer not null references accounts (id) on delete cascade,
    role text not null,
    scope text not null default '*',
    primary key (account_id, role, scope)
) strict;
CREATE TABLE search_documents (
    title_id integer primary key references titles (id) on delete cascade,
    names text not null,
    people text not null,
    tags text not null,
    synopsis text not null
) strict;
CREATE TABLE search_due (
    kind text not null check (kind in ('title', 'person')),
    id integer not null,
    primary key (kind, id)
) strict, without rowid;
PRAGMA writable_schema=ON;
INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql)VALUES('table','search_fts','search_fts',0,'CREATE VIRTUAL TABLE search_fts using fts5 (
    names, people, tags, synopsis,
    content = ''search_documents'', content_rowid = ''title_id'',
    tokenize = ''unicode61 remove_diacritics 2'', prefix = ''2 3''
)');
CREATE TABLE 'search_fts_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO "search_fts_config" VALUES('version',4);
CREATE TABLE 'search_fts_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO "search_fts_data" VALUES(1,X'');
INSERT INTO "search_fts_data" VALUES(10,X'00000000000000');
CREATE TABLE 'search_fts_docsize'(id INTEGER PRIMARY KEY, sz BLOB);
CREATE TABLE 'search_fts_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
CREATE TABLE search_grams (
    gram text not null,
    word_id integer not null references search_words (id) on delete cascade,
    primary key (gram, word_id)
) strict, without rowid;
CREATE TABLE search_names (
    name text not null,
    title_id integer not null references titles (id) on delete cascade,
    primary key (name, title_id)
) strict, without rowid;
CREATE TABLE search_people (
    person_id integer primary key references people (id) on delete cascade,
    name text not null
) strict;
INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql)VALUES('table','search_people_fts','search_people_fts',0,'CREATE VIRTUAL TABLE search_people_fts using fts5 (
    name, content = ''search_people'', content_rowid = ''person_id'',
    tokenize = ''unicode61 remove_diacritics 2'', prefix = ''2 3''
)');
CREATE TABLE 'search_people_fts_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO "search_people_fts_config" VALUES('version',4);
CREATE TABLE 'search_people_fts_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO "search_people_fts_data" VALUES(1,X'');
INSERT INTO "search_people_fts_data" VALUES(10,X'00000000000000');
CREATE TABLE 'search_people_fts_docsize'(id INTEGER PRIMARY KEY, sz BLOB);
CREATE TABLE 'search_people_fts_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
CREATE TABLE search_words (
    id integer primary key,
    word text not null unique
) strict;
CREATE TABLE seasons (
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
CREATE TABLE sessions (
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
, profile_chosen_at text, name text not null default '', scopes text not null default '') strict;
CREATE TABLE sign_in_failures (
    source text primary key,
    failures integer not null,
    failed_at text not null,
    blocked_until text
) strict;
CREATE TABLE spoken (
    id integer primary key,
    title_id integer not null references titles (id) on delete cascade,
    track text not null,
    language text not null,
    starts real not null,
    text text not null,
    words text not null
) strict;
INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql)VALUES('table','spoken_fts','spoken_fts',0,'CREATE VIRTUAL TABLE spoken_fts using fts5 (
    words, content = ''spoken'', content_rowid = ''id'',
    tokenize = ''unicode61 remove_diacritics 2'', prefix = ''3''
)');
CREATE TABLE 'spoken_fts_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO "spoken_fts_config" VALUES('version',4);
CREATE TABLE 'spoken_fts_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO "spoken_fts_data" VALUES(1,X'');
INSERT INTO "spoken_fts_data" VALUES(10,X'00000000000000');
CREATE TABLE 'spoken_fts_docsize'(id INTEGER PRIMARY KEY, sz BLOB);
CREATE TABLE 'spoken_fts_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
CREATE TABLE tags (
    id integer primary key,
    slug text not null unique,
    name text not null
) strict;
CREATE TABLE thumbs (
    profile_id integer not null references profiles (id) on delete cascade,
    title_id integer not null references titles (id) on delete cascade,
    value integer not null check (value in (-1, 1, 2)),
    at text not null,
    primary key (profile_id, title_id)
) strict;
CREATE TABLE title_genres (
    title_id integer not null references titles (id) on delete cascade,
    genre_id integer not null references genres (id) on delete cascade,
    shown_at text,
    primary key (genre_id, title_id)
) strict;
CREATE TABLE title_reviews (
    id integer primary key,
    title_id integer not null references titles (id) on delete cascade,
    decision text not null check (decision in ('asked', 'approved', 'rejected')),
    note text not null default '',
    revision integer not null,
    account_id integer references accounts (id) on delete set null,
    username text not null,
    at text not null
) strict;
CREATE TABLE title_tags (
    title_id integer not null references titles (id) on delete cascade,
    tag_id integer not null references tags (id) on delete cascade,
    primary key (tag_id, title_id)
) strict;
CREATE TABLE title_translations (
    title_id integer not null references titles (id) on delete cascade,
    language text not null,
    name text not null default '',
    synopsis text not null default '',
    primary key (title_id, language)
) strict;
CREATE TABLE titles (
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
, key_systems text not null default '[]', scheme text not null default ''
    check (scheme in ('', 'cbcs', 'cenc')), policy_id integer
    references licence_policies (id) on delete set null, library_id integer
    references libraries (id) on delete set null, parent_id integer
    references titles (id) on delete cascade, season_number integer check (season_number >= 0), episode_number integer check (episode_number >= 0), original_name text not null default '', logo text, age integer check (age between 0 and 21), windowed integer not null default 0, external_id text, revision integer not null default 1, review text not null default ''
    check (review in ('', 'asked', 'approved', 'rejected')), review_note text not null default '', removed_at text, removed_from text, custom text not null default '{}') strict;
INSERT INTO sqlite_master(type,name,tbl_name,rootpage,sql)VALUES('table','titles_fts','titles_fts',0,'CREATE VIRTUAL TABLE titles_fts using fts5 (
    name, synopsis,
    content = ''titles'', content_rowid = ''id'',
    tokenize = ''unicode61 remove_diacritics 2'', prefix = ''2 3''
)');
CREATE TABLE 'titles_fts_config'(k PRIMARY KEY, v) WITHOUT ROWID;
INSERT INTO "titles_fts_config" VALUES('version',4);
CREATE TABLE 'titles_fts_data'(id INTEGER PRIMARY KEY, block BLOB);
INSERT INTO "titles_fts_data" VALUES(1,X'');
INSERT INTO "titles_fts_data" VALUES(10,X'00000000000000');
CREATE TABLE 'titles_fts_docsize'(id INTEGER PRIMARY KEY, sz BLOB);
CREATE TABLE 'titles_fts_idx'(segid, term, pgno, PRIMARY KEY(segid, term)) WITHOUT ROWID;
CREATE TABLE track_files (
    track_id integer primary key references tracks (id) on delete cascade,
    files text not null
) strict;
CREATE TABLE tracks (
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
, scheme text not null default ''
    check (scheme in ('', 'cbcs', 'cenc')), kid text, iv text, place text not null default 'local'
    check (place in ('local', 'objects')), retired_at text) strict;
CREATE TABLE uploads (
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
CREATE TABLE webhook_deliveries (
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
CREATE TABLE webhooks (
    id integer primary key,
    public_id text not null unique,
    url text not null,
    secret text not null,
    events text not null default '[]',
    enabled integer not null default 1,
    cursor integer not null default 0,
    created_at text not null
) strict;
CREATE TABLE work_units (
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
    ended_at text, queue text not null default 'cpu'
    check (queue in ('cpu', 'gpu', 'speech')), node text not null default '',
    unique (job_id, name)
) strict;
CREATE UNIQUE INDEX "idx__sqlite_migrations_migration_set_name"
    ON "_sqlite_migrations" ("migration_set", "name");
CREATE INDEX accounts_payer on accounts (payer_id);
CREATE INDEX identities_account on identities (account_id);
CREATE INDEX group_members_account on group_members (account_id);
CREATE INDEX profiles_account on profiles (account_id);
CREATE INDEX sessions_profile on sessions (profile_id);
CREATE INDEX sessions_account on sessions (account_id);
CREATE INDEX one_time_tokens_account on one_time_tokens (account_id);
CREATE INDEX sign_in_failures_age on sign_in_failures (failed_at);
CREATE INDEX events_subject on events (subject);
CREATE INDEX titles_state on titles (state, published_at desc, id desc);
CREATE INDEX titles_creator on titles (created_by);
CREATE INDEX title_genres_title on title_genres (title_id);
CREATE INDEX title_genres_shown
    on title_genres (genre_id, shown_at desc, title_id desc)
    where shown_at is not null;
CREATE TRIGGER title_genres_insert after insert on title_genres begin
    update title_genres
    set shown_at = (
        select published_at from titles
        where id = new.title_id and state = 'published'
    )
    where genre_id = new.genre_id and title_id = new.title_id;
end;
CREATE TRIGGER titles_shown after update of state, published_at on titles begin
    update title_genres
    set shown_at = case when new.state = 'published' then new.published_at end
    where title_id = new.id;
end;
CREATE TRIGGER library_version_title_new after insert on titles begin
    update library_version set version = version + 1;
end;
CREATE TRIGGER library_version_title_gone after delete on titles begin
    update library_version set version = version + 1;
end;
CREATE TRIGGER library_version_genre after insert on title_genres begin
    update library_version set version = version + 1;
end;
CREATE TRIGGER library_version_genre_gone after delete on title_genres begin
    update library_version set version = version + 1;
end;
CREATE TRIGGER titles_fts_insert after insert on titles begin
    insert into titles_fts (rowid, name, synopsis)
    values (new.id, new.name, new.synopsis);
end;
CREATE TRIGGER titles_fts_delete after delete on titles begin
    insert into titles_fts (titles_fts, rowid, name, synopsis)
    values ('delete', old.id, old.name, old.synopsis);
end;
CREATE TRIGGER titles_fts_update after update of name, synopsis on titles begin
    insert into titles_fts (titles_fts, rowid, name, synopsis)
    values ('delete', old.id, old.name, old.synopsis);
    insert into titles_fts (rowid, name, synopsis)
    values (new.id, new.name, new.synopsis);
end;
CREATE INDEX assets_title on assets (title_id);
CREATE INDEX tracks_asset on tracks (asset_id);
CREATE INDEX uploads_asset on uploads (asset_id);
CREATE INDEX uploads_title on uploads (title_id);
CREATE INDEX uploads_account on uploads (account_id, state);
CREATE INDEX uploads_watched on uploads (filename) where origin = 'watch';
CREATE INDEX jobs_state on jobs (state, priority desc, id);
CREATE INDEX jobs_asset on jobs (asset_id);
CREATE INDEX work_units_state on work_units (state);
CREATE INDEX playback_sessions_asset on playback_sessions (asset_id);
CREATE INDEX playback_sessions_profile on playback_sessions (profile_id);
CREATE INDEX playback_sessions_account on playback_sessions (account_id, ended_at);
CREATE INDEX playback_sessions_open on playback_sessions (expires_at)
    where ended_at is null;
CREATE INDEX progress_asset on progress (asset_id);
CREATE INDEX progress_recent on progress (profile_id, finished, updated_at desc);
CREATE INDEX titles_policy on titles (policy_id) where policy_id is not null;
CREATE INDEX content_keys_kek on content_keys (kek);
CREATE INDEX entitlements_subject on entitlements (subject, subject_id);
CREATE INDEX entitlements_object
    on entitlements (object, object_id, subject, subject_id);
CREATE INDEX entitlements_policy on entitlements (policy_id)
    where policy_id is not null;
CREATE TRIGGER entitlements_of_title after delete on titles begin
    delete from entitlements where object = 'title' and object_id = old.id;
end;
CREATE TRIGGER entitlements_of_account after delete on accounts begin
    delete from entitlements where subject = 'account' and subject_id = old.id;
end;
CREATE TRIGGER entitlements_of_group after delete on groups begin
    delete from entitlements where subject = 'group' and subject_id = old.id;
end;
CREATE INDEX availability_windows_title on availability_windows (title_id);
CREATE INDEX availability_windows_group on availability_windows (group_id)
    where group_id is not null;
CREATE INDEX playback_sessions_sign_in on playback_sessions (sign_in)
    where ended_at is null;
CREATE TRIGGER leftovers_of_track after delete on tracks
    when old.place = 'objects'
begin
    insert into leftovers (place, path) values (old.place, old.path)
    on conflict do nothing;
end;
CREATE INDEX titles_library on titles (library_id) where library_id is not null;
CREATE INDEX tracks_retired on tracks (retired_at) where retired_at is not null;
CREATE INDEX qc_reports_reviewer on qc_reports (reviewer_id)
    where reviewer_id is not null;
CREATE INDEX markers_asset on markers (asset_id, starts_at);
CREATE UNIQUE INDEX titles_external on titles (external_id)
    where external_id is not null;
CREATE INDEX titles_parent
    on titles (parent_id, season_number, episode_number)
    where parent_id is not null;
CREATE INDEX titles_removed on titles (removed_at) where removed_at is not null;
CREATE INDEX titles_top on titles (published_at desc, id desc)
    where state = 'published' and parent_id is null;
CREATE TRIGGER windows_new after insert on availability_windows begin
    update titles set windowed = 1
    where id = new.title_id or parent_id = new.title_id;
    update library_version set version = version + 1;
end;
CREATE TRIGGER windows_gone after delete on availability_windows begin
    update titles set windowed = exists (
        select 1 from availability_windows
        where title_id in (titles.id, titles.parent_id)
    )
    where id = old.title_id or parent_id = old.title_id;
    update library_version set version = version + 1;
end;
CREATE TRIGGER windows_of_parent after update of parent_id on titles begin
    update titles set windowed = exists (
        select 1 from availability_windows
        where title_id in (new.id, new.parent_id)
    )
    where id = new.id;
end;
CREATE TRIGGER windows_of_part after insert on titles
when new.parent_id is not null begin
    update titles set windowed = exists (
        select 1 from availability_windows where title_id = new.parent_id
    )
    where id = new.id;
end;
CREATE TRIGGER library_version_title after update of
    slug, name, synopsis, year, rating, runtime_seconds, state, poster, backdrop,
    published_at, kind, parent_id, season_number, episode_number, logo, age, removed_at
on titles begin
    update library_version set version = version + 1;
end;
CREATE TRIGGER age_of_part after insert on titles
when new.parent_id is not null and new.rating = '' begin
    update titles set age = (select age from titles where id = new.parent_id)
    where id = new.id;
end;
CREATE TRIGGER age_of_unrated after update of rating, parent_id on titles
when new.parent_id is not null and new.rating = '' begin
    update titles set age = (select age from titles where id = new.parent_id)
    where id = new.id;
end;
CREATE TRIGGER age_of_parent after update of age on titles
when new.age is not old.age begin
    update titles set age = new.age where parent_id = new.id and rating = '';
end;
CREATE TRIGGER library_version_season after update on seasons begin
    update library_version set version = version + 1;
end;
CREATE INDEX credits_person on credits (person_id, job);
CREATE INDEX title_tags_title on title_tags (title_id);
CREATE TRIGGER library_version_translation after insert on title_translations begin
    update library_version set version = version + 1;
end;
CREATE TRIGGER library_version_retranslation after update on title_translations begin
    update library_version set version = version + 1;
end;
CREATE TRIGGER library_version_untranslated after delete on title_translations begin
    update library_version set version = version + 1;
end;
CREATE INDEX people_name on people (name collate nocase);
CREATE INDEX artwork_title on artwork (title_id, kind);
CREATE INDEX my_list_recent on my_list (profile_id, added_at desc);
CREATE INDEX my_list_title on my_list (title_id);
CREATE INDEX thumbs_title on thumbs (title_id);
CREATE INDEX collection_titles_title on collection_titles (title_id);
CREATE TRIGGER entitlements_of_collection after delete on collections begin
    delete from entitlements where object = 'collection' and object_id = old.id;
end;
CREATE INDEX home_rows_collection on home_rows (collection_id)
    where collection_id is not null;
CREATE INDEX home_rows_group on home_rows (group_id) where group_id is not null;
CREATE INDEX home_row_titles_title on home_row_titles (title_id);
CREATE INDEX webhook_deliveries_hook on webhook_deliveries (webhook_id, id desc);
CREATE INDEX webhook_deliveries_due on webhook_deliveries (next_at)
    where state = 'waiting';
CREATE INDEX mails_due on mails (next_at) where state = 'waiting';
CREATE INDEX bulk_changes_account on bulk_changes (account_id)
    where account_id is not null;
CREATE INDEX title_reviews_title on title_reviews (title_id, id desc);
CREATE INDEX title_reviews_account on title_reviews (account_id)
    where account_id is not null;
CREATE INDEX bulk_titles_title on bulk_titles (title_id);
CREATE INDEX imports_account on imports (account_id) where account_id is not null;
CREATE INDEX fetches_open on fetches (id) where state in ('waiting', 'running');
CREATE INDEX fetches_title on fetches (title_id) where title_id is not null;
CREATE INDEX fetches_account on fetches (account_id) where account_id is not null;
CREATE INDEX assets_hash on assets (source_sha256) where source_sha256 is not null;
CREATE INDEX titles_changed on titles (updated_at desc, id desc);
CREATE INDEX titles_named on titles (name collate nocase, id);
CREATE INDEX windows_end on availability_windows (ends_at) where ends_at is not null;
CREATE TRIGGER search_documents_new after insert on search_documents begin
    insert into search_fts (rowid, names, people, tags, synopsis)
    values (new.title_id, new.names, new.people, new.tags, new.synopsis);
end;
CREATE TRIGGER search_documents_gone after delete on search_documents begin
    insert into search_fts (search_fts, rowid, names, people, tags, synopsis)
    values ('delete', old.title_id, old.names, old.people, old.tags, old.synopsis);
end;
CREATE INDEX search_names_title on search_names (title_id);
CREATE TRIGGER search_people_new after insert on search_people begin
    insert into search_people_fts (rowid, name) values (new.person_id, new.name);
end;
CREATE TRIGGER search_people_gone after delete on search_people begin
    insert into search_people_fts (search_people_fts, rowid, name)
    values ('delete', old.person_id, old.name);
end;
CREATE INDEX search_grams_word on search_grams (word_id);
CREATE INDEX spoken_title on spoken (title_id, track);
CREATE TRIGGER spoken_new after insert on spoken begin
    insert into spoken_fts (rowid, words) values (new.id, new.words);
end;
CREATE TRIGGER spoken_gone after delete on spoken begin
    insert into spoken_fts (spoken_fts, rowid, words)
    values ('delete', old.id, old.words);
end;
CREATE INDEX tracks_languages on tracks (kind, language, asset_id)
    where retired_at is null;
CREATE INDEX titles_top_named on titles (name collate nocase, id)
    where state = 'published' and parent_id is null;
CREATE INDEX titles_top_kind on titles (kind, published_at desc, id desc)
    where state = 'published' and parent_id is null;
CREATE INDEX titles_top_long on titles (runtime_seconds desc, id desc)
    where state = 'published' and parent_id is null;
CREATE INDEX titles_top_short on titles (coalesce(runtime_seconds, 1e9), id)
    where state = 'published' and parent_id is null;
CREATE INDEX titles_top_year on titles (year desc, id desc)
    where state = 'published' and parent_id is null;
CREATE INDEX windows_start on availability_windows (starts_at)
    where starts_at is not null;
CREATE TRIGGER search_due_title after insert on titles begin
                insert into search_due (kind, id) values ('title', new.id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_title_changed after update of name, original_name, synopsis on titles begin
                insert into search_due (kind, id) values ('title', new.id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_translation after insert on title_translations begin
                insert into search_due (kind, id) values ('title', new.title_id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_translation_changed after update on title_translations begin
                insert into search_due (kind, id) values ('title', new.title_id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_translation_gone after delete on title_translations begin
                insert into search_due (kind, id) values ('title', old.title_id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_person after insert on people begin
                insert into search_due (kind, id) values ('person', new.id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_person_changed after update of name on people begin
                insert into search_due (kind, id) values ('person', new.id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_person_titles after update of name on people begin
                insert into search_due (kind, id) select 'title', title_id from credits where person_id =  new.id on conflict do nothing;
            end;
CREATE TRIGGER search_due_credit after insert on credits begin
                insert into search_due (kind, id) values ('title', new.title_id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_credit_gone after delete on credits begin
                insert into search_due (kind, id) values ('title', old.title_id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_tag after insert on title_tags begin
                insert into search_due (kind, id) values ('title', new.title_id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_tag_gone after delete on title_tags begin
                insert into search_due (kind, id) values ('title', old.title_id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_tag_changed after update of name on tags begin
                insert into search_due (kind, id) select 'title', title_id from title_tags where tag_id = new.id on conflict do nothing;
            end;
CREATE TRIGGER search_due_genre after insert on title_genres begin
                insert into search_due (kind, id) values ('title', new.title_id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_genre_gone after delete on title_genres begin
                insert into search_due (kind, id) values ('title', old.title_id) on conflict do nothing;
            end;
CREATE TRIGGER search_due_track after insert on tracks when new.kind = 'text' begin
                insert into search_due (kind, id) select 'title', title_id from assets where id =  new.asset_id on conflict do nothing;
            end;
CREATE TRIGGER search_due_track_changed after update of retired_at, language on tracks when new.kind = 'text' begin
                insert into search_due (kind, id) select 'title', title_id from assets where id =  new.asset_id on conflict do nothing;
            end;
CREATE TRIGGER search_due_track_gone after delete on tracks when old.kind = 'text' begin
                insert into search_due (kind, id) select 'title', title_id from assets where id =  old.asset_id on conflict do nothing;
            end;
CREATE TRIGGER library_version_home_rows_insert after insert on home_rows
                begin update library_version set version = version + 1; end;
CREATE TRIGGER library_version_home_rows_update after update on home_rows
                begin update library_version set version = version + 1; end;
CREATE TRIGGER library_version_home_rows_delete after delete on home_rows
                begin update library_version set version = version + 1; end;
CREATE TRIGGER library_version_home_row_titles_insert after insert on home_row_titles
                begin update library_version set version = version + 1; end;
CREATE TRIGGER library_version_home_row_titles_update after update on home_row_titles
                begin update library_version set version = version + 1; end;
CREATE TRIGGER library_version_home_row_titles_delete after delete on home_row_titles
                begin update library_version set version = version + 1; end;
CREATE TRIGGER library_version_collections_insert after insert on collections
                begin update library_version set version = version + 1; end;
CREATE TRIGGER library_version_collections_update after update on collections
                begin update library_version set version = version + 1; end;
CREATE TRIGGER library_version_collections_delete after delete on collections
                begin update library_version set version = version + 1; end;
CREATE TRIGGER library_version_collection_titles_insert after insert on collection_titles
                begin update library_version set version = version + 1; end;
CREATE TRIGGER library_version_collection_titles_update after update on collection_titles
                begin update library_version set version = version + 1; end;
CREATE TRIGGER library_version_collection_titles_delete after delete on collection_titles
                begin update library_version set version = version + 1; end;
PRAGMA writable_schema=OFF;
COMMIT;

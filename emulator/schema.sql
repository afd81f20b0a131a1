-- Everything a task hub must remember. Times are ISO 8601 texts in UTC, which sort by time.

CREATE TABLE instances (
    instance_id   TEXT PRIMARY KEY,
    execution_id  TEXT NOT NULL,
    name          TEXT NOT NULL,
    version       TEXT,
    status        TEXT NOT NULL,
    input         TEXT,
    output        TEXT,
    custom_status TEXT,
    created       TEXT NOT NULL,
    updated       TEXT NOT NULL,
    parent        TEXT,
    generation    INTEGER NOT NULL DEFAULT 0
) WITHOUT ROWID;
CREATE INDEX instances_by_creation ON instances (created);

-- One row per episode: its events as the inside of a JSON array.
CREATE TABLE history (
    instance_id TEXT NOT NULL,
    episode     INTEGER NOT NULL,
    events      TEXT NOT NULL,
    PRIMARY KEY (instance_id, episode)
) WITHOUT ROWID;

-- Messages an orchestration hasn't taken yet. Without an execution id they are for whichever runs.
CREATE TABLE inbox (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    instance_id  TEXT NOT NULL,
    execution_id TEXT,
    event        TEXT NOT NULL
);
CREATE INDEX inbox_by_instance ON inbox (instance_id);

-- Activities that were scheduled and have no recorded result yet.
CREATE TABLE activities (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    instance_id  TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    task_id      INTEGER NOT NULL,
    name         TEXT NOT NULL,
    input        TEXT NOT NULL
);
CREATE INDEX activities_by_instance ON activities (instance_id);

CREATE TABLE timers (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    instance_id  TEXT NOT NULL,
    execution_id TEXT NOT NULL,
    task_id      INTEGER NOT NULL,
    fire_at      TEXT NOT NULL
);
CREATE INDEX timers_by_instance ON timers (instance_id);

-- When timer-triggered functions last ran.
CREATE TABLE schedules (
    function TEXT PRIMARY KEY,
    last     TEXT NOT NULL
) WITHOUT ROWID;

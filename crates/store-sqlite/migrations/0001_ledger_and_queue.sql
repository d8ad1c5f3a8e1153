-- Ids are 16 bytes, times UTC microseconds, bodies bytes. What is called sealed opens only with a key that is not in here.

CREATE TABLE facts (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organizations (
  id              BLOB PRIMARY KEY,
  slug            TEXT NOT NULL UNIQUE,
  last_run_number INTEGER NOT NULL DEFAULT 0,
  created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  id              BLOB PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations (id),
  name            TEXT NOT NULL,
  hash            BLOB NOT NULL UNIQUE,
  created_at      INTEGER NOT NULL,
  UNIQUE (organization_id, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE agents (
  id              BLOB PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations (id),
  provider        TEXT NOT NULL,
  name            TEXT NOT NULL,
  description     TEXT,
  -- Sealed.
  config          BLOB NOT NULL,
  is_active       INTEGER NOT NULL,
  created_at      INTEGER NOT NULL,
  updated_at      INTEGER NOT NULL,
  -- Its runs stay, and so does the row.
  deleted_at      INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX agents_names ON agents (organization_id, name) WHERE deleted_at IS NULL;
CREATE INDEX agents_newest ON agents (organization_id, created_at DESC, id DESC);

CREATE TABLE test_suites (
  id              BLOB PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations (id),
  name            TEXT NOT NULL,
  description     TEXT,
  scenario_count  INTEGER NOT NULL,
  created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX test_suites_newest ON test_suites (organization_id, created_at DESC, id DESC);

CREATE TABLE runs (
  id              BLOB PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations (id),
  number          INTEGER NOT NULL,
  agent_id        BLOB NOT NULL REFERENCES agents (id),
  test_suite_id   BLOB REFERENCES test_suites (id),
  name            TEXT NOT NULL,
  status          TEXT NOT NULL,
  -- How often the run became final; each time has one event.
  generation      INTEGER NOT NULL DEFAULT 0,
  planned         INTEGER,
  passed          INTEGER NOT NULL DEFAULT 0,
  failed          INTEGER NOT NULL DEFAULT 0,
  error           INTEGER NOT NULL DEFAULT 0,
  total           INTEGER NOT NULL DEFAULT 0,
  reported        INTEGER NOT NULL DEFAULT 0,
  started_at      INTEGER,
  completed_at    INTEGER,
  created_at      INTEGER NOT NULL,
  UNIQUE (organization_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX runs_of_agent ON runs (agent_id, number DESC);
CREATE INDEX runs_by_status ON runs (organization_id, status, number DESC);

CREATE TABLE scenario_results (
  run_id      BLOB NOT NULL REFERENCES runs (id),
  scenario_id TEXT NOT NULL,
  position    INTEGER NOT NULL,
  content     BLOB NOT NULL,
  PRIMARY KEY (run_id, scenario_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE events (
  id              BLOB PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations (id),
  kind            TEXT NOT NULL,
  -- Both missing for a test.
  run_id          BLOB REFERENCES runs (id),
  generation      INTEGER,
  content         BLOB NOT NULL,
  created_at      INTEGER NOT NULL,
  UNIQUE (run_id, generation)
) STRICT, WITHOUT ROWID;

CREATE TABLE webhooks (
  id                   BLOB PRIMARY KEY,
  organization_id      BLOB NOT NULL REFERENCES organizations (id),
  agent_id             BLOB REFERENCES agents (id),
  url                  TEXT NOT NULL,
  -- Sealed; the rotated one signs, too, until its time.
  secret               BLOB,
  rotated_secret       BLOB,
  rotated_until        INTEGER,
  description          TEXT,
  is_enabled           INTEGER NOT NULL,
  disabled_reason      TEXT,
  last_triggered_at    INTEGER,
  consecutive_failures INTEGER NOT NULL DEFAULT 0,
  created_at           INTEGER NOT NULL,
  updated_at           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX webhooks_one_per_organization ON webhooks (organization_id) WHERE agent_id IS NULL;
CREATE UNIQUE INDEX webhooks_one_per_agent ON webhooks (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX webhooks_newest ON webhooks (organization_id, created_at DESC, id DESC);

-- A webhook may be deleted, its deliveries stay; hence no reference to it.
CREATE TABLE deliveries (
  id              BLOB PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations (id),
  event_id        BLOB NOT NULL REFERENCES events (id),
  kind            TEXT NOT NULL,
  webhook_id      BLOB NOT NULL,
  agent_id        BLOB,
  run_id          BLOB,
  run_number      INTEGER,
  url             TEXT NOT NULL,
  status          TEXT NOT NULL,
  attempt_count   INTEGER NOT NULL DEFAULT 0,
  -- Attempts that ended in failure; an interrupted one is not among them.
  failures        INTEGER NOT NULL DEFAULT 0,
  -- When a pending delivery may be claimed: its next attempt, or the end of the lease it is under.
  due_at          INTEGER,
  lease_token     BLOB,
  http_status     INTEGER,
  duration_ms     INTEGER,
  redelivery_of   BLOB,
  created_at      INTEGER NOT NULL,
  completed_at    INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE status = 'pending';
CREATE INDEX deliveries_pending_of_webhook ON deliveries (webhook_id) WHERE status = 'pending';
CREATE INDEX deliveries_newest ON deliveries (organization_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_webhook ON deliveries (webhook_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_run ON deliveries (run_id, created_at DESC, id DESC);

CREATE TABLE attempts (
  delivery_id   BLOB NOT NULL REFERENCES deliveries (id),
  number        INTEGER NOT NULL,
  started_at    INTEGER NOT NULL,
  duration_ms   INTEGER,
  http_status   INTEGER,
  error_kind    TEXT,
  error_message TEXT,
  PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;

-- Apart from the attempts, so that lists never read bodies.
CREATE TABLE messages (
  delivery_id BLOB NOT NULL,
  number      INTEGER NOT NULL,
  direction   TEXT NOT NULL,
  headers     BLOB NOT NULL,
  body        BLOB NOT NULL,
  size_bytes  INTEGER NOT NULL,
  truncated   INTEGER NOT NULL,
  PRIMARY KEY (delivery_id, number, direction),
  FOREIGN KEY (delivery_id, number) REFERENCES attempts (delivery_id, number)
) STRICT;

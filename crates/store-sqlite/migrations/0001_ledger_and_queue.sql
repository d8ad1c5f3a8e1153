-- Ids are 16 bytes, times UTC microseconds, bodies bytes. What is called sealed opens only with a key that is not in here.

CREATE TABLE facts (
  name  TEXT PRIMARY KEY,
  value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE organizations (
  id              BLOB PRIMARY KEY,
  slug            TEXT NOT NULL UNIQUE,
  last_run_number INTEGER NOT NULL DEFAULT 0,
  -- The number of the latest change of one of its deliveries.
  last_change     INTEGER NOT NULL DEFAULT 0,
  created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE api_keys (
  id              BLOB PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations (id),
  name            TEXT NOT NULL,
  scope           TEXT NOT NULL,
  prefix          TEXT NOT NULL,
  hash            BLOB NOT NULL UNIQUE,
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER,
  last_used_at    INTEGER,
  revoked_at      INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX api_keys_names ON api_keys (organization_id, name) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_newest ON api_keys (organization_id, created_at DESC, id DESC);

-- Who signs in to the pages.
CREATE TABLE members (
  id                BLOB PRIMARY KEY,
  organization_id   BLOB NOT NULL REFERENCES organizations (id),
  email             TEXT NOT NULL UNIQUE,
  role              TEXT NOT NULL,
  -- Hashed.
  password          TEXT NOT NULL,
  joined_at         INTEGER NOT NULL,
  last_signed_in_at INTEGER,
  UNIQUE (organization_id, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX members_earliest ON members (organization_id, joined_at, id);

CREATE TABLE invitations (
  id              BLOB PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations (id),
  hash            BLOB NOT NULL UNIQUE,
  purpose         TEXT NOT NULL,
  -- Of whoever joins.
  role            TEXT,
  -- Whose password is reset.
  member_id       BLOB,
  created_at      INTEGER NOT NULL,
  expires_at      INTEGER NOT NULL,
  -- Missing for what the command line made.
  created_by      BLOB REFERENCES members (id) ON DELETE CASCADE,
  FOREIGN KEY (organization_id, member_id) REFERENCES members (organization_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX invitations_one_setup ON invitations (organization_id) WHERE purpose = 'set_up';
CREATE UNIQUE INDEX invitations_one_reset ON invitations (organization_id, member_id) WHERE member_id IS NOT NULL;
CREATE INDEX invitations_newest ON invitations (organization_id, created_at DESC, id DESC);
CREATE INDEX invitations_expiring ON invitations (expires_at);
CREATE INDEX invitations_made ON invitations (created_by) WHERE created_by IS NOT NULL;

CREATE TABLE sessions (
  hash       BLOB PRIMARY KEY,
  member_id  BLOB NOT NULL REFERENCES members (id) ON DELETE CASCADE,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX sessions_newest ON sessions (member_id, created_at DESC, hash);
CREATE INDEX sessions_expiring ON sessions (expires_at);

CREATE TABLE agents (
  id              BLOB PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations (id),
  provider        TEXT NOT NULL,
  name            TEXT NOT NULL,
  description     TEXT,
  -- Sealed.
  config          BLOB NOT NULL,
  is_active       INTEGER NOT NULL,
  version         INTEGER NOT NULL,
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
  created_at      INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX runs_newest ON runs (organization_id, number DESC);
CREATE INDEX runs_of_agent ON runs (organization_id, agent_id, number DESC);
-- With the agent, so that those of other agents are passed over without being read.
CREATE INDEX runs_by_status ON runs (organization_id, status, number DESC, agent_id);

-- How many runs there are, so that nobody has to count them. Follows from whatever changes a run, in the same transaction.
CREATE TABLE run_counts (
  organization_id BLOB NOT NULL,
  agent_id        BLOB NOT NULL,
  status          TEXT NOT NULL,
  runs            INTEGER NOT NULL,
  PRIMARY KEY (organization_id, agent_id, status)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER runs_count_new AFTER INSERT ON runs
BEGIN
  INSERT INTO run_counts VALUES (NEW.organization_id, NEW.agent_id, NEW.status, 1) ON CONFLICT DO UPDATE SET runs = runs + 1;
END;
CREATE TRIGGER runs_count_changed AFTER UPDATE OF status ON runs WHEN NEW.status <> OLD.status
BEGIN
  UPDATE run_counts SET runs = runs - 1
  WHERE organization_id = OLD.organization_id AND agent_id = OLD.agent_id AND status = OLD.status;
  INSERT INTO run_counts VALUES (NEW.organization_id, NEW.agent_id, NEW.status, 1) ON CONFLICT DO UPDATE SET runs = runs + 1;
END;
CREATE TRIGGER runs_count_gone AFTER DELETE ON runs
BEGIN
  UPDATE run_counts SET runs = runs - 1
  WHERE organization_id = OLD.organization_id AND agent_id = OLD.agent_id AND status = OLD.status;
END;

CREATE TABLE scenario_results (
  run_id      BLOB NOT NULL REFERENCES runs (id),
  scenario_id TEXT NOT NULL,
  position    INTEGER NOT NULL,
  status      TEXT NOT NULL,
  content     BLOB NOT NULL,
  PRIMARY KEY (run_id, scenario_id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX scenario_results_in_order ON scenario_results (run_id, position);
CREATE INDEX scenario_results_by_status ON scenario_results (run_id, status, position);

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
  last_rotation        BLOB,
  description          TEXT,
  is_enabled           INTEGER NOT NULL,
  disabled_reason      TEXT,
  last_triggered_at    INTEGER,
  consecutive_failures INTEGER NOT NULL DEFAULT 0,
  version              INTEGER NOT NULL,
  created_at           INTEGER NOT NULL,
  updated_at           INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX webhooks_one_per_organization ON webhooks (organization_id) WHERE agent_id IS NULL;
CREATE UNIQUE INDEX webhooks_one_per_agent ON webhooks (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX webhooks_newest ON webhooks (organization_id, created_at DESC, id DESC);

-- Who was shown the secret of a webhook, counted for each; the newest are kept.
CREATE TABLE secret_reveals (
  webhook_id BLOB NOT NULL REFERENCES webhooks (id),
  number     INTEGER NOT NULL,
  email      TEXT NOT NULL,
  at         INTEGER NOT NULL,
  PRIMARY KEY (webhook_id, number)
) STRICT, WITHOUT ROWID;

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
  -- The bulk redelivery that made it.
  redelivery_job  BLOB,
  created_at      INTEGER NOT NULL,
  completed_at    INTEGER,
  change          INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE status = 'pending';
CREATE INDEX deliveries_canceled_under_way ON deliveries (id) WHERE status = 'canceled' AND lease_token IS NOT NULL;
CREATE INDEX deliveries_pending_of_webhook ON deliveries (webhook_id) WHERE status = 'pending';
CREATE INDEX deliveries_newest ON deliveries (organization_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_webhook ON deliveries (webhook_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_run ON deliveries (run_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_agent ON deliveries (agent_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_webhook_and_agent ON deliveries (webhook_id, agent_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_event ON deliveries (event_id, created_at DESC, id DESC);
CREATE INDEX deliveries_repeated ON deliveries (event_id, created_at DESC, id DESC) WHERE redelivery_of IS NOT NULL;
CREATE INDEX deliveries_by_status ON deliveries (organization_id, status, created_at DESC, id DESC);
-- No bulk redelivery repeats anything twice, whatever happens to it.
CREATE UNIQUE INDEX deliveries_of_job ON deliveries (redelivery_job, redelivery_of) WHERE redelivery_job IS NOT NULL;
CREATE INDEX deliveries_pending_of_job ON deliveries (redelivery_job) WHERE status = 'pending' AND redelivery_job IS NOT NULL;

-- What was decided about each webhook that could have heard of an ending, or one row that says that there was none. Frozen.
CREATE TABLE decisions (
  run_id          BLOB NOT NULL REFERENCES runs (id),
  generation      INTEGER NOT NULL,
  position        INTEGER NOT NULL,
  event_id        BLOB NOT NULL REFERENCES events (id),
  level           TEXT,
  webhook_id      BLOB,
  url             TEXT,
  ruling          TEXT NOT NULL,
  disabled_reason TEXT,
  -- It may be kept for a shorter time than this.
  delivery_id     BLOB,
  decided_at      INTEGER NOT NULL,
  PRIMARY KEY (run_id, generation DESC, position)
) STRICT, WITHOUT ROWID;

-- A bulk redelivery. What it repeats was fixed when it was created: by its filter, by that time, and by the newest delivery then.
CREATE TABLE redelivery_jobs (
  id               BLOB PRIMARY KEY,
  organization_id  BLOB NOT NULL REFERENCES organizations (id),
  status           TEXT NOT NULL,
  of_status        TEXT NOT NULL,
  webhook_id       BLOB,
  agent_id         BLOB,
  run_id           BLOB,
  created_after    INTEGER,
  created_before   INTEGER,
  total            INTEGER NOT NULL,
  enqueued         INTEGER NOT NULL DEFAULT 0,
  skipped_deleted  INTEGER NOT NULL DEFAULT 0,
  skipped_disabled INTEGER NOT NULL DEFAULT 0,
  -- The last delivery that was looked at; it goes on behind it.
  reached_at       INTEGER,
  reached_id       BLOB,
  created_at       INTEGER NOT NULL,
  completed_at     INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX redelivery_jobs_newest ON redelivery_jobs (organization_id, created_at DESC, id DESC);
CREATE INDEX redelivery_jobs_running ON redelivery_jobs (id) WHERE status = 'running';

CREATE INDEX deliveries_changed ON deliveries (organization_id, change);

-- Whatever changes a delivery gives it the next number of its organization in the same transaction.
CREATE TRIGGER deliveries_number_new AFTER INSERT ON deliveries
BEGIN
  UPDATE organizations SET last_change = last_change + 1 WHERE id = NEW.organization_id;
  UPDATE deliveries SET change = (SELECT last_change FROM organizations WHERE id = NEW.organization_id) WHERE id = NEW.id;
END;
CREATE TRIGGER deliveries_number_changed
AFTER UPDATE OF status, attempt_count, due_at, lease_token, url, http_status, duration_ms, completed_at ON deliveries
BEGIN
  UPDATE organizations SET last_change = last_change + 1 WHERE id = NEW.organization_id;
  UPDATE deliveries SET change = (SELECT last_change FROM organizations WHERE id = NEW.organization_id) WHERE id = NEW.id;
END;

CREATE TABLE attempts (
  delivery_id   BLOB NOT NULL REFERENCES deliveries (id),
  number        INTEGER NOT NULL,
  started_at    INTEGER NOT NULL,
  duration_ms   INTEGER,
  -- The parts of it, in microseconds; missing if they did not happen.
  resolve_us    INTEGER,
  connect_us    INTEGER,
  tls_us        INTEGER,
  first_byte_us INTEGER,
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

-- Calls that may be repeated under a key of their callers, named by a hash that holds it.
CREATE TABLE calls (
  id              BLOB PRIMARY KEY,
  organization_id BLOB NOT NULL REFERENCES organizations (id),
  -- The id of what the call creates.
  subject         BLOB NOT NULL,
  -- Sealed, both.
  fingerprint     BLOB NOT NULL,
  answer          BLOB,
  token           BLOB NOT NULL,
  began_at        INTEGER NOT NULL,
  -- Missing when the call is in nobody's hands.
  held_until      INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_oldest ON calls (began_at);
CREATE INDEX calls_held ON calls (held_until) WHERE held_until IS NOT NULL;

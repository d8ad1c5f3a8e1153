-- Bodies are bytes: text holds no NUL here. What is called sealed opens only with a key that is not in here. Times come from the
-- program, which asks the server for none.

CREATE TABLE facts (
  name  TEXT PRIMARY KEY,
  value BYTEA NOT NULL
);

CREATE TABLE organizations (
  id              UUID PRIMARY KEY,
  slug            TEXT COLLATE "C" NOT NULL UNIQUE,
  last_run_number BIGINT NOT NULL DEFAULT 0,
  created_at      TIMESTAMPTZ NOT NULL
);

CREATE TABLE api_keys (
  id              UUID PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations (id),
  name            TEXT COLLATE "C" NOT NULL,
  scope           TEXT NOT NULL,
  prefix          TEXT NOT NULL,
  hash            BYTEA NOT NULL UNIQUE,
  created_at      TIMESTAMPTZ NOT NULL,
  expires_at      TIMESTAMPTZ,
  last_used_at    TIMESTAMPTZ,
  revoked_at      TIMESTAMPTZ
);
CREATE UNIQUE INDEX api_keys_names ON api_keys (organization_id, name) WHERE revoked_at IS NULL;
CREATE INDEX api_keys_newest ON api_keys (organization_id, created_at DESC, id DESC);

-- Who signs in to the pages.
CREATE TABLE members (
  id                UUID PRIMARY KEY,
  organization_id   UUID NOT NULL REFERENCES organizations (id),
  email             TEXT COLLATE "C" NOT NULL UNIQUE,
  role              TEXT NOT NULL,
  -- Hashed.
  password          TEXT NOT NULL,
  joined_at         TIMESTAMPTZ NOT NULL,
  last_signed_in_at TIMESTAMPTZ,
  UNIQUE (organization_id, id)
);
CREATE INDEX members_earliest ON members (organization_id, joined_at, id);

CREATE TABLE invitations (
  id              UUID PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations (id),
  hash            BYTEA NOT NULL UNIQUE,
  purpose         TEXT NOT NULL,
  -- Of whoever joins.
  role            TEXT,
  -- Whose password is reset.
  member_id       UUID,
  created_at      TIMESTAMPTZ NOT NULL,
  expires_at      TIMESTAMPTZ NOT NULL,
  -- Missing for what the command line made.
  created_by      UUID REFERENCES members (id) ON DELETE CASCADE,
  FOREIGN KEY (organization_id, member_id) REFERENCES members (organization_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX invitations_one_setup ON invitations (organization_id) WHERE purpose = 'set_up';
CREATE UNIQUE INDEX invitations_one_reset ON invitations (organization_id, member_id) WHERE member_id IS NOT NULL;
CREATE INDEX invitations_newest ON invitations (organization_id, created_at DESC, id DESC);
CREATE INDEX invitations_expiring ON invitations (expires_at);
CREATE INDEX invitations_made ON invitations (created_by) WHERE created_by IS NOT NULL;

CREATE TABLE sessions (
  hash       BYTEA PRIMARY KEY,
  member_id  UUID NOT NULL REFERENCES members (id) ON DELETE CASCADE,
  created_at TIMESTAMPTZ NOT NULL,
  expires_at TIMESTAMPTZ NOT NULL
);
CREATE INDEX sessions_newest ON sessions (member_id, created_at DESC, hash);
CREATE INDEX sessions_expiring ON sessions (expires_at);

CREATE TABLE agents (
  id              UUID PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations (id),
  provider        TEXT NOT NULL,
  name            TEXT COLLATE "C" NOT NULL,
  description     TEXT,
  -- Sealed.
  config          BYTEA NOT NULL,
  is_active       BOOLEAN NOT NULL,
  version         BIGINT NOT NULL,
  created_at      TIMESTAMPTZ NOT NULL,
  updated_at      TIMESTAMPTZ NOT NULL,
  -- Its runs stay, and so does the row.
  deleted_at      TIMESTAMPTZ
);
CREATE UNIQUE INDEX agents_names ON agents (organization_id, name) WHERE deleted_at IS NULL;
CREATE INDEX agents_newest ON agents (organization_id, created_at DESC, id DESC);

CREATE TABLE test_suites (
  id              UUID PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations (id),
  name            TEXT COLLATE "C" NOT NULL,
  description     TEXT,
  scenario_count  BIGINT NOT NULL,
  created_at      TIMESTAMPTZ NOT NULL
);
CREATE INDEX test_suites_newest ON test_suites (organization_id, created_at DESC, id DESC);

CREATE TABLE runs (
  id              UUID PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations (id),
  number          BIGINT NOT NULL,
  agent_id        UUID NOT NULL REFERENCES agents (id),
  test_suite_id   UUID REFERENCES test_suites (id),
  name            TEXT COLLATE "C" NOT NULL,
  status          TEXT NOT NULL,
  -- How often the run became final; each time has one event.
  generation      BIGINT NOT NULL DEFAULT 0,
  planned         BIGINT,
  passed          BIGINT NOT NULL DEFAULT 0,
  failed          BIGINT NOT NULL DEFAULT 0,
  error           BIGINT NOT NULL DEFAULT 0,
  total           BIGINT NOT NULL DEFAULT 0,
  reported        BIGINT NOT NULL DEFAULT 0,
  started_at      TIMESTAMPTZ,
  completed_at    TIMESTAMPTZ,
  created_at      TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX runs_newest ON runs (organization_id, number DESC);
CREATE INDEX runs_of_agent ON runs (organization_id, agent_id, number DESC);
-- With the agent, so that those of other agents are passed over without being read.
CREATE INDEX runs_by_status ON runs (organization_id, status, number DESC, agent_id);

-- How many runs there are, so that nobody has to count them. Follows from whatever changes a run, in the same transaction. Each
-- connection counts in a slot of its own, so that runs that end at once need not wait for each other; the sum counts.
CREATE TABLE run_counts (
  organization_id UUID NOT NULL,
  agent_id        UUID NOT NULL,
  status          TEXT NOT NULL,
  slot            BIGINT NOT NULL,
  runs            BIGINT NOT NULL,
  PRIMARY KEY (organization_id, agent_id, status, slot)
);
CREATE FUNCTION count_run(organization UUID, agent UUID, in_status TEXT, difference BIGINT) RETURNS VOID
LANGUAGE sql AS $$
  INSERT INTO run_counts VALUES (organization, agent, in_status, pg_backend_pid() % 64, difference)
  ON CONFLICT (organization_id, agent_id, status, slot) DO UPDATE SET runs = run_counts.runs + difference
$$;
CREATE FUNCTION count_runs() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP <> 'INSERT' THEN PERFORM count_run(OLD.organization_id, OLD.agent_id, OLD.status, -1); END IF;
  IF TG_OP <> 'DELETE' THEN PERFORM count_run(NEW.organization_id, NEW.agent_id, NEW.status, 1); END IF;
  RETURN NULL;
END
$$;
CREATE TRIGGER runs_count_new AFTER INSERT ON runs FOR EACH ROW EXECUTE FUNCTION count_runs();
CREATE TRIGGER runs_count_changed AFTER UPDATE OF status ON runs
FOR EACH ROW WHEN (NEW.status <> OLD.status) EXECUTE FUNCTION count_runs();
CREATE TRIGGER runs_count_gone AFTER DELETE ON runs FOR EACH ROW EXECUTE FUNCTION count_runs();

CREATE TABLE scenario_results (
  run_id      UUID NOT NULL REFERENCES runs (id),
  scenario_id TEXT COLLATE "C" NOT NULL,
  position    BIGINT NOT NULL,
  status      TEXT NOT NULL,
  content     BYTEA NOT NULL,
  PRIMARY KEY (run_id, scenario_id)
);
CREATE UNIQUE INDEX scenario_results_in_order ON scenario_results (run_id, position);
CREATE INDEX scenario_results_by_status ON scenario_results (run_id, status, position);

CREATE TABLE events (
  id              UUID PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations (id),
  kind            TEXT NOT NULL,
  -- Both missing for a test.
  run_id          UUID REFERENCES runs (id),
  generation      BIGINT,
  content         BYTEA NOT NULL,
  created_at      TIMESTAMPTZ NOT NULL,
  UNIQUE (run_id, generation)
);

CREATE TABLE webhooks (
  id                   UUID PRIMARY KEY,
  organization_id      UUID NOT NULL REFERENCES organizations (id),
  agent_id             UUID REFERENCES agents (id),
  url                  TEXT NOT NULL,
  -- Sealed; the rotated one signs, too, until its time.
  secret               BYTEA,
  rotated_secret       BYTEA,
  rotated_until        TIMESTAMPTZ,
  last_rotation        UUID,
  description          TEXT,
  is_enabled           BOOLEAN NOT NULL,
  disabled_reason      TEXT,
  version              BIGINT NOT NULL,
  created_at           TIMESTAMPTZ NOT NULL,
  updated_at           TIMESTAMPTZ NOT NULL
);
CREATE UNIQUE INDEX webhooks_one_per_organization ON webhooks (organization_id) WHERE agent_id IS NULL;
CREATE UNIQUE INDEX webhooks_one_per_agent ON webhooks (agent_id) WHERE agent_id IS NOT NULL;
CREATE INDEX webhooks_newest ON webhooks (organization_id, created_at DESC, id DESC);

-- How a webhook does. Apart from it, because every attempt writes here, and nobody who reads a webhook must wait for that.
CREATE TABLE webhook_health (
  webhook_id           UUID PRIMARY KEY REFERENCES webhooks (id) ON DELETE CASCADE,
  last_triggered_at    TIMESTAMPTZ,
  consecutive_failures BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- Who was shown the secret of a webhook, counted for each; the newest are kept.
CREATE TABLE secret_reveals (
  webhook_id UUID NOT NULL REFERENCES webhooks (id),
  number     BIGINT NOT NULL,
  email      TEXT COLLATE "C" NOT NULL,
  at         TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (webhook_id, number)
);

-- Processes that hold leases. One whose beat does not go on is dead.
CREATE TABLE nodes (
  id   UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  beat BIGINT NOT NULL DEFAULT 0
) WITH (fillfactor = 50);

-- A webhook may be deleted, its deliveries stay; hence no reference to it.
--
-- Ids begin with the time, so this table and those of attempts and messages are split by them into weeks, and what is old goes
-- a whole week at a time. Rows of no week lie in the default one.
CREATE TABLE deliveries (
  id              UUID PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations (id),
  event_id        UUID NOT NULL REFERENCES events (id),
  kind            TEXT NOT NULL,
  webhook_id      UUID NOT NULL,
  agent_id        UUID,
  run_id          UUID,
  run_number      BIGINT,
  url             TEXT NOT NULL,
  status          TEXT NOT NULL,
  attempt_count   BIGINT NOT NULL DEFAULT 0,
  -- Attempts that ended in failure; an interrupted one is not among them.
  failures        BIGINT NOT NULL DEFAULT 0,
  -- When a pending delivery may be claimed: its next attempt, or the end of the lease it is under.
  due_at          TIMESTAMPTZ,
  lease_token     UUID,
  -- Who holds the lease.
  lease_node      UUID,
  http_status     BIGINT,
  duration_ms     BIGINT,
  redelivery_of   UUID,
  -- The bulk redelivery that made it.
  redelivery_job  UUID,
  created_at      TIMESTAMPTZ NOT NULL,
  completed_at    TIMESTAMPTZ,
  change          BIGINT NOT NULL DEFAULT 0
) PARTITION BY RANGE (id);
CREATE TABLE deliveries_other PARTITION OF deliveries DEFAULT;
-- With the id, so that what is due at once is claimed in the order in which it was written.
CREATE INDEX deliveries_due ON deliveries (due_at, id) WHERE status = 'pending';
CREATE INDEX deliveries_leased ON deliveries (lease_node) WHERE lease_node IS NOT NULL;
CREATE INDEX deliveries_pending_of_webhook ON deliveries (webhook_id, id) WHERE status = 'pending';
CREATE INDEX deliveries_newest ON deliveries (organization_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_webhook ON deliveries (webhook_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_run ON deliveries (run_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_agent ON deliveries (agent_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_webhook_and_agent ON deliveries (webhook_id, agent_id, created_at DESC, id DESC);
CREATE INDEX deliveries_of_event ON deliveries (event_id, created_at DESC, id DESC);
CREATE INDEX deliveries_repeated ON deliveries (event_id, created_at DESC, id DESC) WHERE redelivery_of IS NOT NULL;
CREATE INDEX deliveries_by_status ON deliveries (organization_id, status, created_at DESC, id DESC);
CREATE INDEX deliveries_of_job ON deliveries (redelivery_job, redelivery_of) WHERE redelivery_job IS NOT NULL;
CREATE INDEX deliveries_pending_of_job ON deliveries (redelivery_job) WHERE status = 'pending' AND redelivery_job IS NOT NULL;

-- What was decided about each webhook that could have heard of an ending, or one row that says that there was none. Frozen.
CREATE TABLE decisions (
  run_id          UUID NOT NULL REFERENCES runs (id),
  generation      BIGINT NOT NULL,
  position        BIGINT NOT NULL,
  event_id        UUID NOT NULL REFERENCES events (id),
  level           TEXT,
  webhook_id      UUID,
  url             TEXT,
  ruling          TEXT NOT NULL,
  disabled_reason TEXT,
  -- It may be kept for a shorter time than this.
  delivery_id     UUID,
  decided_at      TIMESTAMPTZ NOT NULL,
  PRIMARY KEY (run_id, generation, position)
);

-- A bulk redelivery. What it repeats was fixed when it was created: by its filter, by that time, and by the newest delivery then.
CREATE TABLE redelivery_jobs (
  id               UUID PRIMARY KEY,
  organization_id  UUID NOT NULL REFERENCES organizations (id),
  status           TEXT NOT NULL,
  of_status        TEXT NOT NULL,
  webhook_id       UUID,
  agent_id         UUID,
  run_id           UUID,
  created_after    TIMESTAMPTZ,
  created_before   TIMESTAMPTZ,
  total            BIGINT NOT NULL,
  enqueued         BIGINT NOT NULL DEFAULT 0,
  skipped_deleted  BIGINT NOT NULL DEFAULT 0,
  skipped_disabled BIGINT NOT NULL DEFAULT 0,
  -- The last delivery that was looked at; it goes on behind it.
  reached_at       TIMESTAMPTZ,
  reached_id       UUID,
  created_at       TIMESTAMPTZ NOT NULL,
  completed_at     TIMESTAMPTZ
);
CREATE INDEX redelivery_jobs_newest ON redelivery_jobs (organization_id, created_at DESC, id DESC);
CREATE INDEX redelivery_jobs_running ON redelivery_jobs (id) WHERE status = 'running';

CREATE INDEX deliveries_changed ON deliveries (organization_id, change);

-- Numbers of changes. Transactions overlap, so a number says which one made the change, and readers stop before the earliest that
-- has not ended: what becomes visible later has a higher number than whatever was read. The base keeps numbers rising when a dump is
-- restored by a server that counts its transactions from a lower place.
CREATE TABLE change_base (base BIGINT NOT NULL);
INSERT INTO change_base VALUES (0);
CREATE SEQUENCE changes_in_transaction CACHE 32;
CREATE FUNCTION next_change() RETURNS BIGINT LANGUAGE sql VOLATILE AS $$
  SELECT ((pg_current_xact_id()::text::bigint + base) << 24) | (nextval('changes_in_transaction') & 16777215) FROM change_base
$$;
-- The earliest transaction under way in this database, or the next there will be; of roles that this one may not see, or of anybody if
-- there are such. To be asked before the statement that reads: what that one cannot see has not ended by now. Connections that only
-- listen change nothing.
CREATE FUNCTION earliest_transaction() RETURNS BIGINT LANGUAGE sql VOLATILE AS $$
  WITH at AS MATERIALIZED (
    SELECT pg_snapshot_xmax(snapshot)::text::bigint AS next, pg_snapshot_xmin(snapshot)::text::bigint AS of_anybody
    FROM pg_current_snapshot() AS snapshot),
  others AS MATERIALIZED (
    SELECT (at.next & ~4294967295) | backend_xid::text::bigint AS xid, usename IS DISTINCT FROM current_user AS is_hidden
    FROM at, pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'
    AND application_name <> 'preclinical-webhooks listener'),
  judged AS (
    SELECT min(CASE WHEN xid > at.next THEN xid - 4294967296 ELSE xid END) AS earliest, coalesce(bool_or(is_hidden), false) AS is_hidden
    FROM at, others)
  SELECT CASE WHEN judged.is_hidden THEN at.of_anybody ELSE least(at.next, judged.earliest) END FROM at, judged
$$;
-- The lowest number that may still appear.
CREATE FUNCTION change_horizon() RETURNS BIGINT LANGUAGE sql VOLATILE AS $$
  SELECT (earliest_transaction() + base) << 24 FROM change_base
$$;
CREATE FUNCTION number_delivery() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  NEW.change := next_change();
  RETURN NEW;
END
$$;
CREATE TRIGGER deliveries_number
BEFORE INSERT OR UPDATE OF status, attempt_count, due_at, lease_token, url, http_status, duration_ms, completed_at ON deliveries
FOR EACH ROW EXECUTE FUNCTION number_delivery();

CREATE TABLE attempts (
  delivery_id   UUID NOT NULL,
  number        BIGINT NOT NULL,
  started_at    TIMESTAMPTZ NOT NULL,
  duration_ms   BIGINT,
  -- The parts of it, in microseconds; missing if they did not happen.
  resolve_us    BIGINT,
  connect_us    BIGINT,
  tls_us        BIGINT,
  first_byte_us BIGINT,
  http_status   BIGINT,
  error_kind    TEXT,
  error_message TEXT,
  PRIMARY KEY (delivery_id, number)
) PARTITION BY RANGE (delivery_id);
CREATE TABLE attempts_other PARTITION OF attempts DEFAULT;

-- Apart from the attempts, so that lists never read bodies.
CREATE TABLE messages (
  delivery_id UUID NOT NULL,
  number      BIGINT NOT NULL,
  direction   TEXT NOT NULL,
  headers     BYTEA NOT NULL,
  body        BYTEA NOT NULL,
  size_bytes  BIGINT NOT NULL,
  truncated   BOOLEAN NOT NULL,
  PRIMARY KEY (delivery_id, number, direction)
) PARTITION BY RANGE (delivery_id);
CREATE TABLE messages_other PARTITION OF messages DEFAULT;

-- Calls that may be repeated under a key of their callers, named by a hash that holds it.
CREATE TABLE calls (
  id              BYTEA PRIMARY KEY,
  organization_id UUID NOT NULL REFERENCES organizations (id),
  -- The id of what the call creates.
  subject         UUID NOT NULL,
  -- Sealed, both.
  fingerprint     BYTEA NOT NULL,
  answer          BYTEA,
  token           UUID NOT NULL,
  began_at        TIMESTAMPTZ NOT NULL,
  -- Missing when the call is in nobody's hands.
  held_until      TIMESTAMPTZ,
  -- Who carries it out.
  held_by         UUID
);
CREATE INDEX calls_oldest ON calls (began_at);
CREATE INDEX calls_held ON calls (held_until) WHERE held_until IS NOT NULL;

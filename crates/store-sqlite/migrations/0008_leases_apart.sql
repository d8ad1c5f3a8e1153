-- A lease ends at a time of its own. So what is under way does not stand among what is due, and whoever starts finds it without looking
-- through all that waits. `due_at` is the next attempt, and nothing else.
ALTER TABLE deliveries ADD COLUMN lease_until INTEGER;
UPDATE deliveries SET lease_until = due_at, due_at = NULL WHERE status = 'pending' AND lease_token IS NOT NULL;
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
DROP INDEX deliveries_waiting;
CREATE INDEX deliveries_waiting ON deliveries (organization_id, webhook_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE lease_until IS NOT NULL;

-- In the order in which rows arrive, and read backwards: whatever is put before all others, again and again, leaves pages half empty.
DROP INDEX deliveries_newest;
CREATE INDEX deliveries_newest ON deliveries (organization_id, created_at, id);
DROP INDEX deliveries_of_webhook;
CREATE INDEX deliveries_of_webhook ON deliveries (webhook_id, created_at, id);
DROP INDEX deliveries_of_agent;
CREATE INDEX deliveries_of_agent ON deliveries (agent_id, created_at, id);
DROP INDEX deliveries_of_webhook_and_agent;
CREATE INDEX deliveries_of_webhook_and_agent ON deliveries (webhook_id, agent_id, created_at, id);
DROP INDEX runs_newest;
CREATE UNIQUE INDEX runs_newest ON runs (organization_id, number);
DROP INDEX runs_of_agent;
CREATE INDEX runs_of_agent ON runs (organization_id, agent_id, number);
DROP INDEX runs_by_status;
CREATE INDEX runs_by_status ON runs (organization_id, status, number, agent_id);

-- With whom it is for, so that those of others are passed over without being read.
DROP INDEX deliveries_by_status;
CREATE INDEX deliveries_by_status ON deliveries (organization_id, status, created_at, id, webhook_id, agent_id);
-- What did not arrive is rare, and looked for among everything that did.
CREATE INDEX deliveries_lost_of_webhook ON deliveries (organization_id, webhook_id, status, created_at, id, agent_id)
  WHERE status = 'failed' OR status = 'canceled';
CREATE INDEX deliveries_lost_of_agent ON deliveries (organization_id, agent_id, status, created_at, id)
  WHERE status = 'failed' OR status = 'canceled';

ALTER TABLE messages ADD COLUMN deflated INTEGER NOT NULL DEFAULT 0;

-- A decision's event stays with its run and is never deleted. With a reference to it, whoever deletes any other event has to look through
-- all decisions.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql, 'event_id        BLOB NOT NULL REFERENCES events (id)', 'event_id        BLOB NOT NULL')
WHERE type = 'table' AND name = 'decisions';
PRAGMA writable_schema = RESET;

-- Whoever inserts a delivery gives it its number: with a trigger on insertions SQLite copies each page that one changes, to undo it.
DROP TRIGGER deliveries_number_new;

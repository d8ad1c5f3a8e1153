-- A lease ends at a time of its own. So what is under way does not stand among what is due, and whoever starts finds it without looking
-- through all that waits. `due_at` is the next attempt, and nothing else.
ALTER TABLE deliveries ADD COLUMN lease_until INTEGER;
UPDATE deliveries SET lease_until = due_at, due_at = NULL WHERE status = 'pending' AND lease_token IS NOT NULL;
DROP INDEX deliveries_due;
CREATE INDEX deliveries_due ON deliveries (due_at) WHERE due_at IS NOT NULL;
DROP INDEX deliveries_waiting;
CREATE INDEX deliveries_waiting ON deliveries (organization_id, webhook_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_leased ON deliveries (lease_until) WHERE lease_until IS NOT NULL;

-- With whom it is for, so that those of others are passed over without being read.
DROP INDEX deliveries_by_status;
CREATE INDEX deliveries_by_status ON deliveries (organization_id, status, created_at DESC, id DESC, webhook_id, agent_id);
-- What did not arrive is rare, and looked for among everything that did.
CREATE INDEX deliveries_lost_of_webhook ON deliveries (organization_id, webhook_id, status, created_at DESC, id DESC, agent_id)
  WHERE status = 'failed' OR status = 'canceled';
CREATE INDEX deliveries_lost_of_agent ON deliveries (organization_id, agent_id, status, created_at DESC, id DESC)
  WHERE status = 'failed' OR status = 'canceled';

-- Whoever inserts a delivery gives it its number: with a trigger on insertions SQLite copies each page that one changes, to undo it.
DROP TRIGGER deliveries_number_new;

-- The steps of both stores have the same names. Here a claim passes over what is locked, and leases are found by their node.

-- In the order in which a node that still runs locks them.
LOCK TABLE webhooks, deliveries IN SHARE ROW EXCLUSIVE MODE;

-- What did not arrive is rare, and looked for among everything that did.
CREATE INDEX deliveries_lost_of_webhook ON deliveries (organization_id, webhook_id, status, created_at DESC, id DESC)
  WHERE status = 'failed' OR status = 'canceled';
CREATE INDEX deliveries_lost_of_agent ON deliveries (organization_id, agent_id, status, created_at DESC, id DESC)
  WHERE status = 'failed' OR status = 'canceled';

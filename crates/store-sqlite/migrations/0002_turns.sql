-- What is pending, by whom it is for: the way from one webhook to the next past all that waits before it.
CREATE INDEX deliveries_waiting ON deliveries (organization_id, webhook_id, due_at) WHERE status = 'pending';
DROP INDEX deliveries_pending_of_webhook;

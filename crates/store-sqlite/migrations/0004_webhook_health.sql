-- How a webhook does since its last success, and what it missed.
ALTER TABLE webhooks ADD COLUMN last_success_at INTEGER;
ALTER TABLE webhooks ADD COLUMN failing_since INTEGER;
ALTER TABLE webhooks ADD COLUMN exhausted_deliveries INTEGER NOT NULL DEFAULT 0;
ALTER TABLE webhooks ADD COLUMN missed_since INTEGER;
CREATE INDEX webhooks_given_up ON webhooks (organization_id, updated_at DESC, id DESC) WHERE disabled_reason IS NOT NULL;

-- Failed for good, or canceled because the webhook was disabled by us and not by its owner. What was missed before is not known.
ALTER TABLE deliveries ADD COLUMN missed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX deliveries_missed ON deliveries (webhook_id, created_at DESC, id DESC) WHERE missed = 1;

-- A replay of what a webhook missed.
ALTER TABLE redelivery_jobs ADD COLUMN missed_since INTEGER;
ALTER TABLE redelivery_jobs ADD COLUMN newest_per_agent INTEGER NOT NULL DEFAULT 0;

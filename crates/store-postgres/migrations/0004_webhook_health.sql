-- How a webhook does since its last success, and what it missed.
ALTER TABLE webhook_health
  ADD COLUMN last_success_at TIMESTAMPTZ,
  ADD COLUMN failing_since TIMESTAMPTZ,
  ADD COLUMN exhausted_deliveries BIGINT NOT NULL DEFAULT 0,
  ADD COLUMN missed_since TIMESTAMPTZ;
CREATE INDEX webhooks_given_up ON webhooks (organization_id, updated_at DESC, id DESC) WHERE disabled_reason IS NOT NULL;

-- Failed for good, or canceled because the webhook was disabled by us and not by its owner. What was missed before is not known.
ALTER TABLE deliveries ADD COLUMN missed BOOLEAN NOT NULL DEFAULT false;
CREATE INDEX deliveries_missed ON deliveries (webhook_id, created_at DESC, id DESC) WHERE missed;

-- A replay of what a webhook missed.
ALTER TABLE redelivery_jobs
  ADD COLUMN missed_since TIMESTAMPTZ,
  ADD COLUMN newest_per_agent BOOLEAN NOT NULL DEFAULT false;

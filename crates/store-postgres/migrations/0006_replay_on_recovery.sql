-- What of that which a webhook missed is replayed by itself. Beside what it missed, so that one index finds whom a replay is owed.
ALTER TABLE webhook_health ADD COLUMN replay_on_recovery TEXT NOT NULL DEFAULT 'off';
CREATE INDEX webhooks_recovered ON webhook_health (webhook_id) WHERE missed_since IS NOT NULL AND replay_on_recovery <> 'off';

-- How many replays that nobody ordered led to a delivery, and which jobs were such.
ALTER TABLE deliveries ADD COLUMN replays BIGINT NOT NULL DEFAULT 0;
CREATE INDEX deliveries_missed_last ON deliveries (webhook_id, completed_at) WHERE missed;
ALTER TABLE redelivery_jobs ADD COLUMN on_recovery BOOLEAN NOT NULL DEFAULT false;

-- Replays that run, or did not come to their end.
CREATE INDEX redelivery_jobs_unfinished ON redelivery_jobs (webhook_id)
  WHERE missed_since IS NOT NULL AND (status <> 'completed' OR skipped_disabled > 0);

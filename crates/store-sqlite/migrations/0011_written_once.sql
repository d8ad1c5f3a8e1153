-- What changes the status of a run counts it, once for all runs of an agent that a commit changes; and what changes a delivery gives it the
-- number of that change. To enter a trigger and to leave it again takes longer than that.
DROP TRIGGER runs_count_changed;
DROP TRIGGER deliveries_number_changed;

-- What has ended is under no lease, whatever program has recorded it.
UPDATE deliveries SET lease_until = NULL WHERE lease_until IS NOT NULL AND status <> 'pending';

-- A delivery is put into the indexes that tell what has ended or waits when it is no more under way: what is under way is found by its lease,
-- and seldom stays there for long. What a list passes over is passed over in the index, so each has all columns of its condition. Lists that
-- can be put together from others have no index of their own.
DROP INDEX deliveries_newest;
DROP INDEX deliveries_of_run;
DROP INDEX deliveries_by_status;
CREATE INDEX deliveries_by_status ON deliveries (organization_id, status, created_at, id, webhook_id, agent_id, lease_until)
  WHERE lease_until IS NULL;
DROP INDEX deliveries_changed;
CREATE INDEX deliveries_changed ON deliveries (organization_id, change) WHERE lease_until IS NULL;
DROP INDEX deliveries_leased;
CREATE INDEX deliveries_leased ON deliveries (lease_until, organization_id, change) WHERE lease_until IS NOT NULL;

-- What was decided about a run's end stands with its event. What was decided before stays in `decisions`.
ALTER TABLE events ADD COLUMN decisions BLOB;

-- An attempt has a row when it is over; while it is under way its delivery says since when. Attempts that are under way already have one.
ALTER TABLE deliveries ADD COLUMN attempt_started_at INTEGER;

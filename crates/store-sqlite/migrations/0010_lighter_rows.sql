-- What was sent and what came back are one row, the last of its table, and their attempt bears its number: that is written to one place
-- instead of four. What was kept before stays in `messages` until it is forgotten.
CREATE TABLE exchanges (
  id                 INTEGER PRIMARY KEY,
  request_headers    BLOB,
  request_body       BLOB,
  request_bytes      INTEGER,
  request_truncated  INTEGER,
  request_deflated   INTEGER,
  response_headers   BLOB,
  response_body      BLOB,
  response_bytes     INTEGER,
  response_truncated INTEGER,
  response_deflated  INTEGER
) STRICT;
ALTER TABLE attempts ADD COLUMN exchange INTEGER;

-- Every agent has a count of each status that a run can have, so that whoever changes a run changes counts and inserts none: with an
-- insertion that may find its row there SQLite copies each page that the change touches, to undo it.
INSERT INTO run_counts
  SELECT agents.organization_id, agents.id, statuses.name, 0
  FROM agents, (SELECT 'pending' AS name UNION ALL SELECT 'running' UNION ALL SELECT 'grading' UNION ALL SELECT 'completed'
                UNION ALL SELECT 'failed' UNION ALL SELECT 'canceled') AS statuses
  WHERE TRUE ON CONFLICT DO NOTHING;
CREATE TRIGGER run_counts_of_new_agent AFTER INSERT ON agents
BEGIN
  INSERT INTO run_counts VALUES
    (NEW.organization_id, NEW.id, 'pending', 0), (NEW.organization_id, NEW.id, 'running', 0), (NEW.organization_id, NEW.id, 'grading', 0),
    (NEW.organization_id, NEW.id, 'completed', 0), (NEW.organization_id, NEW.id, 'failed', 0), (NEW.organization_id, NEW.id, 'canceled', 0);
END;
DROP TRIGGER runs_count_new;
CREATE TRIGGER runs_count_new AFTER INSERT ON runs
BEGIN
  UPDATE run_counts SET runs = runs + 1
  WHERE organization_id = NEW.organization_id AND agent_id = NEW.agent_id AND status = NEW.status;
END;
DROP TRIGGER runs_count_changed;
CREATE TRIGGER runs_count_changed AFTER UPDATE OF status ON runs WHEN NEW.status <> OLD.status
BEGIN
  UPDATE run_counts SET runs = runs - 1
  WHERE organization_id = OLD.organization_id AND agent_id = OLD.agent_id AND status = OLD.status;
  UPDATE run_counts SET runs = runs + 1
  WHERE organization_id = NEW.organization_id AND agent_id = NEW.agent_id AND status = NEW.status;
END;

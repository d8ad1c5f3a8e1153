-- Runs that one statement changes are counted together. Counted one by one, each would leave behind it a version of the count that the
-- next must step over.
DROP TRIGGER runs_count_new ON runs;
DROP TRIGGER runs_count_changed ON runs;
DROP TRIGGER runs_count_gone ON runs;
DROP FUNCTION count_runs();
DROP FUNCTION count_run(UUID, UUID, TEXT, BIGINT);

-- In one order, so that those who count in the same slot wait for each other, and never in a circle. Of an agent that is the order in
-- which a run goes on: one transaction may have it begin and end, in two statements.
CREATE FUNCTION count_new_runs() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO run_counts (organization_id, agent_id, status, slot, runs)
  SELECT organization_id, agent_id, status, pg_backend_pid() % 64, count(*) FROM new_ones
  GROUP BY organization_id, agent_id, status
  ORDER BY organization_id, agent_id, array_position(ARRAY['pending', 'running', 'grading'], status), status
  ON CONFLICT (organization_id, agent_id, status, slot) DO UPDATE SET runs = run_counts.runs + EXCLUDED.runs;
  RETURN NULL;
END
$$;
CREATE FUNCTION count_changed_runs() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO run_counts (organization_id, agent_id, status, slot, runs)
  SELECT organization_id, agent_id, status, pg_backend_pid() % 64, sum(difference)
  FROM (SELECT organization_id, agent_id, status, 1 AS difference FROM new_ones
        UNION ALL SELECT organization_id, agent_id, status, -1 FROM old_ones) AS changed
  GROUP BY organization_id, agent_id, status HAVING sum(difference) <> 0
  ORDER BY organization_id, agent_id, array_position(ARRAY['pending', 'running', 'grading'], status), status
  ON CONFLICT (organization_id, agent_id, status, slot) DO UPDATE SET runs = run_counts.runs + EXCLUDED.runs;
  RETURN NULL;
END
$$;
CREATE FUNCTION count_gone_runs() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO run_counts (organization_id, agent_id, status, slot, runs)
  SELECT organization_id, agent_id, status, pg_backend_pid() % 64, -count(*) FROM old_ones
  GROUP BY organization_id, agent_id, status
  ORDER BY organization_id, agent_id, array_position(ARRAY['pending', 'running', 'grading'], status), status
  ON CONFLICT (organization_id, agent_id, status, slot) DO UPDATE SET runs = run_counts.runs + EXCLUDED.runs;
  RETURN NULL;
END
$$;
CREATE TRIGGER runs_count_new AFTER INSERT ON runs
REFERENCING NEW TABLE AS new_ones FOR EACH STATEMENT EXECUTE FUNCTION count_new_runs();
CREATE TRIGGER runs_count_changed AFTER UPDATE ON runs
REFERENCING OLD TABLE AS old_ones NEW TABLE AS new_ones FOR EACH STATEMENT EXECUTE FUNCTION count_changed_runs();
CREATE TRIGGER runs_count_gone AFTER DELETE ON runs
REFERENCING OLD TABLE AS old_ones FOR EACH STATEMENT EXECUTE FUNCTION count_gone_runs();

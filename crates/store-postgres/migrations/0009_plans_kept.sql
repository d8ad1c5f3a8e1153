-- What the end of a run takes, what a claim reads, and the successes of webhooks, as functions: a connection keeps the plans of what stands
-- in them, and nothing else of it, so that a pooler may stand between. A plan is kept however much the tables grow, so each of these
-- statements can be carried out in one way only: by the index that has what is wanted. What an index of too many rows could be found by is
-- judged in a CASE.

-- By whose runs a webhook hears of: its agent's, or all of its organization.
CREATE UNIQUE INDEX webhooks_of_whom ON webhooks (coalesce(agent_id, organization_id));

-- The runs of the organization that these ids name, locked in the order of their ids, and behind them the webhooks that may hear of them:
-- in one statement, since each begins anew with what the connection has at hand.
CREATE FUNCTION lock_runs(of_organization UUID, ids UUID[])
RETURNS TABLE (webhook_id UUID, agent_id UUID,
  id UUID, organization_id UUID, number BIGINT, name TEXT, agent_name TEXT, status TEXT, passed BIGINT, failed BIGINT, error BIGINT,
  total BIGINT, started_at TIMESTAMPTZ, completed_at TIMESTAMPTZ, created_at TIMESTAMPTZ, reported BIGINT, generation BIGINT,
  url TEXT, is_enabled BOOLEAN, disabled_reason TEXT, last_triggered_at TIMESTAMPTZ, last_success_at TIMESTAMPTZ,
  consecutive_failures BIGINT, secret BYTEA, rotated_secret BYTEA, rotated_until TIMESTAMPTZ, headers BYTEA)
LANGUAGE plpgsql SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT NULL::uuid, run.agent_id,
      run.id, run.organization_id, run.number, run.name, (SELECT agent.name FROM agents agent WHERE agent.id = run.agent_id), run.status,
      run.passed, run.failed, run.error, run.total, run.started_at, run.completed_at, run.created_at, run.reported, run.generation,
      NULL::text, NULL::boolean, NULL::text, NULL::timestamptz, NULL::timestamptz, NULL::bigint, NULL::bytea, NULL::bytea,
      NULL::timestamptz, NULL::bytea
    FROM runs run
    WHERE run.id = ANY(ids) AND CASE WHEN run.organization_id = of_organization THEN true ELSE false END
    ORDER BY run.id FOR NO KEY UPDATE;
  RETURN QUERY
    SELECT webhook.id, webhook.agent_id,
      NULL::uuid, NULL::uuid, NULL::bigint, NULL::text, NULL::text, NULL::text, NULL::bigint, NULL::bigint, NULL::bigint, NULL::bigint,
      NULL::timestamptz, NULL::timestamptz, NULL::timestamptz, NULL::bigint, NULL::bigint,
      url, is_enabled, disabled_reason, last_triggered_at, last_success_at, consecutive_failures, secret, rotated_secret, rotated_until,
      headers
    FROM webhooks webhook
    LEFT JOIN LATERAL (SELECT * FROM webhook_health WHERE webhook_id = webhook.id OFFSET 0) AS health ON true
    WHERE coalesce(webhook.agent_id, webhook.organization_id)
      = ANY(ARRAY(SELECT run.agent_id FROM runs run WHERE run.id = ANY(ids)) || of_organization)
    AND CASE WHEN webhook.organization_id = of_organization THEN true ELSE false END;
END
$$;

-- Writes the ends of runs of the organization, which are locked and were seen unfinished under these locks, their events, the deliveries
-- that follow, the first attempts of those that are under a lease, and what was decided about each webhook.
CREATE FUNCTION end_runs(of_organization UUID, of_kind TEXT, node UUID,
  runs UUID[], statuses TEXT[], passed BIGINT[], failed BIGINT[], error BIGINT[], total BIGINT[], started TIMESTAMPTZ[],
  completed TIMESTAMPTZ[], generations BIGINT[], events UUID[], contents BYTEA[], ended TIMESTAMPTZ[],
  deliveries UUID[], events_delivered UUID[], webhooks UUID[], agents UUID[], runs_delivered UUID[], numbers BIGINT[], urls TEXT[],
  delivery_statuses TEXT[], attempts BIGINT[], due TIMESTAMPTZ[], leases UUID[], written TIMESTAMPTZ[], canceled TIMESTAMPTZ[],
  missed BOOLEAN[],
  runs_decided UUID[], generations_decided BIGINT[], events_decided UUID[], decided TIMESTAMPTZ[], positions BIGINT[], levels TEXT[],
  webhooks_decided UUID[], urls_decided TEXT[], rulings TEXT[], reasons TEXT[], deliveries_decided UUID[])
RETURNS VOID LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
#variable_conflict use_column
BEGIN
  UPDATE runs SET status = one.status, passed = one.passed, failed = one.failed, error = one.error, total = one.total,
    started_at = one.started_at, completed_at = one.completed_at, generation = one.generation
    FROM unnest($4, $5, $6, $7, $8, $9, $10, $11, $12)
      AS one (id, status, passed, failed, error, total, started_at, completed_at, generation)
    WHERE runs.id = one.id;
  INSERT INTO events (organization_id, kind, id, run_id, generation, content, created_at)
    SELECT of_organization, of_kind, * FROM unnest($13, $4, $12, $14, $15);
  INSERT INTO deliveries (organization_id, kind, id, event_id, webhook_id, agent_id, run_id, run_number, url, status, attempt_count,
      due_at, lease_token, created_at, completed_at, missed, lease_node)
    SELECT of_organization, of_kind, one.*, CASE WHEN lease IS NOT NULL THEN node END
    FROM unnest($16, $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29)
      AS one (id, event, webhook, agent, run, number, url, status, attempts, due, lease, written, canceled, missed);
  INSERT INTO attempts (delivery_id, number, started_at)
    SELECT id, 1, at FROM unnest($16, $26, $27) AS one (id, lease, at) WHERE lease IS NOT NULL;
  INSERT INTO decisions (run_id, generation, event_id, decided_at, position, level, webhook_id, url, ruling, disabled_reason, delivery_id)
    SELECT * FROM unnest($30, $31, $32, $33, $34, $35, $36, $37, $38, $39, $40);
END
$$;

-- The functions below read deliveries of every week and write none: whoever may write to every week waits for one that is being forgotten.

-- What is due, oldest first and behind a place if there is one, locked. What another node is claiming just now is passed over, and what
-- a living one holds is its own also after the end of the lease: clocks of two nodes may differ.
CREATE FUNCTION lock_oldest_due(at TIMESTAMPTZ, most BIGINT, node UUID, behind_due TIMESTAMPTZ, behind UUID)
RETURNS TABLE (id UUID, kind TEXT, cut_off BOOLEAN, organization_id UUID, webhook_id UUID, due_at TIMESTAMPTZ,
  last_triggered_at TIMESTAMPTZ, last_success_at TIMESTAMPTZ, consecutive_failures BIGINT)
LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_bitmapscan = off SET enable_sort = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT delivery.id, kind, lease_token IS NOT NULL, organization_id, delivery.webhook_id, due_at, last_triggered_at, last_success_at,
      consecutive_failures
    FROM deliveries delivery
    LEFT JOIN LATERAL (SELECT * FROM webhook_health WHERE webhook_id = delivery.webhook_id OFFSET 0) AS health ON true
    WHERE status = 'pending' AND due_at <= at
    AND (due_at, delivery.id) > (coalesce(behind_due, '-infinity'), coalesce(behind, '00000000-0000-0000-0000-000000000000'))
    AND (lease_node IS NULL OR lease_node = node OR NOT EXISTS (SELECT FROM nodes WHERE nodes.id = lease_node))
    ORDER BY due_at, delivery.id LIMIT most FOR UPDATE OF delivery SKIP LOCKED;
END
$$;

-- All that sending these deliveries takes, in their order. Each is looked for by itself, and so in its week alone.
CREATE FUNCTION deliveries_to_send(ids UUID[])
RETURNS TABLE (id UUID, organization_id UUID, webhook_id UUID, attempt_count BIGINT, failures BIGINT, kind TEXT, url TEXT, content BYTEA,
  secret BYTEA, rotated_secret BYTEA, rotated_until TIMESTAMPTZ, headers BYTEA, may_be_sent BOOLEAN)
LANGUAGE plpgsql STABLE SET plan_cache_mode = force_generic_plan SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
  RETURN QUERY
    SELECT delivery.id, delivery.organization_id, delivery.webhook_id, attempt_count, failures, delivery.kind, webhook.url, event.content,
      secret, rotated_secret, rotated_until, headers, webhook.id IS NOT NULL AND (is_enabled OR delivery.kind = 'test')
    FROM unnest(ids) WITH ORDINALITY AS wanted (id, place)
    CROSS JOIN LATERAL (SELECT * FROM deliveries WHERE deliveries.id = wanted.id OFFSET 0) AS delivery
    CROSS JOIN LATERAL (SELECT events.content FROM events WHERE events.id = delivery.event_id OFFSET 0) AS event
    LEFT JOIN LATERAL (SELECT * FROM webhooks WHERE webhooks.id = delivery.webhook_id OFFSET 0) AS webhook ON true
    ORDER BY wanted.place;
END
$$;

-- Notes the last successes of webhooks of which nothing needs to be known of before.
CREATE FUNCTION note_successes(webhooks UUID[], times TIMESTAMPTZ[])
RETURNS VOID LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_nestloop = off AS $$
BEGIN
  PERFORM FROM webhook_health WHERE webhook_id = ANY(webhooks) ORDER BY webhook_id FOR UPDATE;
  UPDATE webhook_health SET last_triggered_at = success.at, last_success_at = success.at, consecutive_failures = 0, failing_since = NULL,
    exhausted_deliveries = 0
    FROM unnest(webhooks, times) AS success (id, at)
    WHERE webhook_health.webhook_id = ANY(webhooks) AND webhook_health.webhook_id = success.id;
END
$$;

-- The number is the same as before.
CREATE OR REPLACE FUNCTION next_change() RETURNS BIGINT LANGUAGE plpgsql VOLATILE AS $$
BEGIN
  RETURN (
    SELECT ((pg_current_xact_id()::text::bigint + base) << 24) | (nextval('changes_in_transaction') & 16777215) FROM change_base LIMIT 1);
END
$$;

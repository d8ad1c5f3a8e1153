-- What a database of step 11 may hold: work in every state that there is, by a process that died on 2026-01-30 at 10:30. Sealed with the
-- key of the tests. `crates/testkit/src/earlier.rs` says what must be found in it.

-- The week that this version made ready; what is older lies in the default part.
CREATE TABLE deliveries_20260126 PARTITION OF deliveries FOR VALUES FROM ('019bf799-a400-0000-0000-000000000000') TO ('019c1ba6-2800-0000-0000-000000000000');
CREATE TABLE attempts_20260126 PARTITION OF attempts FOR VALUES FROM ('019bf799-a400-0000-0000-000000000000') TO ('019c1ba6-2800-0000-0000-000000000000');
CREATE TABLE messages_20260126 PARTITION OF messages FOR VALUES FROM ('019bf799-a400-0000-0000-000000000000') TO ('019c1ba6-2800-0000-0000-000000000000');

INSERT INTO facts (name, value) VALUES
  ('sealed_check', '\x01c15c0289ec2d0a9167ec8e65a18debbe5e5532fbeea293f8068259339173cd3e96f7c8ff2ee458588b89bf79c153fc5db91dfab8');

INSERT INTO organizations (id, slug, last_run_number, created_at) VALUES
  ('019c0e58-6500-7000-8000-000000000001', 'default', 8, '2026-01-20T10:00:00Z');

INSERT INTO agents (id, organization_id, provider, name, config, is_active, version, created_at, updated_at) VALUES
  ('019c0e58-6500-7000-8000-000000000002', '019c0e58-6500-7000-8000-000000000001', 'openai', 'Assistant', '\x01a53c36d76cec99e0758527120fbbe785a83d7e35de18174920f0d5f1b3253772d2d66d56f0b5dba3c1f1', true, 1, '2026-01-20T10:00:00Z', '2026-01-20T10:00:00Z'),
  ('019c0e58-6500-7000-8000-000000000003', '019c0e58-6500-7000-8000-000000000001', 'openai', 'Nurse', '\x01966761748e5c43cb614f560177dc7567fe8bcf144dd4fc9a857896bccacee4fe06c62ed6b400d5dde747', true, 1, '2026-01-20T10:00:00Z', '2026-01-20T10:00:00Z');

INSERT INTO webhooks (id, organization_id, agent_id, url, secret, is_enabled, version, created_at, updated_at, headers, header_names) VALUES
  ('019c0e58-6500-7000-8000-000000000004', '019c0e58-6500-7000-8000-000000000001', NULL, 'https://receiver.example/all', '\x010bc942ee9086c171b9b501d1d854bb7180021590ff0b4dc3fe875904eab7535699f14d0dcdcc5ca5ad3f62a53c616c1400fdbcdc23657360d1b46d5cbcb40e7b6ee3e8', true, 1, '2026-01-20T10:00:00Z', '2026-01-20T10:00:00Z', '\x013b4a79a517cec22a630bfdb7a6a634a5f1aa2b57dad0bad0ca862f6d0b4166d13de8bfe14b2fd16cf0b8687c898b834fb16699f2f6663af54d8e1bde7ab2303b477889144cd325591a1f6d535a7d', 'X-Tenant'),
  ('019c0e58-6500-7000-8000-000000000005', '019c0e58-6500-7000-8000-000000000001', '019c0e58-6500-7000-8000-000000000003', 'https://receiver.example/nurse', NULL, true, 1, '2026-01-20T10:00:00Z', '2026-01-20T10:00:00Z', NULL, '');

INSERT INTO webhook_health (webhook_id, consecutive_failures) VALUES
  ('019c0e58-6500-7000-8000-000000000004', 1),
  ('019c0e58-6500-7000-8000-000000000005', 0);

INSERT INTO nodes (id, beat) VALUES
  ('019c0e58-6500-7000-8000-000000000051', 7);

-- Seven have ended, one is under way.
INSERT INTO runs (id, organization_id, number, agent_id, name, status, generation, passed, total, started_at, completed_at, created_at) VALUES
  ('019c0e58-6500-7000-8000-000000000011', '019c0e58-6500-7000-8000-000000000001', 1, '019c0e58-6500-7000-8000-000000000002', 'Nightly', 'completed', 1, 1, 1, '2026-01-30T10:00:00Z', '2026-01-30T10:00:00Z', '2026-01-30T10:00:00Z'),
  ('019c0e58-6500-7000-8000-000000000012', '019c0e58-6500-7000-8000-000000000001', 2, '019c0e58-6500-7000-8000-000000000003', 'Nightly', 'completed', 1, 1, 1, '2026-01-30T10:00:00Z', '2026-01-30T10:00:00Z', '2026-01-30T10:00:00Z'),
  ('019c0e58-6500-7000-8000-000000000013', '019c0e58-6500-7000-8000-000000000001', 3, '019c0e58-6500-7000-8000-000000000002', 'Nightly', 'completed', 1, 1, 1, '2026-01-30T10:00:00Z', '2026-01-30T10:00:00Z', '2026-01-30T10:00:00Z'),
  ('019bdad8-cd00-7000-8000-000000000014', '019c0e58-6500-7000-8000-000000000001', 4, '019c0e58-6500-7000-8000-000000000002', 'Nightly', 'completed', 1, 1, 1, '2026-01-20T10:00:00Z', '2026-01-20T10:00:00Z', '2026-01-20T10:00:00Z'),
  ('019bdad8-cd00-7000-8000-000000000015', '019c0e58-6500-7000-8000-000000000001', 5, '019c0e58-6500-7000-8000-000000000002', 'Nightly', 'completed', 1, 1, 1, '2026-01-20T10:00:00Z', '2026-01-20T10:00:00Z', '2026-01-20T10:00:00Z'),
  ('019c0e58-6500-7000-8000-000000000016', '019c0e58-6500-7000-8000-000000000001', 6, '019c0e58-6500-7000-8000-000000000002', 'Nightly', 'completed', 1, 1, 1, '2026-01-30T10:00:00Z', '2026-01-30T10:00:00Z', '2026-01-30T10:00:00Z'),
  ('019c0e58-6500-7000-8000-000000000017', '019c0e58-6500-7000-8000-000000000001', 7, '019c0e58-6500-7000-8000-000000000002', 'Nightly', 'completed', 1, 1, 1, '2026-01-30T10:00:00Z', '2026-01-30T10:00:00Z', '2026-01-30T10:00:00Z'),
  ('019c0e58-6500-7000-8000-000000000018', '019c0e58-6500-7000-8000-000000000001', 8, '019c0e58-6500-7000-8000-000000000002', 'Nightly', 'running', 0, 1, 1, '2026-01-30T10:00:00Z', NULL, '2026-01-30T10:00:00Z');

INSERT INTO events (id, organization_id, kind, run_id, generation, content, created_at) VALUES
  ('019c0e58-6500-7000-8000-000000000021', '019c0e58-6500-7000-8000-000000000001', 'test_run_completed', '019c0e58-6500-7000-8000-000000000011', 1, convert_to('{"test_run":{"id":"019c0e58-6500-7000-8000-000000000011","name":"Nightly"}}', 'UTF8'), '2026-01-30T10:00:00Z'),
  ('019c0e58-6500-7000-8000-000000000022', '019c0e58-6500-7000-8000-000000000001', 'test_run_completed', '019c0e58-6500-7000-8000-000000000012', 1, convert_to('{"test_run":{"id":"019c0e58-6500-7000-8000-000000000012","name":"Nightly"}}', 'UTF8'), '2026-01-30T10:00:00Z'),
  ('019c0e58-6500-7000-8000-000000000023', '019c0e58-6500-7000-8000-000000000001', 'test_run_completed', '019c0e58-6500-7000-8000-000000000013', 1, convert_to('{"test_run":{"id":"019c0e58-6500-7000-8000-000000000013","name":"Nightly"}}', 'UTF8'), '2026-01-30T10:00:00Z'),
  ('019bdad8-cd00-7000-8000-000000000024', '019c0e58-6500-7000-8000-000000000001', 'test_run_completed', '019bdad8-cd00-7000-8000-000000000014', 1, convert_to('{"test_run":{"id":"019bdad8-cd00-7000-8000-000000000014","name":"Nightly"}}', 'UTF8'), '2026-01-20T10:00:00Z'),
  ('019bdad8-cd00-7000-8000-000000000025', '019c0e58-6500-7000-8000-000000000001', 'test_run_completed', '019bdad8-cd00-7000-8000-000000000015', 1, convert_to('{"test_run":{"id":"019bdad8-cd00-7000-8000-000000000015","name":"Nightly"}}', 'UTF8'), '2026-01-20T10:00:00Z'),
  ('019c0e58-6500-7000-8000-000000000026', '019c0e58-6500-7000-8000-000000000001', 'test_run_completed', '019c0e58-6500-7000-8000-000000000016', 1, convert_to('{"test_run":{"id":"019c0e58-6500-7000-8000-000000000016","name":"Nightly"}}', 'UTF8'), '2026-01-30T10:00:00Z'),
  ('019c0e58-6500-7000-8000-000000000027', '019c0e58-6500-7000-8000-000000000001', 'test_run_completed', '019c0e58-6500-7000-8000-000000000017', 1, convert_to('{"test_run":{"id":"019c0e58-6500-7000-8000-000000000017","name":"Nightly"}}', 'UTF8'), '2026-01-30T10:00:00Z');

-- Due; under a lease of the dead; waiting for a retry; delivered; failed; canceled under way and before; and a repetition that is due.
INSERT INTO deliveries (id, organization_id, event_id, kind, webhook_id, agent_id, run_id, run_number, url, status, attempt_count, failures, due_at, lease_token, lease_node, http_status, duration_ms, redelivery_of, created_at, completed_at) VALUES
  ('019c0e58-6500-7000-8000-000000000031', '019c0e58-6500-7000-8000-000000000001', '019c0e58-6500-7000-8000-000000000021', 'test_run_completed', '019c0e58-6500-7000-8000-000000000004', NULL, '019c0e58-6500-7000-8000-000000000011', 1, 'https://receiver.example/all', 'pending', 0, 0, '2026-01-30T10:29:00Z', NULL, NULL, NULL, NULL, NULL, '2026-01-30T10:00:00Z', NULL),
  ('019c0e58-6500-7000-8000-000000000032', '019c0e58-6500-7000-8000-000000000001', '019c0e58-6500-7000-8000-000000000022', 'test_run_completed', '019c0e58-6500-7000-8000-000000000005', '019c0e58-6500-7000-8000-000000000003', '019c0e58-6500-7000-8000-000000000012', 2, 'https://receiver.example/nurse', 'pending', 1, 0, '2026-01-30T10:30:44Z', '019c0e58-6500-7000-8000-000000000042', '019c0e58-6500-7000-8000-000000000051', NULL, NULL, NULL, '2026-01-30T10:00:00Z', NULL),
  ('019c0e58-6500-7000-8000-000000000033', '019c0e58-6500-7000-8000-000000000001', '019c0e58-6500-7000-8000-000000000023', 'test_run_completed', '019c0e58-6500-7000-8000-000000000004', NULL, '019c0e58-6500-7000-8000-000000000013', 3, 'https://receiver.example/all', 'pending', 1, 1, '2026-01-30T10:40:00Z', NULL, NULL, 500, 12, NULL, '2026-01-30T10:00:00Z', NULL),
  ('019bdad8-cd00-7000-8000-000000000034', '019c0e58-6500-7000-8000-000000000001', '019bdad8-cd00-7000-8000-000000000024', 'test_run_completed', '019c0e58-6500-7000-8000-000000000004', NULL, '019bdad8-cd00-7000-8000-000000000014', 4, 'https://receiver.example/all', 'delivered', 1, 0, NULL, NULL, NULL, 200, 12, NULL, '2026-01-20T10:00:00Z', '2026-01-20T10:00:01Z'),
  ('019bdad8-cd00-7000-8000-000000000035', '019c0e58-6500-7000-8000-000000000001', '019bdad8-cd00-7000-8000-000000000025', 'test_run_completed', '019c0e58-6500-7000-8000-000000000004', NULL, '019bdad8-cd00-7000-8000-000000000015', 5, 'https://receiver.example/all', 'failed', 1, 1, NULL, NULL, NULL, 503, 12, NULL, '2026-01-20T10:00:00Z', '2026-01-20T10:00:01Z'),
  ('019c0e58-6500-7000-8000-000000000036', '019c0e58-6500-7000-8000-000000000001', '019c0e58-6500-7000-8000-000000000026', 'test_run_completed', '019c0e58-6500-7000-8000-000000000004', NULL, '019c0e58-6500-7000-8000-000000000016', 6, 'https://receiver.example/all', 'canceled', 1, 0, NULL, '019c0e58-6500-7000-8000-000000000046', '019c0e58-6500-7000-8000-000000000051', NULL, NULL, NULL, '2026-01-30T10:00:00Z', '2026-01-30T10:29:59Z'),
  ('019c0e58-6500-7000-8000-000000000037', '019c0e58-6500-7000-8000-000000000001', '019c0e58-6500-7000-8000-000000000027', 'test_run_completed', '019c0e58-6500-7000-8000-000000000004', NULL, '019c0e58-6500-7000-8000-000000000017', 7, 'https://receiver.example/all', 'canceled', 0, 0, NULL, NULL, NULL, NULL, NULL, NULL, '2026-01-30T10:00:00Z', '2026-01-30T10:00:01Z'),
  ('019c0e58-6500-7000-8000-000000000038', '019c0e58-6500-7000-8000-000000000001', '019bdad8-cd00-7000-8000-000000000025', 'test_run_completed', '019c0e58-6500-7000-8000-000000000004', NULL, '019bdad8-cd00-7000-8000-000000000015', 5, 'https://receiver.example/all', 'pending', 0, 0, '2026-01-30T10:29:30Z', NULL, NULL, NULL, NULL, '019bdad8-cd00-7000-8000-000000000035', '2026-01-30T10:00:00Z', NULL);

INSERT INTO attempts (delivery_id, number, started_at, duration_ms, http_status) VALUES
  ('019c0e58-6500-7000-8000-000000000032', 1, '2026-01-30T10:29:59Z', NULL, NULL),
  ('019c0e58-6500-7000-8000-000000000033', 1, '2026-01-30T10:00:00Z', 12, 500),
  ('019bdad8-cd00-7000-8000-000000000034', 1, '2026-01-20T10:00:00Z', 12, 200),
  ('019bdad8-cd00-7000-8000-000000000035', 1, '2026-01-20T10:00:00Z', 12, 503),
  ('019c0e58-6500-7000-8000-000000000036', 1, '2026-01-30T10:29:58Z', NULL, NULL);

-- A megabyte, and bytes that are no text.
INSERT INTO messages (delivery_id, number, direction, headers, body, size_bytes, truncated) VALUES
  ('019c0e58-6500-7000-8000-000000000033', 1, 'request', convert_to('[["content-type","application/octet-stream"]]', 'UTF8'), convert_to(repeat('x', 1048576), 'UTF8'), 1048576, false),
  ('019c0e58-6500-7000-8000-000000000033', 1, 'response', convert_to('[["content-type","application/octet-stream"]]', 'UTF8'), '\x00ff00fe', 4, false),
  ('019bdad8-cd00-7000-8000-000000000034', 1, 'request', convert_to('[["content-type","application/octet-stream"]]', 'UTF8'), convert_to(repeat('x', 1048576), 'UTF8'), 1048576, false),
  ('019bdad8-cd00-7000-8000-000000000034', 1, 'response', convert_to('[["content-type","application/octet-stream"]]', 'UTF8'), '\x00ff00fe', 4, false);

-- One has failed for good since the last success, a week before, and nobody has replayed it.
UPDATE webhook_health SET last_triggered_at = '2026-01-30T10:00:00Z', last_success_at = '2026-01-20T10:00:00Z',
  failing_since = '2026-01-20T10:00:00Z', exhausted_deliveries = 1, missed_since = '2026-01-20T10:00:00Z'
  WHERE webhook_id = '019c0e58-6500-7000-8000-000000000004';
UPDATE deliveries SET missed = true WHERE id = '019bdad8-cd00-7000-8000-000000000035';

-- What it missed is to be replayed by itself.
UPDATE webhook_health SET replay_on_recovery = 'newest_per_agent'
  WHERE webhook_id = '019c0e58-6500-7000-8000-000000000004';

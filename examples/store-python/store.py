"""Keep the latest result of every run in a table of one's own.

Retries and redeliveries repeat a `completed_at` that is already stored and change nothing; neither
does an older completion of the same run that arrives late, for order is not promised.
"""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

# Or copy the two files of verify-python beside this one.
sys.path.append(str(Path(__file__).resolve().parent.parent / "verify-python"))
from receiver import describe, serve  # noqa: E402

SCHEMA = """CREATE TABLE IF NOT EXISTS test_runs (
    id TEXT PRIMARY KEY, test_run_id TEXT NOT NULL, name TEXT NOT NULL,
    agent_id TEXT NOT NULL, agent_name TEXT NOT NULL, status TEXT NOT NULL, pass_rate REAL NOT NULL,
    passed_count INTEGER NOT NULL, failed_count INTEGER NOT NULL, error_count INTEGER NOT NULL,
    total_scenarios INTEGER NOT NULL, started_at TEXT, completed_at TEXT NOT NULL,
    duration_seconds REAL NOT NULL, results_url TEXT NOT NULL)"""

# Times are UTC in one fixed format, so comparing them as text compares them in time.
UPSERT = """INSERT INTO test_runs VALUES (
    :id, :test_run_id, :name, :agent_id, :agent_name, :status, :pass_rate,
    :passed_count, :failed_count, :error_count, :total_scenarios,
    :started_at, :completed_at, :duration_seconds, :results_url)
    ON CONFLICT (id) DO UPDATE SET
        test_run_id = excluded.test_run_id, name = excluded.name,
        agent_id = excluded.agent_id, agent_name = excluded.agent_name,
        status = excluded.status, pass_rate = excluded.pass_rate,
        passed_count = excluded.passed_count, failed_count = excluded.failed_count,
        error_count = excluded.error_count, total_scenarios = excluded.total_scenarios,
        started_at = excluded.started_at, completed_at = excluded.completed_at,
        duration_seconds = excluded.duration_seconds, results_url = excluded.results_url
    WHERE excluded.completed_at > test_runs.completed_at"""


def store(event: dict) -> str:
    # The 2xx goes out after the commit: an accepted result is on disk.
    with closing(connect()) as db, db:
        changed = db.execute(UPSERT, event["test_run"] | {"results_url": event["results_url"]}).rowcount
    return f"{'stored' if changed else 'already have'} {describe(event)}"


def connect() -> sqlite3.Connection:
    return sqlite3.connect(os.environ.get("DATABASE", "results.db"), timeout=10)


if __name__ == "__main__":
    with closing(connect()) as db:
        db.execute(SCHEMA)
    serve(store)

"""Keep the result of every run in a table of your own. Python 3.9 or newer, standard library only.

    PRECLINICAL_WEBHOOK_SECRET=… python store.py

    PRECLINICAL_WEBHOOK_SECRET  the webhook's signing secret
    PORT                        default 8000
    DATABASE                    the SQLite file, default results.db

The statements work in PostgreSQL as well, with the placeholders of its driver.
"""

import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "verify-python"))
from receiver import describe, serve  # noqa: E402

SCHEMA = """CREATE TABLE IF NOT EXISTS test_runs (
    id TEXT PRIMARY KEY, test_run_id TEXT NOT NULL, name TEXT NOT NULL,
    agent_id TEXT NOT NULL, agent_name TEXT NOT NULL, status TEXT NOT NULL, pass_rate REAL NOT NULL,
    passed_count INTEGER NOT NULL, failed_count INTEGER NOT NULL, error_count INTEGER NOT NULL,
    total_scenarios INTEGER NOT NULL, started_at TEXT, completed_at TEXT NOT NULL,
    duration_seconds REAL NOT NULL, results_url TEXT NOT NULL)"""

# A run that was reopened and completed again replaces its older result. Everything else that comes twice, or comes late,
# changes nothing. (The times are UTC and of one length, so they compare as text.)
FORGET_OLDER = "DELETE FROM test_runs WHERE id = :id AND completed_at < :completed_at"
INSERT = """INSERT INTO test_runs VALUES (
    :id, :test_run_id, :name, :agent_id, :agent_name, :status, :pass_rate,
    :passed_count, :failed_count, :error_count, :total_scenarios,
    :started_at, :completed_at, :duration_seconds, :results_url)
    ON CONFLICT (id) DO NOTHING"""


def connect():
    return closing(sqlite3.connect(os.environ.get("DATABASE", "results.db")))


def store(event):
    row = {**event["test_run"], "results_url": event["results_url"]}
    # `with db` commits before the answer goes out: what was accepted is on disk.
    with connect() as db, db:
        db.execute(FORGET_OLDER, row)
        stored = db.execute(INSERT, row).rowcount
    return f"{'stored' if stored else 'already have'} {describe(event)}"


if __name__ == "__main__":
    with connect() as db:
        db.execute(SCHEMA)
    serve(store)

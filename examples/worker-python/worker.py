"""Answer 200 at once, work afterwards, and work only once on each result. Python 3.9 or newer, standard library only.

    PRECLINICAL_WEBHOOK_SECRET=… python worker.py

    PRECLINICAL_WEBHOOK_SECRET  the webhook's signing secret
    PORT                        default 8000
    DATABASE                    the SQLite file of the queue, default worker.db

The queue is on disk before the answer goes out, so what was accepted survives a restart. A crash between the work and
the note that it is done repeats the work: make it safe to repeat.
"""

import json
import os
import sqlite3
import sys
import threading
import time
import traceback
from contextlib import closing
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "verify-python"))
from receiver import describe, say, serve  # noqa: E402

RETRY_SECONDS = 30

# One row for each test_run.id, so a duplicate finds the row there. Only a run that was reopened and completed again
# is new work: its completed_at is later. (webhook-id is no substitute: a redelivery by hand has a new one.)
SCHEMA = """CREATE TABLE IF NOT EXISTS jobs (
    run_id TEXT PRIMARY KEY, completed_at TEXT, event TEXT, failures INTEGER DEFAULT 0, done INTEGER DEFAULT 0)"""
ENQUEUE = """INSERT INTO jobs (run_id, completed_at, event) VALUES (?, ?, ?)
    ON CONFLICT (run_id) DO UPDATE SET completed_at = excluded.completed_at, event = excluded.event, done = 0
    WHERE excluded.completed_at > jobs.completed_at"""
NEXT = "SELECT run_id, completed_at, event FROM jobs WHERE NOT done ORDER BY failures, rowid LIMIT 1"
DONE = "UPDATE jobs SET done = 1 WHERE run_id = ? AND completed_at = ?"
FAILED = "UPDATE jobs SET failures = failures + 1 WHERE run_id = ?"


def connect():
    return closing(sqlite3.connect(os.environ.get("DATABASE", "worker.db")))


def main(work):
    with connect() as db:
        db.execute(SCHEMA)
    wake = threading.Event()

    def receive(event):
        run = event["test_run"]
        with connect() as db, db:
            queued = db.execute(ENQUEUE, (run["id"], run["completed_at"], json.dumps(event))).rowcount
        wake.set()
        return f"{'queued' if queued else 'already have'} {describe(event)}"

    def work_forever():
        with connect() as db:
            while True:
                wake.clear()
                job = db.execute(NEXT).fetchone()
                if job is None:
                    wake.wait()
                    continue
                run_id, completed_at, event = job
                try:
                    work(json.loads(event))
                except Exception:
                    traceback.print_exc()
                    with db:
                        db.execute(FAILED, (run_id,))
                    time.sleep(RETRY_SECONDS)
                else:
                    with db:
                        db.execute(DONE, (run_id, completed_at))

    threading.Thread(target=work_forever, daemon=True).start()
    serve(receive)


if __name__ == "__main__":
    main(work=lambda event: say(f"worked on {describe(event)}"))

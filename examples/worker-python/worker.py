"""Answer at once, work afterwards: a queue in SQLite that survives a restart.

The key of a job is `test_run.id` with `completed_at`, because that pair names one completion:
a retry and a redelivery from the history repeat it, while a run that was reopened and completed
again keeps its id and has a new `completed_at`. `webhook-id` would tell retries apart from new
events as well, but a redelivery has a new one and its work would be done twice.

A crash after the work and before the note of it repeats the work: make it safe to repeat.
"""

import json
import os
import sqlite3
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

# Or copy the two files of verify-python beside this one.
sys.path.append(str(Path(__file__).resolve().parent.parent / "verify-python"))
from receiver import describe, say, serve  # noqa: E402

MAX_ATTEMPTS = 5
RETRY_SECONDS = 30.0


def connect() -> sqlite3.Connection:
    db = sqlite3.connect(os.environ.get("DATABASE", "worker.db"), timeout=10)
    db.execute(
        """CREATE TABLE IF NOT EXISTS jobs (
            run_id TEXT NOT NULL, completed_at TEXT NOT NULL, event TEXT NOT NULL,
            attempts INTEGER NOT NULL DEFAULT 0, due_at REAL NOT NULL, done_at REAL,
            PRIMARY KEY (run_id, completed_at))"""
    )
    return db


def enqueue(event: dict) -> bool:
    """Put a completion on disk; False if it is there already."""
    run = event["test_run"]
    with closing(connect()) as db, db:
        return db.execute(
            "INSERT OR IGNORE INTO jobs (run_id, completed_at, event, due_at) VALUES (?, ?, ?, ?)",
            (run["id"], run["completed_at"], json.dumps(event), time.time()),
        ).rowcount == 1


def run_next(db: sqlite3.Connection, work: Callable[[dict], None]) -> bool:
    """Do the oldest job that is due; False if there is none."""
    job = db.execute(
        """SELECT rowid, event, attempts FROM jobs
           WHERE done_at IS NULL AND attempts < ? AND due_at <= ? ORDER BY due_at LIMIT 1""",
        (MAX_ATTEMPTS, time.time()),
    ).fetchone()
    if job is None:
        return False
    rowid, event, attempts = job
    try:
        work(json.loads(event))
    except Exception:
        traceback.print_exc()
        with db:
            db.execute(
                "UPDATE jobs SET attempts = attempts + 1, due_at = ? WHERE rowid = ?",
                (time.time() + RETRY_SECONDS * 2**attempts, rowid),
            )
    else:
        with db:
            db.execute("UPDATE jobs SET done_at = ? WHERE rowid = ?", (time.time(), rowid))
    return True


def main(work: Callable[[dict], None]) -> None:
    wake, stopping = threading.Event(), threading.Event()

    def receive(event: dict) -> str:
        if not enqueue(event):
            return f"already have {describe(event)}"
        wake.set()
        return f"queued {describe(event)}"

    def loop() -> None:
        with closing(connect()) as db:
            while not stopping.is_set():
                wake.clear()
                if not run_next(db, work):
                    wake.wait(RETRY_SECONDS)

    worker = threading.Thread(target=loop)
    worker.start()
    try:
        serve(receive)
    finally:
        stopping.set()
        wake.set()
        worker.join()


if __name__ == "__main__":
    main(work=lambda event: say(f"worked on {describe(event)}"))

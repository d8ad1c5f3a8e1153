"""Start a deployment when a test run is good enough: `deploy_gate.py COMMAND [ARGUMENT ...]`.

A run is deployed at most once. The start is noted before the command begins, so a crash leaves a
deployment that somebody has to look at and never one that begins a second time. A run that was
refused can still pass later: when it is reopened, its failed scenarios are retried and it
completes again.
"""

import math
import os
import shutil
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

# Or copy the two files of verify-python beside this one.
sys.path.append(str(Path(__file__).resolve().parent.parent / "verify-python"))
from receiver import describe, say, serve  # noqa: E402


def connect() -> sqlite3.Connection:
    db = sqlite3.connect(os.environ.get("DATABASE", "deployments.db"), timeout=10)
    db.execute(
        """CREATE TABLE IF NOT EXISTS deployments (
            run_id TEXT PRIMARY KEY, test_run_id TEXT NOT NULL, pass_rate REAL NOT NULL,
            started INTEGER NOT NULL DEFAULT 0, exit_code INTEGER)"""
    )
    return db


def objection(run: dict, minimum: float, agent_id: str | None) -> str | None:
    """Why this run must not be deployed, or None."""
    if agent_id and run["agent_id"] != agent_id:
        return "it tested another agent"
    if run["status"] != "completed":
        return f"its status is {run['status']}"
    if run["total_scenarios"] == 0:
        return "it has no scenarios"
    if run["pass_rate"] < minimum:
        return f"{run['pass_rate']} % is below {minimum:g} %"
    return None


def deploy_next(db: sqlite3.Connection, command: list[str]) -> bool:
    """Run the command for the oldest waiting run; False if none waits."""
    with db:
        claimed = db.execute(
            """UPDATE deployments SET started = 1 WHERE run_id =
               (SELECT run_id FROM deployments WHERE NOT started ORDER BY rowid LIMIT 1)
               RETURNING run_id, test_run_id, pass_rate"""
        ).fetchone()
    if claimed is None:
        return False
    run_id, test_run_id, pass_rate = claimed
    environment = {name: value for name, value in os.environ.items() if name != "PRECLINICAL_WEBHOOK_SECRET"}
    environment |= {"RUN_ID": run_id, "TEST_RUN_ID": test_run_id, "PASS_RATE": str(pass_rate)}
    say(f"deploying for {test_run_id}")
    try:
        code = subprocess.run(command, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
    except OSError as error:
        say(f"the command did not start: {error}")
        code = 127
    with db:
        db.execute("UPDATE deployments SET exit_code = ? WHERE run_id = ?", (code, run_id))
    say(f"deployment for {test_run_id} ended with exit code {code}")
    return True


def main(command: list[str]) -> None:
    if not command or shutil.which(command[0]) is None:
        sys.exit("usage: deploy_gate.py COMMAND [ARGUMENT ...], and the command must exist")
    try:
        minimum = float(os.environ.get("MIN_PASS_RATE", "90"))
    except ValueError:
        minimum = math.nan
    if not 0 < minimum <= 100:
        sys.exit("MIN_PASS_RATE must be a number above 0 and up to 100")
    # An organization's webhook reports every agent; name the one that this deployment is about.
    agent_id = os.environ.get("AGENT_ID")
    wake, stopping = threading.Event(), threading.Event()

    def receive(event: dict) -> str:
        run = event["test_run"]
        reason = objection(run, minimum, agent_id)
        if reason is not None:
            return f"not deploying for {describe(event)}: {reason}"
        with closing(connect()) as db, db:
            new = db.execute(
                "INSERT OR IGNORE INTO deployments (run_id, test_run_id, pass_rate) VALUES (?, ?, ?)",
                (run["id"], run["test_run_id"], run["pass_rate"]),
            ).rowcount
        wake.set()
        return f"{'will deploy' if new else 'already deployed'} for {describe(event)}"

    def loop() -> None:
        # One thread, so deployments never overlap.
        with closing(connect()) as db:
            for (test_run_id,) in db.execute(
                "SELECT test_run_id FROM deployments WHERE started AND exit_code IS NULL"
            ):
                say(f"deployment for {test_run_id} was interrupted and is not repeated: look at it")
            while not stopping.is_set():
                wake.clear()
                if not deploy_next(db, command):
                    wake.wait()

    deployer = threading.Thread(target=loop)
    deployer.start()
    try:
        serve(receive)
    finally:
        # A deployment under way is waited for; those behind it start after the next start.
        stopping.set()
        wake.set()
        deployer.join()


if __name__ == "__main__":
    main(sys.argv[1:])

"""Start a deployment when a test run is good enough. Python 3.9 or newer, standard library only.

    PRECLINICAL_WEBHOOK_SECRET=… AGENT_ID=… python deploy_gate.py ./deploy.sh production

    PRECLINICAL_WEBHOOK_SECRET  the webhook's signing secret
    MIN_PASS_RATE               the lowest pass rate that is deployed, in percent, default 90
    AGENT_ID                    the agent to deploy; without it, every agent whose results arrive here
    PORT                        default 8000
    DATABASE                    the SQLite file that remembers what was deployed, default deployments.db

The command finds RUN_ID, TEST_RUN_ID and PASS_RATE in its environment. It is started at most once for a run: the start
is noted before it begins, so a crash leaves a deployment to look at, never one that runs twice.
"""

import os
import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "verify-python"))
from receiver import describe, say, serve  # noqa: E402

COMMAND = sys.argv[1:]
MIN_PASS_RATE = float(os.environ.get("MIN_PASS_RATE", "90"))
AGENT_ID = os.environ.get("AGENT_ID")
one_at_a_time = threading.Lock()


def connect():
    return closing(sqlite3.connect(os.environ.get("DATABASE", "deployments.db")))


def objection(run):
    """Why this run is not deployed, or None."""
    if AGENT_ID and run["agent_id"] != AGENT_ID:
        return "it tested another agent"
    if run["status"] != "completed":
        return f"it is {run['status']}"
    if run["total_scenarios"] == 0 or run["pass_rate"] < MIN_PASS_RATE:
        return f"less than {MIN_PASS_RATE:g} % passed"
    return None


def receive(event):
    run = event["test_run"]
    reason = objection(run)
    if reason:
        return f"not deploying for {describe(event)}: {reason}"
    with connect() as db, db:
        first = db.execute("INSERT INTO deployments VALUES (?) ON CONFLICT DO NOTHING", (run["id"],)).rowcount
    if not first:
        return f"already deployed for {describe(event)}"
    # In a thread: Preclinical waits seconds for the answer, a deployment may take an hour.
    threading.Thread(target=deploy, args=(run,)).start()
    return f"deploying for {describe(event)}"


def deploy(run):
    environment = {name: value for name, value in os.environ.items() if name != "PRECLINICAL_WEBHOOK_SECRET"}
    environment.update(RUN_ID=run["id"], TEST_RUN_ID=run["test_run_id"], PASS_RATE=str(run["pass_rate"]))
    with one_at_a_time:
        code = subprocess.run(COMMAND, env=environment).returncode
    say(f"deployment for {run['test_run_id']} ended with exit code {code}")


if __name__ == "__main__":
    if not COMMAND:
        sys.exit("usage: deploy_gate.py COMMAND [ARGUMENT ...]")
    with connect() as db:
        db.execute("CREATE TABLE IF NOT EXISTS deployments (run_id TEXT PRIMARY KEY)")
    serve(receive)

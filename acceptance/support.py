"""Child processes, HTTP requests and waiting: what every test file here needs."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple, TypeVar
from urllib.parse import urlsplit

REPOSITORY = Path(__file__).resolve().parent.parent
EXAMPLES = REPOSITORY / "examples"
BINARY = Path(
    os.environ.get("PRECLINICAL_WEBHOOKS_BINARY", REPOSITORY / "target/debug/preclinical-webhooks")
).resolve()
PATIENCE_SECONDS = 20.0

T = TypeVar("T")


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


def request(url: str, method: str = "POST", body: bytes | None = None, headers: Mapping[str, str] = {}) -> Answer:
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, target, body, dict(headers))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def eventually(probe: Callable[[], T], what: str) -> T:
    """The first truthy result of `probe`: for conditions in other processes, which send no signal."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (result := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE_SECONDS:g} s: {what}")
        time.sleep(0.02)
    return result


def inherited() -> dict[str, str]:
    """The environment of these tests, without settings of whoever runs them."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PRECLINICAL_")}


class Child:
    """A server process that prints its address when it is ready. Its output is kept in `lines`."""

    def __init__(self, argv: list[str], env: Mapping[str, str], cwd: Path):
        self.process = subprocess.Popen(
            argv, env={**inherited(), **env}, cwd=cwd, text=True, encoding="utf-8",
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
        )
        self.lines: list[str] = []
        self._waited_for = 0
        self._ended = False
        self._news = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            ready = self.wait_for(r"listening on http://127\.0\.0\.1:[1-9]\d*$")
        except AssertionError:
            self.end()
            raise
        self.url = ready.split()[-1]
        self._waited_for = 0

    def _read(self) -> None:
        for line in self.process.stdout:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait_for(self, pattern: str) -> str:
        """The next line not yet waited for that matches `pattern`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        with self._news:
            while True:
                while self._waited_for < len(self.lines):
                    self._waited_for += 1
                    if re.search(pattern, self.lines[self._waited_for - 1]):
                        return self.lines[self._waited_for - 1]
                if self._ended:
                    raise AssertionError(f"ended before a line matched {pattern!r}; output:\n{self.output}")
                if not self._news.wait(deadline - time.monotonic()):
                    raise AssertionError(f"no line matches {pattern!r}; output:\n{self.output}")

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def end(self) -> None:
        """Ends it and what it started, the hard way: every program here must survive that, so the tests need no other."""
        if self.process.returncode is None:  # Otherwise the number may be somebody else's by now.
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        self.process.stdout.close()


class Api:
    """A client of the REST API."""

    def __init__(self, url: str, key: str):
        self.url, self.key = url, key

    def call(self, method: str, path: str, expected: int = 200, **fields: object) -> dict:
        body = json.dumps(fields).encode() if method != "GET" else None
        headers = {"Authorization": f"Bearer {self.key}", "Content-Type": "application/json"}
        answer = request(f"{self.url}/api/v1{path}", method, body, headers)
        assert answer.status == expected, f"{method} {path}: {answer.status} {answer.body.decode()}"
        return json.loads(answer.body) if answer.body else {}

    def agent(self, name: str = "Healthcare Assistant") -> str:
        return self.call("POST", "/agents", 201, provider="openai", name=name, config={})["id"]

    def webhook(self, url: str, secret: str | None, **fields: object) -> str:
        return self.call("POST", "/webhooks", 201, url=url, secret=secret, **fields)["id"]

    def run(self, agent_id: str, **fields: object) -> str:
        return self.call("POST", "/runs", 201, agent_id=agent_id, **fields)["id"]

    def complete(self, run_id: str, passed: int, total: int, status: str = "completed") -> dict:
        """Ends a run with that many passed scenarios; the others failed."""
        return self.call(
            "POST", f"/runs/{run_id}/complete", status=status,
            passed_count=passed, failed_count=total - passed, total_scenarios=total,
        )

    def report(self, run_id: str, passed: int, total: int) -> dict:
        """Reports every scenario of a run, which then completes by itself if it was created with that total."""
        results = [
            {"scenario_id": f"s{n}", "scenario_name": f"Scenario {n}", "status": "passed" if n < passed else "failed"}
            for n in range(total)
        ]
        return self.call("POST", f"/runs/{run_id}/results", results=results)

    def deliveries(self, run_id: str) -> list[dict]:
        """Newest first."""
        return self.call("GET", f"/webhooks/deliveries?run_id={run_id}")["deliveries"]

    def delivery(self, delivery_id: str) -> dict:
        return self.call("GET", f"/webhooks/deliveries/{delivery_id}")

    def redeliver(self, delivery_id: str) -> str:
        return self.call("POST", f"/webhooks/deliveries/{delivery_id}/redeliver", 202)["id"]

    def settled(self, delivery_id: str) -> dict:
        """The delivery with its attempts, once no attempt is to come."""
        def probe() -> dict | None:
            delivery = self.delivery(delivery_id)
            return None if delivery["status"] == "pending" else delivery

        return eventually(probe, f"delivery {delivery_id} is settled")

    def first_attempt(self, delivery_id: str) -> dict:
        """The first attempt of a delivery, without waiting for retries."""
        return eventually(
            lambda: [attempt for attempt in self.delivery(delivery_id)["attempts"] if attempt["duration_ms"] is not None],
            f"delivery {delivery_id} is attempted",
        )[0]

    def first_attempt_of(self, run_id: str) -> dict:
        """The same for the only delivery of a run."""
        (delivery,) = self.deliveries(run_id)
        return self.first_attempt(delivery["id"])

    def settled_of(self, run_id: str) -> dict:
        """The same for the only delivery of a run."""
        (delivery,) = self.deliveries(run_id)
        return self.settled(delivery["id"])


def json_lines(path: Path) -> list[dict]:
    # Split at "\n" only: JSON may hold other characters that str.splitlines() takes for the end of a line.
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line] if path.exists() else []


def report(api: Api, file: Path, *options: str) -> dict:
    """The run that the command `report` makes of a file."""
    reported = subprocess.run(
        [BINARY, "report", file, "--json", *options], check=True, stdout=subprocess.PIPE, text=True, encoding="utf-8",
        env={**inherited(), "PRECLINICAL_API_URL": api.url, "PRECLINICAL_API_KEY": api.key},
    )
    return json.loads(reported.stdout)

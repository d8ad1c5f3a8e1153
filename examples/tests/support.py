"""Child processes, HTTP requests and waiting: what every test file here needs."""

import http.client
import json
import os
import queue
import re
import subprocess
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

EXAMPLES = Path(__file__).resolve().parent.parent
PATIENCE_SECONDS = 20.0


class Answer(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


def request(url: str, method: str = "POST", body: bytes | None = None, headers: Mapping[str, str] = {}) -> Answer:
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=PATIENCE_SECONDS)
    try:
        connection.request(method, target or "/", body, dict(headers))
        response = connection.getresponse()
        return Answer(response.status, response.headers, response.read())
    finally:
        connection.close()


def eventually[T](probe: Callable[[], T], what: str) -> T:
    """The first truthy result of `probe`: for conditions in other processes, which send no signal."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (result := probe()):
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {PATIENCE_SECONDS:g} s: {what}")
        time.sleep(0.02)
    return result


class Child:
    """A server process that prints its address when it is ready. Its output is kept in `lines`."""

    def __init__(self, argv: list[str], env: Mapping[str, str], cwd: Path):
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("PRECLINICAL_")}
        self.process = subprocess.Popen(
            argv, env=inherited | dict(env), cwd=cwd, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )
        self.lines: list[str] = []
        self._fresh: queue.Queue[str | None] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        try:
            ready = self.wait_for(r"http://127\.0\.0\.1:[1-9]\d*")
        except AssertionError:
            self.kill()
            raise
        self.address = re.search(r"http://127\.0\.0\.1:\d+", ready).group()
        self.url = f"{self.address}/webhook"

    def _read(self) -> None:
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self._fresh.put(self.lines[-1])
        self._fresh.put(None)

    def wait_for(self, pattern: str) -> str:
        """The next line not yet waited for that matches `pattern`."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while True:
            try:
                line = self._fresh.get(timeout=max(deadline - time.monotonic(), 0.001))
            except queue.Empty:
                raise AssertionError(f"no line matches {pattern!r}; output:\n{self.output}") from None
            if line is None:
                raise AssertionError(f"ended before a line matched {pattern!r}; output:\n{self.output}")
            if re.search(pattern, line):
                return line

    @property
    def output(self) -> str:
        return "\n".join(self.lines)

    def terminate(self) -> int:
        """SIGTERM; the exit code, once all output is read."""
        self.process.terminate()
        code = self.process.wait(PATIENCE_SECONDS)
        self._reader.join(PATIENCE_SECONDS)
        return code

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)


def json_lines(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

"""The verification code that pages offer, run as it is: whatever of it this machine can run."""

from __future__ import annotations

import hashlib
import hmac
import os
import shutil
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from support import REPOSITORY, eventually, request

SNIPPETS = REPOSITORY / "crates/web/src/pages/assets/snippets"
SECRET = "whsec_c2VjcmV0IG9mIGEgc25pcHBldA=="
BODY = '{"event":"test_run_completed","test_run":{"test_run_id":"TR-00042","status":"completed","pass_rate":85.0}}'.encode()
OTHER = b'{"event":"webhook_disabled","webhook":{"agent_name":"Nurse","reason":"gone"}}'
RUNNERS: dict[str, tuple[str, Callable[[Path], list[str]]]] = {
    "python.py": ("python3", lambda path: ["python3", str(path)]),
    "node.mjs": ("node", lambda path: ["node", str(path)]),
    "Receiver.java": ("java", lambda path: ["java", str(path)]),
    "go.go": ("go", lambda path: ["go", "run", str(path)]),
    "php.php": ("php", lambda path: ["php", "-S", f"127.0.0.1:{os.environ['PORT']}", str(path)]),
    "config.ru": ("rackup", lambda path: ["rackup", "-o", "127.0.0.1", "-p", os.environ["PORT"], str(path)]),
}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


@pytest.mark.parametrize("name", RUNNERS)
def test_a_receiver_takes_what_is_genuine_and_nothing_else(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, command = RUNNERS[name]
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not on this machine")
    port = free_port()
    monkeypatch.setenv("PORT", str(port))
    monkeypatch.setenv("PRECLINICAL_WEBHOOK_SECRET", SECRET)
    copy = tmp_path / name
    copy.write_text((SNIPPETS / name).read_text().replace("/preclinical-webhook", "/hooks/runs"))
    receiver = subprocess.Popen(command(copy), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        eventually(lambda: answers(port), f"{name} listens")
        genuine = "sha256=" + hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()
        of_other = "sha256=" + hmac.new(SECRET.encode(), OTHER, hashlib.sha256).hexdigest()
        forged = "sha256=" + hmac.new(b"another", BODY, hashlib.sha256).hexdigest()

        def status(body: bytes, signature: str | None) -> int:
            headers = {"Content-Type": "application/json"}
            if signature is not None:
                headers["X-Preclinical-Signature"] = signature
            return request(f"http://127.0.0.1:{port}/hooks/runs", "POST", body, headers).status

        assert status(BODY, genuine) == 204
        assert status(OTHER, of_other) == 204, "kinds of events that it does not know are taken, too"
        for signature in (forged, genuine.upper(), genuine[:-1], "sha256=", "", None):
            assert status(BODY, signature) == 401, signature
        assert status(BODY + b"\n", genuine) == 401
    finally:
        receiver.kill()
        receiver.wait()

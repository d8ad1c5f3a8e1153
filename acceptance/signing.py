"""Signed requests as the contract describes them, built with a library that is not ours."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
import uuid
from datetime import datetime, timezone

from standardwebhooks import Webhook

SECRET = "whsec_" + base64.b64encode(b"a-signing-key-for-the-tests-only").decode()
OTHER_SECRET = "whsec_" + base64.b64encode(b"another-key-than-the-one-for-tests").decode()
PLAIN_SECRET = "a plain-text secret, not base64: äöü"


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def event(at: float | None = None, **changes: object) -> dict:
    at = time.time() if at is None else at
    run = {
        "id": str(uuid.uuid4()), "test_run_id": "TR-00042", "name": "Emergency Response Test",
        "agent_id": "6ba7b810-9dad-11d1-80b4-00c04fd430c8", "agent_name": "Healthcare Assistant",
        "status": "completed", "pass_rate": 85.0, "passed_count": 17, "failed_count": 3, "error_count": 0,
        "total_scenarios": 20, "started_at": "2026-01-30T10:30:00Z", "completed_at": "2026-01-30T10:32:45Z",
        "duration_seconds": 165,
    } | changes
    return {
        "event": "test_run_completed", "timestamp": iso(at), "test_run": run,
        "results_url": f"https://app.example.com/test/{run['id']}",
    }


def encode(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def library(secret: str) -> Webhook:
    """A secret that is not `whsec_…` is its own key, and the library wants keys in base64."""
    return Webhook(secret if secret.startswith("whsec_") else base64.b64encode(secret.encode()).decode())


def body_signature(body: bytes, secret: str) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def signed(body: bytes, *secrets: str, at: float | None = None, delivery: str | None = None) -> dict[str, str]:
    """The headers of a delivery; several secrets stand for one that is being rotated, newest first."""
    secrets = secrets or (SECRET,)
    at = time.time() if at is None else at
    delivery = delivery or str(uuid.uuid4())
    # The library takes its time as naive UTC.
    naive = datetime.fromtimestamp(int(at), timezone.utc).replace(tzinfo=None)
    signatures = [library(secret).sign(f"msg_{delivery}", naive, body.decode()) for secret in secrets]
    return {
        "Content-Type": "application/json",
        "User-Agent": "Preclinical-Webhooks/0.0.0",
        "X-Preclinical-Event": "test_run_completed",
        "X-Preclinical-Delivery": delivery,
        "X-Preclinical-Signature": body_signature(body, secrets[0]),
        "webhook-id": f"msg_{delivery}",
        "webhook-timestamp": str(int(at)),
        "webhook-signature": " ".join(signatures),
    }

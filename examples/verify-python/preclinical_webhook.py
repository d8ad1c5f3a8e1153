"""Verify a Preclinical webhook. Standard library only; copy this file into your project.

`headers` is any mapping that ignores case (what web frameworks hand out) or has lower-case keys.
`body` is the raw request body: parse the JSON after the check, never before, because re-serialized
JSON has other bytes and so another signature.
"""

import base64
import hmac
import json
import time
from collections.abc import Mapping
from datetime import datetime

TOLERANCE_SECONDS = 5 * 60


class VerificationError(Exception):
    """The request did not come from the holder of the secret, or not just now."""


def verify(headers: Mapping[str, str], body: bytes, secret: str, now: float | None = None) -> None:
    """Accept either scheme. Both are bound to a time, so leaving out headers gains an attacker nothing."""
    if headers.get("webhook-signature") is not None:
        verify_standard(headers, body, secret, now)
    else:
        verify_body(headers, body, secret, now)


def verify_standard(headers: Mapping[str, str], body: bytes, secret: str, now: float | None = None) -> None:
    """Standard Webhooks: covers the id and the time of the attempt as well as the body."""
    message_id = headers.get("webhook-id", "")
    timestamp = headers.get("webhook-timestamp", "")
    if not message_id or not (timestamp.isascii() and timestamp.isdigit()):
        raise VerificationError("webhook-id or webhook-timestamp is missing or malformed")
    _check_fresh(int(timestamp), now)
    signed = f"{message_id}.{timestamp}.".encode() + body
    expected = b"v1," + base64.b64encode(hmac.digest(standard_key(secret), signed, "sha256"))
    # While a secret is being rotated the header carries one signature for each secret.
    candidates = headers.get("webhook-signature", "").split(" ")
    if not any(hmac.compare_digest(expected, candidate.encode()) for candidate in candidates):
        raise VerificationError("no signature in webhook-signature matches")


def verify_body(headers: Mapping[str, str], body: bytes, secret: str, now: float | None = None) -> None:
    """X-Preclinical-Signature: covers the body, which holds the time of the attempt."""
    expected = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
    if not hmac.compare_digest(expected.encode(), headers.get("x-preclinical-signature", "").encode()):
        raise VerificationError("X-Preclinical-Signature is missing or does not match")
    try:
        sent = datetime.fromisoformat(json.loads(body)["timestamp"]).timestamp()
    except (ValueError, KeyError, TypeError) as error:
        raise VerificationError("the body has no readable timestamp") from error
    _check_fresh(sent, now)


def standard_key(secret: str) -> bytes:
    """The HMAC key of a secret: decoded after `whsec_`, otherwise the text itself."""
    if not secret.startswith("whsec_"):
        return secret.encode()
    encoded = secret.removeprefix("whsec_")
    return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)


def _check_fresh(sent: float, now: float | None) -> None:
    if abs((time.time() if now is None else now) - sent) > TOLERANCE_SECONDS:
        raise VerificationError("the request was signed more than five minutes ago or ahead")

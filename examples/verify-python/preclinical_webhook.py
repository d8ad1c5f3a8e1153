"""Verify a Preclinical webhook. Standard library only, Python 3.9 or newer; copy this file into your project.

    verify(request.headers, raw_body, secret)      # raises VerificationError
    event = json.loads(raw_body)

`headers` is a mapping that ignores case, as web frameworks have it, or one with lower-case names.
`raw_body` is the bytes as they came: JSON that was parsed and written again has another signature.
"""

import base64
import calendar
import hmac
import json
import time

TOLERANCE_SECONDS = 5 * 60


class VerificationError(Exception):
    """The request does not come from somebody who knows the secret, or is too old."""


def verify(headers, body, secret):
    """Prefer the Standard Webhooks signature, which covers the id and the time of the request as well as its body."""
    if headers.get("webhook-signature"):
        verify_standard(headers, body, secret)
    else:
        verify_preclinical(headers, body, secret)


def verify_standard(headers, body, secret):
    message_id, timestamp = headers.get("webhook-id") or "", headers.get("webhook-timestamp") or ""
    digest = hmac.digest(standard_key(secret), f"{message_id}.{timestamp}.".encode() + body, "sha256")
    expected = "v1," + base64.b64encode(digest).decode()
    # More than one signature: the secret is being changed, and old and new have both signed.
    if not any(same(given, expected) for given in headers.get("webhook-signature", "").split(" ")):
        raise VerificationError("webhook-signature does not match")
    check_fresh(int(timestamp))


def verify_preclinical(headers, body, secret):
    expected = "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
    if not same(headers.get("x-preclinical-signature") or "", expected):
        raise VerificationError("X-Preclinical-Signature is missing or does not match")
    # This signature covers no header, so the time is the one in the body.
    sent = time.strptime(json.loads(body)["timestamp"], "%Y-%m-%dT%H:%M:%SZ")
    check_fresh(calendar.timegm(sent))


def standard_key(secret):
    """The key of `whsec_<base64>` is the decoded part, that of any other secret its bytes."""
    if secret.startswith("whsec_"):
        return base64.b64decode(secret[len("whsec_"):] + "==")  # "==": padding may have been left out
    return secret.encode()


def same(given, expected):
    # In constant time: the time that `==` takes tells how much of a guess was right.
    return hmac.compare_digest(given.encode(), expected.encode())


def check_fresh(sent):
    # A request that was recorded on its way must not work again later.
    if abs(time.time() - sent) > TOLERANCE_SECONDS:
        raise VerificationError("signed more than five minutes ago, or one of the two clocks is wrong")

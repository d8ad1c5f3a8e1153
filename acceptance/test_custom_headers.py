"""Custom headers of a webhook, from outside: what arrives, and where their values are not."""

from __future__ import annotations

import json

import pytest

from browser import serve
from recording_receiver import RecordingReceiver, Reply
from signing import SECRET

CANARY = "canary-e30.e30.x"
MASK = "••••••"


@pytest.fixture
def receiver():
    receiver = RecordingReceiver()
    yield receiver
    receiver.close()


def test_every_attempt_carries_the_headers_of_its_time_and_nothing_keeps_their_values(api, receiver, tmp_path):
    receiver.answer_next(Reply(500), Reply(500))
    headers = {"Authorization": f"Bearer {CANARY}", "X-Tenant": "acme"}
    created = api.call("POST", "/webhooks", 201, url=receiver.url, secret=SECRET, headers=headers)
    assert created["headers"] == {"Authorization": MASK, "X-Tenant": MASK}
    run = api.run(api.agent())
    api.complete(run, 1, 1)
    receiver.wait_for(1)
    # The next attempt is 200 ms away, the one behind it 400 ms later.
    changed = api.call("PUT", f"/webhooks/{created['id']}", headers={"authorization": None, "X-Tenant": f"{CANARY}-2"})
    assert changed["headers"] == {"authorization": MASK, "X-Tenant": MASK}
    delivery = api.settled_of(run)
    received = receiver.wait_for(3)

    assert delivery["status"] == "delivered" and len(received) == 3
    assert [one.headers["authorization"] for one in received] == [f"Bearer {CANARY}"] * 3
    assert received[0].headers["x-tenant"] == "acme" and received[-1].headers["x-tenant"] == f"{CANARY}-2"
    assert all(one.is_signed_with(SECRET) for one in received)
    for attempt, one in zip(delivery["attempts"], received, strict=True):
        kept = attempt["request"]["headers"]
        assert kept == {**one.headers, "authorization": MASK, "x-tenant": MASK}
        assert attempt["request"]["body"].encode() == one.body

    assert api.call("POST", f"/webhooks/{created['id']}/test")["success"]
    assert receiver.wait_for(4)[3].headers["x-tenant"] == f"{CANARY}-2"
    for path in ("/webhooks", f"/webhooks/{created['id']}", f"/webhooks/deliveries/{delivery['id']}", "/webhooks/deliveries"):
        assert CANARY not in json.dumps(api.call("GET", path)), path
    files = list(tmp_path.rglob("*"))
    assert any("x-tenant".encode() in file.read_bytes() for file in files if file.is_file()), "the search finds what is there"
    assert [file.name for file in files if file.is_file() and CANARY.encode() in file.read_bytes()] == []


def test_the_log_says_nothing_of_them_however_much_it_says(receiver, tmp_path):
    server, api = serve(tmp_path, {"PRECLINICAL_LOG": "trace"})
    try:
        use(api, receiver)
        server.wait_for("attempt")
    finally:
        server.end()
    assert CANARY not in server.output


def use(api, receiver):
    webhook = api.call("POST", "/webhooks", 201, url=receiver.url, headers={"X-Tenant": CANARY})["id"]
    api.call("PUT", f"/webhooks/{webhook}", headers={"X-Tenant": f"{CANARY}-2"})
    api.call("PUT", f"/webhooks/{webhook}", 400, headers={"X-Tenant": f" {CANARY}"})
    api.call("POST", f"/webhooks/{webhook}/test")


def test_a_header_that_would_break_the_request_is_refused_by_its_name(api, receiver):
    for name in ("Host", "content-length", "X-Forwarded-For", "webhook-signature", "Webhook_Signature", "Metadata-Flavor", ":path"):
        refused = api.call("POST", "/webhooks", 400, url=receiver.url, headers={name: "x"})
        assert refused["code"] == "INVALID_FIELD_VALUE" and refused["details"] == {"field": f"headers.{name}"}
    split = api.call("POST", "/webhooks", 400, url=receiver.url, headers={"X-A": "x\r\nX-B: y"})
    assert split["details"] == {"field": "headers.X-A"}

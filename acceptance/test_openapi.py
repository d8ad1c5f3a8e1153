"""The description of the API is true: schemathesis calls everything that is described on the running server, with what the
description permits and with what it does not, and compares every answer with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import jsonschema_rs
import pytest

from schemas import closed
from signing import SECRET
from support import BINARY, EXAMPLES, Api, request

HERE = Path(__file__).resolve().parent
SEED = 20260130
SECONDS = 600
# Streams do not end by themselves, and the tests of them are in Rust: crates/web/tests/api/live_*.rs.
STREAMS = {"follow_run", "follow_run_at_root", "follow_deliveries"}
# All addresses but 127.0.0.0/8: whatever a test makes up as a URL, nothing leaves this machine.
ELSEWHERE = (
    "0.0.0.0/2,64.0.0.0/3,96.0.0.0/4,112.0.0.0/5,120.0.0.0/6,124.0.0.0/7,126.0.0.0/8,128.0.0.0/1,::/0"
)


def document(api: Api) -> dict:
    answer = request(f"{api.url}/api/openapi.json", "GET")
    assert answer.status == 200
    return json.loads(answer.body)


def estate(api: Api, receiver: str) -> dict:
    """One of everything that a call can name."""
    agent = api.call(
        "POST", "/agents", 201, provider="openai", name="Seeded", config={"base_url": receiver, "api_key": "k"}
    )["id"]
    webhook = api.webhook(f"{receiver}/hook", SECRET)
    run = api.run(agent)
    api.complete(run, 17, 20)
    muted = api.agent("Muted")
    muted_webhook = api.webhook(receiver, None, agent_id=muted)
    muted_run = api.run(muted)
    api.call("PUT", f"/webhooks/{muted_webhook}", is_enabled=False)
    api.complete(muted_run, 1, 1)
    busy = api.agent("Busy")
    api.webhook(receiver, SECRET, agent_id=busy)
    busy_runs = [api.run(busy) for _ in range(40)]
    for busy_run in busy_runs:
        api.complete(busy_run, 1, 1)
    for busy_run in busy_runs:
        assert api.settled_of(busy_run)["status"] == "delivered"
    (delivery,) = api.deliveries(run)
    keys = api.call("GET", "/api-keys")["api_keys"]
    return {
        "url": api.url,
        "key": api.key,
        "key_id": keys[0]["id"],
        "receiver": receiver,
        "agent": agent,
        "webhook": webhook,
        "run": run,
        "delivery": delivery["id"],
        "job": api.call("POST", "/webhooks/redeliveries", 202)["id"],
        "busy_agent": busy,
        "suite": api.call("POST", "/test-suites", 201, name="Emergencies")["id"],
    }


CONFIGURATION = """
seed = {seed}
max-failures = 20
continue-on-failure = true

[auth.openapi.key]
bearer = "{key}"

[generation]
database = "none"
max-examples = 50

[phases.stateful]
generation.max-examples = 50
"""


@pytest.mark.settings(
    PRECLINICAL_RATE_LIMIT="0",
    PRECLINICAL_DENY_CIDRS=ELSEWHERE,
    PRECLINICAL_REQUEST_TIMEOUT="1s",
    PRECLINICAL_LOG="warn",
)
def test_the_server_keeps_every_promise_of_its_description(api, start, tmp_path):
    receiver = start(sys.executable, EXAMPLES / "verify-python/receiver.py", PRECLINICAL_WEBHOOK_SECRET=SECRET)
    (tmp_path / "schemathesis.toml").write_text(CONFIGURATION.format(seed=SEED, key=api.key), "utf-8")
    described = document(api)
    # As a file: of a document that it loads from the server, schemathesis leaves out the call that serves it.
    (tmp_path / "openapi.json").write_text(json.dumps(described), "utf-8")
    seen = tmp_path / "seen"
    environment = {
        "PYTHONPATH": str(HERE),
        "SCHEMATHESIS_HOOKS": "openapi_hooks",
        "PRECLINICAL_TEST_ESTATE": json.dumps(estate(api, receiver.url)),
        "PRECLINICAL_TEST_SEEN": str(seen),
    }
    options = ["--checks", "all", "--workers", "1", "--no-color"]
    options += [option for stream in sorted(STREAMS) for option in ("--exclude-operation-id", stream)]
    run = subprocess.run(
        [Path(sys.executable).with_name("st"), "run", "openapi.json", "--url", api.url, *options],
        cwd=tmp_path, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        encoding="utf-8", timeout=SECONDS,
    )
    assert run.returncode == 0, run.stdout
    # And it did call everything, with success, and was not refused for another reason each time.
    answers: dict[str, set[str]] = {}
    for line in seen.read_text("utf-8").splitlines():
        operation, status = line.split()
        answers.setdefault(operation, set()).add(status)
    operations = {
        operation["operationId"]: operation for path in described["paths"].values() for operation in path.values()
    }
    assert set(answers) == set(operations) - STREAMS
    for name, statuses in answers.items():
        assert any(status.startswith("2") for status in statuses), (name, statuses)
        if "requestBody" in operations[name]:
            assert "400" in statuses, (name, statuses)


@pytest.mark.parametrize("secret", [SECRET, None], ids=["signed", "unsigned"])
def test_what_is_sent_is_as_the_description_says(api, start, secret):
    receiver = start(sys.executable, EXAMPLES / "verify-python/receiver.py", PRECLINICAL_WEBHOOK_SECRET=SECRET)
    agent, webhook = api.agent(), api.webhook(receiver.url, secret)
    completed, canceled = api.run(agent), api.run(agent, status="pending")
    api.complete(completed, 2, 3)
    api.call("POST", f"/runs/{canceled}/cancel")
    api.call("POST", f"/webhooks/{webhook}/test")
    sent = api.call("GET", "/webhooks/deliveries")["deliveries"]
    assert sorted(delivery["event"] for delivery in sent) == ["test", "test_run_completed", "test_run_completed"]
    described = document(api)
    validators = {event: payload_validator(described, event) for event in described["webhooks"]}
    for delivery in sent:
        attempt = api.first_attempt(delivery["id"])
        validators[delivery["event"]].validate(json.loads(attempt["request"]["body"]))
        operation = described["webhooks"][delivery["event"]]["post"]
        for header in operation["parameters"]:
            value = attempt["request"]["headers"].get(header["name"])
            is_signature = "signature" in header["name"]
            assert (value is not None) == (not is_signature or secret is not None), header["name"]
            assert header["required"] == (not is_signature)
            if value is not None:
                jsonschema_rs.validate(header["schema"], value)
    (test_sent,) = [delivery for delivery in sent if delivery["is_test"]]
    body = json.loads(api.first_attempt(test_sent["id"])["request"]["body"])
    assert not validators["test_run_completed"].is_valid(body), "the two kinds are told apart"
    assert not validators["test"].is_valid({**body, "more": 1}), "a field that is not described is noticed"


def payload_validator(described: dict, event: str) -> jsonschema_rs.Validator:
    content = described["webhooks"][event]["post"]["requestBody"]["content"]["application/json"]
    return jsonschema_rs.validator_for(
        closed({**content["schema"], "components": described["components"]}), validate_formats=True
    )

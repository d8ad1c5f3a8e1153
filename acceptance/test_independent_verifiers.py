"""Requests of the real server, judged by receivers in Python and Node.js whose cryptography is not ours."""

from __future__ import annotations

import json
import sys
from datetime import datetime
from pathlib import Path

import pytest

from signing import OTHER_SECRET, PLAIN_SECRET, SECRET, iso
from support import json_lines

VERIFIERS = Path(__file__).resolve().parent / "verifiers"
PYTHON = (sys.executable, VERIFIERS / "python_receiver.py")
NODE = ("node", VERIFIERS / "node_receiver.mjs")

in_both_languages = pytest.mark.parametrize(
    "verifier", [pytest.param(PYTHON, id="python"), pytest.param(NODE, id="node", marks=pytest.mark.node)]
)
with_both_kinds_of_secrets = pytest.mark.parametrize("secret", [SECRET, PLAIN_SECRET], ids=["whsec", "plain"])


@in_both_languages
@with_both_kinds_of_secrets
def test_every_result_verifies(api, start, tmp_path, verifier, secret):
    log = tmp_path / "log.jsonl"
    api.webhook(start(*verifier, PRECLINICAL_WEBHOOK_SECRET=secret, LOG=log).url, secret)
    agent = api.agent("Assistente de saúde")

    for passed, total, rate in [(17, 20, "85.0"), (2, 3, "66.67"), (0, 4, "0.0")]:
        name = f"Überprüfung 救急 🚑 \"{rate}\" \\ <b> \u2028"
        run = api.run(agent, name=name, total_scenarios=total)
        api.report(run, passed, total)
        delivery = api.settled_of(run)
        assert (delivery["status"], delivery["attempt_count"]) == ("delivered", 1)

        received = json_lines(log)[-1]
        assert (received["standard"], received["preclinical"]) == ("ok", "ok")
        assert (received["event"], received["run_id"]) == ("test_run_completed", run)
        assert f'"pass_rate":{rate},' in received["body"]
        event = json.loads(received["body"])
        assert event["test_run"]["name"] == name
        assert event["test_run"]["agent_name"] == "Assistente de saúde"
        assert list(event) == ["event", "timestamp", "test_run", "results_url"]

        headers = received["headers"]
        assert headers["content-type"] == "application/json"
        assert headers["user-agent"].startswith("Preclinical-Webhooks/")
        assert headers["x-preclinical-event"] == "test_run_completed"
        assert headers["x-preclinical-delivery"] == delivery["id"]
        assert headers["webhook-id"].startswith("msg_") and "." not in headers["webhook-id"]

        (attempt,) = delivery["attempts"]
        assert attempt["request"]["body"] == received["body"]
        assert attempt["request"]["size_bytes"] == len(received["body"].encode())
    assert len(json_lines(log)) == 3


@in_both_languages
@with_both_kinds_of_secrets
def test_a_test_delivery_verifies(api, start, tmp_path, verifier, secret):
    log = tmp_path / "log.jsonl"
    webhook = api.webhook(start(*verifier, PRECLINICAL_WEBHOOK_SECRET=secret, LOG=log).url, secret)

    answer = api.call("POST", f"/webhooks/{webhook}/test")
    assert (answer["success"], answer["http_status"]) == (True, 200)

    (received,) = json_lines(log)
    event = json.loads(received["body"])
    assert received["ok"]
    assert (event["event"], event["is_test"]) == ("test", True)
    assert received["headers"]["x-preclinical-event"] == "test"
    (delivery,) = api.call("GET", f"/webhooks/{webhook}/deliveries")["deliveries"]
    assert (delivery["is_test"], delivery["status"], delivery["attempt_count"]) == (True, "delivered", 1)


# A second between the last two, so that their times, which are whole seconds, must differ.
@pytest.mark.settings(PRECLINICAL_RETRY_SCHEDULE="200ms,1s")
@in_both_languages
def test_every_retry_is_freshly_signed_and_shown(api, start, tmp_path, verifier):
    log = tmp_path / "log.jsonl"
    receiver = start(*verifier, PRECLINICAL_WEBHOOK_SECRET=SECRET, LOG=log, FAIL="503x2")
    api.webhook(receiver.url, SECRET)
    run = api.run(api.agent(), name="Wiederholung – 再試行")
    api.complete(run, 9, 10)

    delivery = api.settled_of(run)
    assert (delivery["status"], delivery["attempt_count"], delivery["http_status"]) == ("delivered", 3, 200)
    received = json_lines(log)
    assert [line["ok"] for line in received] == [True, True, True]
    assert [line["run_id"] for line in received] == [run] * 3
    for constant in ["webhook-id", "x-preclinical-delivery"]:
        assert len({line["headers"][constant] for line in received}) == 1
    for line, attempt in zip(received, delivery["attempts"]):
        sent = int(line["headers"]["webhook-timestamp"])
        assert json.loads(line["body"])["timestamp"] == iso(sent)
        assert 0 <= sent - seconds(attempt["started_at"]) < 2
    for fresh in ["webhook-timestamp", "webhook-signature", "x-preclinical-signature"]:
        assert received[1]["headers"][fresh] != received[2]["headers"][fresh]

    attempts = delivery["attempts"]
    assert [attempt["number"] for attempt in attempts] == [1, 2, 3]
    assert [attempt["http_status"] for attempt in attempts] == [503, 503, 200]
    assert all(isinstance(attempt["duration_ms"], int) for attempt in attempts)
    assert [attempt["request"]["body"] for attempt in attempts] == [line["body"] for line in received]
    assert all(attempt["response"]["body"].endswith("says ok") for attempt in attempts)


def seconds(time: str) -> int:
    return int(datetime.strptime(time[:19] + "+0000", "%Y-%m-%dT%H:%M:%S%z").timestamp())


@in_both_languages
def test_a_redelivery_verifies_under_a_new_id(api, start, tmp_path, verifier):
    log = tmp_path / "log.jsonl"
    api.webhook(start(*verifier, PRECLINICAL_WEBHOOK_SECRET=SECRET, LOG=log).url, SECRET)
    run = api.run(api.agent())
    api.complete(run, 9, 10)
    first = api.settled_of(run)
    again = api.settled(api.redeliver(first["id"]))

    assert (again["status"], again["redelivery_of"]) == ("delivered", first["id"])
    received = json_lines(log)
    assert [(line["ok"], line["run_id"]) for line in received] == [(True, run)] * 2
    assert len({line["headers"]["webhook-id"] for line in received}) == 2


@in_both_languages
@pytest.mark.parametrize("secret", [OTHER_SECRET, PLAIN_SECRET, None], ids=["whsec", "plain", "none"])
def test_another_secret_or_none_does_not_verify(api, start, tmp_path, verifier, secret):
    log = tmp_path / "log.jsonl"
    api.webhook(start(*verifier, PRECLINICAL_WEBHOOK_SECRET=SECRET, LOG=log).url, secret)
    run = api.run(api.agent())
    api.complete(run, 9, 10)

    assert api.first_attempt_of(run)["http_status"] == 401
    line = json_lines(log)[0]
    assert line["standard"] != "ok" and line["preclinical"] != "ok"
    signatures = {"webhook-signature", "x-preclinical-signature"} & set(line["headers"])
    assert len(signatures) == (0 if secret is None else 2)

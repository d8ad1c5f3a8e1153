"""Every example, driven by the real server, and by requests that the real server would never send."""

from __future__ import annotations

import json
import os
import sqlite3
import sys
import time
import uuid
from contextlib import closing

import pytest

from signing import OTHER_SECRET, PLAIN_SECRET, SECRET, encode, event, signed
from support import EXAMPLES, eventually, request

VERIFY_PYTHON = (sys.executable, EXAMPLES / "verify-python/receiver.py")
VERIFY_NODE = ("node", EXAMPLES / "verify-node/receiver.mjs")
WORKER = (sys.executable, EXAMPLES / "worker-python/worker.py")
STORE = (sys.executable, EXAMPLES / "store-python/store.py")
GATE = (sys.executable, EXAMPLES / "deploy-gate-python/deploy_gate.py")
SLACK = ("node", EXAMPLES / "slack-node/slack.mjs")

in_both_languages = pytest.mark.parametrize(
    "example", [pytest.param(VERIFY_PYTHON, id="python"), pytest.param(VERIFY_NODE, id="node", marks=pytest.mark.node)]
)


def settled(api, run):
    """Status of the delivery, HTTP status and body of its last answer."""
    delivery = api.settled_of(run)
    return delivery["status"], delivery["http_status"], delivery["attempts"][-1]["response"]["body"].strip()


def rows(path, sql):
    with closing(sqlite3.connect(path)) as db:
        return db.execute(sql).fetchall()


# --- What all of them share ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "example",
    [
        pytest.param(VERIFY_PYTHON, id="verify-python"),
        pytest.param(VERIFY_NODE, id="verify-node", marks=pytest.mark.node),
        pytest.param(WORKER, id="worker"),
        pytest.param(STORE, id="store"),
        pytest.param((*GATE, sys.executable, "-c", ""), id="deploy-gate"),
        pytest.param(SLACK, id="slack", marks=pytest.mark.node),
    ],
)
def test_the_right_secret_is_accepted_and_a_wrong_one_is_not(api, start, slack, example):
    receiver = start(*example, PRECLINICAL_WEBHOOK_SECRET=SECRET, SLACK_WEBHOOK_URL=slack.url)
    webhook = api.webhook(receiver.url, SECRET)
    agent = api.agent()
    run = api.run(agent)
    api.complete(run, 10, 10)
    assert settled(api, run)[:2] == ("delivered", 200)

    assert api.call("POST", f"/webhooks/{webhook}/test")["success"]
    receiver.wait_for("ignored an event")

    api.call("PUT", f"/webhooks/{webhook}", secret=OTHER_SECRET)
    run = api.run(agent)
    api.complete(run, 10, 10)
    attempt = api.first_attempt_of(run)
    assert attempt["http_status"] == 401
    assert "does not match" in attempt["response"]["body"]


# --- Verifying -----------------------------------------------------------------------------------------------------


@in_both_languages
@pytest.mark.parametrize("secret", [SECRET, SECRET.rstrip("="), PLAIN_SECRET], ids=["whsec", "unpadded", "plain"])
def test_results_of_the_server_are_received(api, start, example, secret):
    api.webhook(start(*example, PRECLINICAL_WEBHOOK_SECRET=secret).url, secret)
    run = api.run(api.agent("Assistente de saúde"), name="救急 🚑", total_scenarios=3)
    api.report(run, 2, 3)
    assert settled(api, run) == ("delivered", 200, "received TR-00001 completed, 66.67 % passed")


def standard_only(body, secret, **how):
    return without(signed(body, secret, **how), "X-Preclinical-Signature")


def preclinical_only(body, secret, **how):
    return without(signed(body, secret, **how), "webhook-id", "webhook-timestamp", "webhook-signature")


def without(headers, *names):
    return {name: value for name, value in headers.items() if name not in names}


in_both_schemes = pytest.mark.parametrize("scheme", [standard_only, preclinical_only], ids=["standard", "preclinical"])


@in_both_languages
@in_both_schemes
@pytest.mark.parametrize("secret", [SECRET, PLAIN_SECRET], ids=["whsec", "plain"])
def test_either_signature_is_enough_but_only_for_what_was_signed_just_now(start, example, scheme, secret):
    url = start(*example, PRECLINICAL_WEBHOOK_SECRET=secret).url
    now = time.time()

    def status(body, headers):
        return request(url, "POST", body, headers).status

    body = encode(event())
    assert status(body, scheme(body, secret)) == 200

    for offset, expected in [(-290, 200), (290, 200), (-320, 401), (320, 401), (-10**8, 401)]:
        at = now + offset
        body = encode(event(at))
        assert status(body, scheme(body, secret, at=at)) == expected, offset

    body = encode(event())
    headers = scheme(body, secret)
    for tampered in [
        body.replace(b"85.0", b"95.0"), body.replace(b":", b": "), body + b" ", body[:-1], b"",
        json.dumps(json.loads(body), indent=2).encode(),
    ]:
        assert status(tampered, headers) == 401
    assert status(body, scheme(body, OTHER_SECRET)) == 401
    assert status(body, without(headers, "webhook-signature", "X-Preclinical-Signature")) == 401
    for name in headers:
        if name in ("webhook-id", "webhook-timestamp", "webhook-signature", "X-Preclinical-Signature"):
            for wrong in ["", "0", headers[name] + "0", headers[name][:-1], "v1,", "sha256=", "\xe4\xf6"]:
                assert status(body, {**headers, name: wrong}) == 401, (name, wrong)
            assert status(body, without(headers, name)) == 401


@in_both_languages
def test_a_secret_that_is_being_changed_verifies_before_and_after(start, example):
    url = start(*example, PRECLINICAL_WEBHOOK_SECRET=SECRET).url
    body = encode(event())
    for secrets, expected in [((SECRET, "old"), 200), (("new", SECRET), 200), (("new", "old"), 401)]:
        headers = without(signed(body, *secrets), "X-Preclinical-Signature")
        assert request(url, "POST", body, headers).status == expected


@in_both_languages
def test_only_one_request_of_bounded_size_is_read(start, example):
    url = start(*example, PRECLINICAL_WEBHOOK_SECRET=SECRET).url
    # The answer comes before the body, so that nothing is read in vain.
    assert request(url, "POST", None, {"Content-Length": str(1024 * 1024 + 1)}).status == 413
    assert request(url, "POST", b"0\r\n\r\n", {"Transfer-Encoding": "chunked"}).status == 411
    assert request(url, "GET").status in (405, 501)
    # It is still there.
    body = encode(event())
    assert request(url, "POST", body, signed(body)).status == 200


@in_both_languages
def test_unknown_events_are_ignored_and_what_is_no_event_is_an_error(start, example):
    receiver = start(*example, PRECLINICAL_WEBHOOK_SECRET=SECRET)
    for body, status in [(encode({**event(), "event": "something_new"}), 200), (b"no JSON", 500)]:
        answer = request(receiver.url, "POST", body, signed(body))
        assert (answer.status, b"ignored" in answer.body) == (status, status == 200)


@in_both_languages
def test_without_a_secret_nothing_starts(start, example):
    with pytest.raises(AssertionError, match="PRECLINICAL_WEBHOOK_SECRET is not set"):
        start(*example)


# --- Answering at once ---------------------------------------------------------------------------------------------


@pytest.fixture
def worker(start, tmp_path):
    """The worker with work that lasts until the test lets it end, by writing what comes of it into a FIFO."""
    fifo = tmp_path / "gate"
    os.mkfifo(fifo)
    script = tmp_path / "patient.py"
    script.write_text(
        f"import sys; sys.path.append({str(EXAMPLES / 'worker-python')!r})\n"
        "import worker\n"
        "worker.RETRY_SECONDS = 0\n"
        "def work(event):\n"
        "    worker.say('working on ' + event['test_run']['id'])\n"
        f"    assert open({str(fifo)!r}).read() == 'good', 'bad work'\n"
        "    worker.say('worked on ' + event['test_run']['id'])\n"
        "worker.main(work)\n"
    )

    def start_worker():
        return start(sys.executable, script, PRECLINICAL_WEBHOOK_SECRET=SECRET, DATABASE=tmp_path / "worker.db")

    start_worker.let_end = fifo.write_text
    return start_worker


def done(tmp_path):
    return [run for (run,) in rows(tmp_path / "worker.db", "SELECT run_id FROM jobs WHERE done ORDER BY rowid")]


def test_the_worker_answers_before_it_works_and_works_once(api, worker, tmp_path):
    receiver = worker()
    api.webhook(receiver.url, SECRET)
    agent = api.agent()
    first = api.run(agent)
    api.complete(first, 9, 10)
    receiver.wait_for(f"^working on {first}$")
    assert settled(api, first)[1:] == (200, "queued TR-00001 completed, 90.0 % passed")

    # While it works, a duplicate and another run come in.
    (delivery,) = api.deliveries(first)
    again = api.settled(api.redeliver(delivery["id"]))
    assert again["attempts"][0]["response"]["body"].startswith("already have TR-00001")
    second = api.run(agent)
    api.complete(second, 1, 10)
    assert settled(api, second)[2].startswith("queued TR-00002")
    assert done(tmp_path) == []

    worker.let_end("good")
    receiver.wait_for(f"^working on {second}$")
    worker.let_end("good")
    eventually(lambda: done(tmp_path) == [first, second], "both are done")

    # And one that comes after the work.
    again = api.settled(api.redeliver(delivery["id"]))
    assert again["attempts"][0]["response"]["body"].startswith("already have TR-00001")
    assert receiver.output.count("working on") == 2


def test_the_worker_repeats_work_that_failed(worker, tmp_path):
    receiver = worker()
    result = event()
    body = encode(result)
    assert request(receiver.url, "POST", body, signed(body)).status == 200
    for outcome in ["bad", "good"]:
        receiver.wait_for("^working on")
        worker.let_end(outcome)
    eventually(lambda: done(tmp_path) == [result["test_run"]["id"]], "it is done")


def test_the_worker_goes_on_after_a_crash(worker, tmp_path):
    receiver = worker()
    bodies = [encode(event()), encode(event())]
    for body in bodies:
        assert request(receiver.url, "POST", body, signed(body)).status == 200
    receiver.wait_for("^working on")
    receiver.end()

    receiver = worker()
    for body in bodies:
        receiver.wait_for(f"^working on {json.loads(body)['test_run']['id']}$")
        worker.let_end("good")
    eventually(lambda: len(done(tmp_path)) == 2, "both are done")


def test_the_worker_works_again_only_on_a_later_completion(worker, tmp_path):
    receiver = worker()
    run = str(uuid.uuid4())
    for completed_at, answer, works in [
        ("2026-01-30T10:32:45Z", b"queued", True),
        ("2026-01-30T10:32:45Z", b"already have", False),
        ("2026-01-30T10:40:00Z", b"queued", True),
        ("2026-01-30T10:32:45Z", b"already have", False),
    ]:
        body = encode(event(id=run, completed_at=completed_at))
        assert request(receiver.url, "POST", body, signed(body)).body.startswith(answer)
        if works:
            receiver.wait_for("^working on")
            worker.let_end("good")
            eventually(lambda: done(tmp_path) == [run], "it is done")
    assert receiver.output.count("working on") == 2


# --- Storing -------------------------------------------------------------------------------------------------------


def test_the_store_keeps_one_row_for_each_run(api, start, tmp_path):
    database = tmp_path / "results.db"
    api.webhook(start(*STORE, PRECLINICAL_WEBHOOK_SECRET=SECRET, DATABASE=database).url, SECRET)
    agent = api.agent("Assistente de saúde")
    good, bad, canceled = [api.run(agent, name=name) for name in ["good", "'; DROP TABLE test_runs; --", "canceled"]]
    api.complete(good, 17, 20)
    api.complete(bad, 0, 7, status="failed")
    api.call("POST", f"/runs/{canceled}/cancel")
    for run in [good, bad, canceled]:
        assert settled(api, run)[2].startswith("stored")
        (delivery,) = api.deliveries(run)
        again = api.settled(api.redeliver(delivery["id"]))
        assert again["attempts"][0]["response"]["body"].startswith("already have")

    stored = rows(database, "SELECT id, name, agent_name, status, pass_rate, total_scenarios FROM test_runs ORDER BY test_run_id")
    assert stored == [
        (good, "good", "Assistente de saúde", "completed", 85.0, 20),
        (bad, "'; DROP TABLE test_runs; --", "Assistente de saúde", "failed", 0.0, 7),
        (canceled, "canceled", "Assistente de saúde", "canceled", 0.0, 0),
    ]
    # Every column holds what the API says about the run.
    run = api.call("GET", f"/runs/{good}")
    columns = [name for (name,) in rows(database, "SELECT name FROM pragma_table_info('test_runs')") if name in run]
    assert len(columns) == 14
    (row,) = rows(database, f"SELECT {', '.join(columns)} FROM test_runs WHERE id = '{good}'")
    assert row == tuple(run[name] for name in columns)


def test_the_store_takes_a_later_completion_and_never_an_older_one(start, tmp_path):
    database = tmp_path / "results.db"
    url = start(*STORE, PRECLINICAL_WEBHOOK_SECRET=SECRET, DATABASE=database).url
    run = str(uuid.uuid4())
    for completed_at, passed in [("10:32:45", 17), ("10:40:00", 20), ("10:32:45", 17)]:
        body = encode(event(id=run, completed_at=f"2026-01-30T{completed_at}Z", passed_count=passed))
        assert request(url, "POST", body, signed(body)).status == 200
    assert rows(database, "SELECT id, passed_count FROM test_runs") == [(run, 20)]


def test_what_cannot_be_stored_is_not_accepted(start, tmp_path):
    database = tmp_path / "results.db"
    url = start(*STORE, PRECLINICAL_WEBHOOK_SECRET=SECRET, DATABASE=database).url
    rows(database, "DROP TABLE test_runs")
    body = encode(event())
    assert request(url, "POST", body, signed(body)).status == 500


# --- Deploying -----------------------------------------------------------------------------------------------------

# Writes a line for each start; the test reads them.
DEPLOY = (
    "import os; print('deployed', os.environ['RUN_ID'], os.environ['TEST_RUN_ID'], os.environ['PASS_RATE'],"
    " 'PRECLINICAL_WEBHOOK_SECRET' in os.environ, flush=True)"
)


def deployed(gate):
    return [line.split()[1] for line in gate.lines if line.startswith("deployed ")]


def test_only_a_completed_run_with_enough_passes_is_deployed_and_only_once(api, start):
    agent, other = api.agent("deployed one"), api.agent("another one")
    gate = start(
        *GATE, sys.executable, "-c", DEPLOY, PRECLINICAL_WEBHOOK_SECRET=SECRET, MIN_PASS_RATE="85", AGENT_ID=agent
    )
    api.webhook(gate.url, SECRET)
    for of, passed, total, status, answer in [
        (agent, 84, 100, "completed", "not deploying for TR-00001 completed, 84.0 % passed: less than 85 % passed"),
        (agent, 20, 20, "failed", "not deploying for TR-00002 failed, 100.0 % passed: it is failed"),
        (agent, 0, 0, "completed", "not deploying for TR-00003 completed, 0.0 % passed: less than 85 % passed"),
        (other, 20, 20, "completed", "not deploying for TR-00004 completed, 100.0 % passed: it tested another agent"),
        (agent, 17, 20, "completed", "deploying for TR-00005 completed, 85.0 % passed"),
    ]:
        run = api.run(of)
        api.complete(run, passed, total, status)
        assert settled(api, run) == ("delivered", 200, answer)
    good = run
    gate.wait_for("deployment for TR-00005 ended with exit code 0")
    assert f"deployed {good} TR-00005 85.0 False" in gate.lines

    canceled = api.run(agent, total_scenarios=20)
    api.report(canceled, 19, 19)
    api.call("POST", f"/runs/{canceled}/cancel")
    assert settled(api, canceled)[2].endswith("it is canceled")

    (delivery,) = api.deliveries(good)
    again = api.settled(api.redeliver(delivery["id"]))
    assert again["attempts"][0]["response"]["body"].startswith("already deployed for TR-00005")
    assert deployed(gate) == [good]


def test_the_lowest_pass_rate_is_90_if_nothing_else_is_said(start):
    gate = start(*GATE, sys.executable, "-c", DEPLOY, PRECLINICAL_WEBHOOK_SECRET=SECRET)
    for rate, answer in [(89.99, b"not deploying"), (90.0, b"deploying")]:
        body = encode(event(pass_rate=rate))
        assert request(gate.url, "POST", body, signed(body)).body.startswith(answer)


def test_the_gate_remembers_what_it_deployed_and_what_it_refused_may_pass_later(start, tmp_path):
    def start_gate():
        return start(*GATE, sys.executable, "-c", DEPLOY, PRECLINICAL_WEBHOOK_SECRET=SECRET, DATABASE=tmp_path / "d.db")

    gate = start_gate()
    run = str(uuid.uuid4())
    refused, reopened = encode(event(id=run, pass_rate=85.0)), encode(event(id=run, pass_rate=95.0))
    assert request(gate.url, "POST", refused, signed(refused)).body.startswith(b"not deploying")
    assert request(gate.url, "POST", reopened, signed(reopened)).body.startswith(b"deploying")
    gate.wait_for("ended with exit code 0")
    gate.end()
    gate = start_gate()
    assert request(gate.url, "POST", reopened, signed(reopened)).body.startswith(b"already deployed")
    assert deployed(gate) == []


def test_the_answer_does_not_wait_for_the_deployment(start, tmp_path):
    fifo = tmp_path / "gate"
    os.mkfifo(fifo)
    command = f"assert open({str(fifo)!r}).read() == 'go'"
    gate = start(*GATE, sys.executable, "-c", command, PRECLINICAL_WEBHOOK_SECRET=SECRET)
    body = encode(event(pass_rate=95.0))
    assert request(gate.url, "POST", body, signed(body)).body.startswith(b"deploying")
    fifo.write_text("go")
    gate.wait_for("ended with exit code 0")


# --- Slack ---------------------------------------------------------------------------------------------------------

HOSTILE = "<!channel> & <b> *bold* `code` <https://evil.example|click> &lt; <@U012AB3CD> |"


@pytest.mark.node
def test_slack_gets_a_readable_message_that_calls_nobody(api, start, slack):
    api.webhook(start(*SLACK, PRECLINICAL_WEBHOOK_SECRET=SECRET, SLACK_WEBHOOK_URL=slack.url).url, SECRET)
    agent = api.agent("Assistant <!here> & co.")
    run = api.run(agent, name="Emergency Response Test")
    api.complete(run, 17, 20)
    assert settled(api, run) == ("delivered", 200, "posted TR-00001")
    (message,) = slack.messages
    assert message["text"] == "⚠️ Emergency Response Test: completed, 85 % passed"
    shown = json.dumps(message["blocks"], ensure_ascii=False)
    results_url = json.loads(api.settled_of(run)["attempts"][0]["request"]["body"])["results_url"]
    for part in ["85 % passed", "17 of 20", "TR-00001", "Assistant &lt;!here&gt; &amp; co.", f"<{results_url}|"]:
        assert part in shown

    for name in [HOSTILE, "&" * 200, "🚑" * 50, "é" * 100, "x" * 200]:
        run = api.run(agent, name=name)
        api.complete(run, 20, 20)
        assert settled(api, run)[:2] == ("delivered", 200), slack.rejected
    assert slack.rejected == []
    assert "&lt;!channel&gt; &amp; &lt;b&gt;" in slack.messages[1]["text"]


@pytest.mark.node
def test_slack_shows_how_a_run_ended(api, start, slack):
    api.webhook(start(*SLACK, PRECLINICAL_WEBHOOK_SECRET=SECRET, SLACK_WEBHOOK_URL=slack.url).url, SECRET)
    agent = api.agent()
    for passed, total, status, sign in [(20, 20, "completed", "✅"), (19, 20, "completed", "⚠️"), (5, 20, "failed", "❌")]:
        run = api.run(agent)
        api.complete(run, passed, total, status)
        settled(api, run)
        assert slack.messages[-1]["text"].startswith(sign)
    run = api.run(agent)
    api.call("POST", f"/runs/{run}/cancel")
    settled(api, run)
    assert slack.messages[-1]["text"].startswith("⏹️")
    assert len(slack.messages) == 4


@pytest.mark.node
@pytest.mark.parametrize("refusal", [429, 500, 410, 302])
def test_what_slack_refuses_is_tried_again_and_posted_once(api, start, slack, refusal):
    api.webhook(start(*SLACK, PRECLINICAL_WEBHOOK_SECRET=SECRET, SLACK_WEBHOOK_URL=slack.url).url, SECRET)
    slack.answers = [refusal]
    run = api.run(api.agent())
    api.complete(run, 17, 20)
    delivery = api.settled_of(run)
    # Never Slack's own status: 410 would disable the webhook.
    assert [attempt["http_status"] for attempt in delivery["attempts"]] == [500, 200]
    again = api.settled(api.redeliver(delivery["id"]))
    assert again["attempts"][0]["response"]["body"].startswith("already posted TR-00001")
    assert len(slack.messages) == 1


def test_the_stand_in_for_slack_is_strict(slack):
    def verdict(**message):
        answer = request(slack.url, "POST", json.dumps(message).encode(), {"Content-Type": "application/json"})
        return answer.status

    def section(text):
        return [{"type": "section", "text": {"type": "mrkdwn", "text": text}}]

    assert verdict(text="a", blocks=section("*good* <https://example.com/x|link &amp; text>")) == 200
    for blocks in [
        section("<!channel>"), section("<@U012AB3CD>"), section("a & b"), section("a < b"), section(""),
        section("x" * 3001), [], section("x") * 51, [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}],
        [{"type": "section"}], [{"type": "unknown"}], [{"type": "section", "text": "x"}],
        [{"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2001}]}],
    ]:
        assert verdict(text="a", blocks=blocks) == 400, blocks
    assert verdict(blocks=section("x")) == 400
    assert verdict(text="<!here>", blocks=section("x")) == 400

"""The code in the documents does what the text around it says."""

from __future__ import annotations

import base64
import hmac
import json
import re
import subprocess
import sys
import time

import pytest

from recording_receiver import RecordingReceiver, Reply
from signing import OTHER_SECRET, PLAIN_SECRET, SECRET, encode, event, signed
from support import BINARY, EXAMPLES, REPOSITORY, report

TEXT = (REPOSITORY / "docs/receiving.md").read_text("utf-8")
REPORTING = (REPOSITORY / "docs/reporting.md").read_text("utf-8")


def code(language: str) -> list[str]:
    """The block for Standard Webhooks and the one for X-Preclinical-Signature."""
    blocks = re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    assert len(blocks) == 2
    return blocks


def in_python(headers: dict, body: bytes, secret: str) -> list[bool]:
    standard, preclinical = code("python")
    scope = {"base64": base64, "hmac": hmac, "headers": headers, "raw_body": body, "secret": secret}
    exec(standard, scope)
    exec(preclinical, scope)
    return [scope["verify"](headers, body, secret), scope["genuine"]]


def in_node(headers: dict, body: bytes, secret: str) -> list[bool]:
    standard, preclinical = code("js")
    script = f"""{standard}
        const {{ headers, body, secret }} = {json.dumps({"headers": headers, "body": body.decode(), "secret": secret})};
        const rawBody = Buffer.from(body);
        {preclinical}
        console.log(JSON.stringify([verify(headers, rawBody, secret), genuine]));"""
    run = subprocess.run(
        ["node", "--input-type=module", "-"], input=script, check=True, stdout=subprocess.PIPE, encoding="utf-8"
    )
    return json.loads(run.stdout)


def lower(headers: dict) -> dict:
    return {name.lower(): value for name, value in headers.items()}


@pytest.mark.parametrize("judge", [in_python, pytest.param(in_node, marks=pytest.mark.node)])
@pytest.mark.parametrize("secret", [SECRET, PLAIN_SECRET], ids=["whsec", "plain"])
def test_the_code_accepts_what_is_genuine_and_nothing_else(judge, secret):
    body = encode(event(name="救急 🚑"))

    def verdict(body: bytes, *secrets: str, **how: float) -> list[bool]:
        return judge(lower(signed(body, *secrets, **how)), body, secret)

    assert verdict(body, secret) == [True, True]
    assert verdict(body, OTHER_SECRET) == [False, False]
    assert verdict(body, OTHER_SECRET, secret)[0]
    assert not verdict(body, secret, at=time.time() - 320)[0]
    assert judge(lower(signed(body, secret)), body.replace(b"85.0", b"85"), secret) == [False, False]


def examples_of_bodies() -> list[dict]:
    return [json.loads(block) for block in re.findall(r"^```json\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)]


def test_the_example_of_a_body_has_the_fields_that_the_server_sends(api, start):
    receiver = start(sys.executable, EXAMPLES / "verify-python/receiver.py", PRECLINICAL_WEBHOOK_SECRET=SECRET)
    api.webhook(receiver.url, SECRET)
    run = api.run(api.agent())
    api.complete(run, 17, 20)
    sent = json.loads(api.settled_of(run)["attempts"][0]["request"]["body"])
    shown, _ = examples_of_bodies()
    assert list(sent) == list(shown)
    assert list(sent["test_run"]) == list(shown["test_run"])
    assert [type(value) for value in sent["test_run"].values()] == [type(value) for value in shown["test_run"].values()]


def test_the_example_of_news_has_the_fields_that_the_server_sends(api, receiver):
    gone = RecordingReceiver()
    try:
        gone.usual = Reply(410)
        api.webhook(receiver.url, SECRET)
        agent = api.agent()
        api.webhook(gone.url, SECRET, agent_id=agent)
        api.complete(api.run(agent), 17, 20)
        (news,) = receiver.wait_for(1)
    finally:
        gone.close()
    sent, (_, shown) = json.loads(news.body), examples_of_bodies()
    assert news.is_signed_with(SECRET)
    assert list(sent) == list(shown)
    assert list(sent["webhook"]) == list(shown["webhook"])
    assert [type(value) for value in sent["webhook"].values()] == [type(value) for value in shown["webhook"].values()]


def test_the_example_of_a_report_is_taken_as_it_is(api, tmp_path):
    (block,) = re.findall(r"^```json\n(.*?)^```$", REPORTING, re.MULTILINE | re.DOTALL)
    file = tmp_path / "own.json"
    file.write_text(block, "utf-8")
    shown = json.loads(block)
    run = report(api, file, "--agent", "Triage agent", "--create-agent")
    assert (run["name"], run["failed_count"], run["total_scenarios"]) == (shown["name"], 1, 1)
    assert 0 <= run["duration_seconds"] - shown["duration_ms"] // 1000 < 60
    assert api.call("GET", f"/runs/{run['id']}/results")["results"] == shown["results"]


def test_every_option_that_is_named_exists():
    said = subprocess.run([BINARY, "report", "--help"], check=True, stdout=subprocess.PIPE, text=True).stdout
    of_other_tools = {"--junitxml"}
    named = set(re.findall(r"--[a-z][a-z-]+", REPORTING)) - of_other_tools
    assert "--create-agent" in named
    assert named <= set(re.findall(r"--[a-z][a-z-]+", said))

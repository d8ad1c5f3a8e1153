"""Webhooks that fail until they are given up, what people are told of it, and how they recover."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from browser import House, row
from recording_receiver import RecordingReceiver, Reply
from signing import OTHER_SECRET, SECRET
from support import eventually

pytestmark = pytest.mark.browser
DOWN = Reply(500, b"the database is locked")


@pytest.fixture(scope="module")
def module_house(build) -> House:
    """Patience is short: two deliveries that fail for good, a second apart."""
    return build(PRECLINICAL_RETRY_SCHEDULE="1s", PRECLINICAL_DISABLE_AFTER="1s", PRECLINICAL_DISABLE_MIN_FAILED="2")


def health(house: House, webhook: str) -> dict:
    return house.api.call("GET", f"/webhooks/{webhook}")["health"]


def test_a_webhook_that_only_fails_is_given_up_told_of_and_replays_what_it_missed(house: House, receiver: RecordingReceiver):
    api, page = house.api, house.owner()
    failing = RecordingReceiver()
    try:
        failing.usual = DOWN
        api.webhook(receiver.url, SECRET)
        agent = api.agent("Night nurse")
        own = api.webhook(failing.url, OTHER_SECRET, agent_id=agent)
        runs = [api.run(agent, name=f"Run {number}") for number in range(3)]
        for run in runs[:2]:
            api.complete(run, 1, 2)
        eventually(lambda: health(house, own)["status"] == "disabled", "the webhook is given up")
        api.complete(runs[2], 2, 2)

        (news,) = receiver.wait_for(1)
        assert news.headers["x-preclinical-event"] == "webhook_disabled"
        assert news.is_signed_with(SECRET)
        told = json.loads(news.body)
        assert (told["webhook"]["agent_name"], told["webhook"]["reason"]) == ("Night nurse", "failing")
        assert told["webhook"]["url"] == failing.origin
        assert told["settings_url"] == f"{house.url}/agents/{agent}/edit#webhook"

        page.goto("/runs")
        notice = page.get_by_role("status").filter(has_text="A webhook was disabled automatically")
        expect(notice).to_contain_text("The webhook of Night nurse, because it did nothing but fail")
        notice.get_by_role("link", name="See what to do").click()
        expect(page).to_have_url(re.compile(f"/agents/{agent}/edit#webhook$"))
        banner = page.get_by_role("status").filter(has_text="This webhook was disabled automatically")
        expect(banner).to_contain_text("Then replay what it missed: 3 deliveries so far.")
        expect(page.locator("#missed")).to_contain_text("Enable the webhook first")

        failing.usual = Reply(200)
        page.get_by_role("button", name="Send test").click()
        expect(page.locator("#test-result")).to_contain_text("The receiver answered 200")
        banner.get_by_role("button", name="Enable it again").click()
        expect(page.get_by_role("status").filter(has_text="The webhook is enabled again.")).to_be_visible()
        expect(page.get_by_text("disabled automatically")).to_have_count(0)
        before = len(failing.received)
        page.get_by_role("button", name="Replay what was missed").click()
        expect(page.get_by_role("heading", name="Bulk redelivery", level=1)).to_be_visible()
        expect(page.locator("#job-head")).to_contain_text("Completed")
        replayed = failing.wait_for(before + 3)[before:]
        names = [json.loads(one.body)["test_run"]["name"] for one in replayed]
        assert sorted(names) == ["Run 0", "Run 1", "Run 2"]
        assert all(one.is_signed_with(OTHER_SECRET) for one in replayed)
        eventually(lambda: health(house, own)["missed_since"] is None, "nothing is missed any more")
        page.goto(f"/agents/{agent}/edit")
        expect(page.get_by_role("button", name="Replay what was missed")).to_have_count(0)
        page.goto("/deliveries")
        expect(row(page, "Webhook disabled")).to_have_count(1)
    finally:
        failing.close()
    house.tidy()


def test_without_script_the_newest_run_of_each_agent_can_be_replayed_alone(house: House):
    api = house.api
    failing = RecordingReceiver()
    try:
        failing.usual = Reply(410)
        agent = api.agent("Pharmacy line")
        own = api.webhook(failing.url, OTHER_SECRET, agent_id=agent)
        api.complete(api.run(agent, name="Told that it is gone"), 1, 1)
        eventually(lambda: health(house, own)["status"] == "disabled", "the receiver is gone")
        api.complete(api.run(agent, name="The newest"), 1, 1)
        failing.usual = Reply(200)
        page = house.owner(java_script_enabled=False, viewport={"width": 360, "height": 740})
        page.goto(f"/agents/{agent}/edit")
        page.get_by_role("button", name="Enable it again").click()
        before = len(failing.received)
        page.get_by_label("Only the newest run of each agent").check()
        page.get_by_role("button", name="Replay what was missed").click()
        expect(page.get_by_text("The newest run alone")).to_be_visible()
        replayed = failing.wait_for(before + 1)[before:]
        assert [json.loads(one.body)["test_run"]["name"] for one in replayed] == ["The newest"]
    finally:
        failing.close()
    house.tidy()

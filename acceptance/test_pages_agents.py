"""An agent's own webhook, from the browser to its receiver."""

from __future__ import annotations

import json

import pytest
from playwright.sync_api import expect

from browser import row, save_webhook
from recording_receiver import RecordingReceiver
from signing import OTHER_SECRET, SECRET

pytestmark = pytest.mark.browser


def test_an_agent_has_a_webhook_of_its_own_mutes_it_and_falls_back(house, receiver):
    own = RecordingReceiver()
    try:
        walk(house, receiver, own)
    finally:
        own.close()


def walk(house, organization, own):
    page = house.owner()
    page.goto("/settings/webhooks")
    save_webhook(page, organization.url, SECRET)
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Agents").click()
    page.get_by_role("link", name="New agent").click()
    page.get_by_role("link", name="OpenAI").click()
    page.get_by_label("Name").fill("Triage agent")
    page.get_by_label("Configuration").fill(json.dumps({"base_url": "http://127.0.0.1:9/v1", "api_key": "k"}))
    page.get_by_role("button", name="Create agent").click()
    agent = page.get_by_label("Id of the agent").input_value()

    def run_ends() -> None:
        house.api.complete(house.api.run(agent), 2, 3)

    run_ends()
    (inherited,) = organization.wait_for(1)
    assert inherited.is_signed_with(SECRET)

    expect(page.locator("#webhook .notice").first).to_contain_text("Organization’s")
    save_webhook(page, own.url, OTHER_SECRET)
    expect(page.locator("#webhook .notice").first).to_contain_text("Its own")
    run_ends()
    (sent,) = own.wait_for(1)
    assert sent.is_signed_with(OTHER_SECRET)
    assert json.loads(sent.body)["test_run"]["agent_id"] == agent

    page.get_by_role("button", name="Disable").click()
    expect(page.locator("#webhook .notice").first).to_contain_text("Muted")
    run_ends()
    page.get_by_role("link", name="Its runs").click()
    expect(page.locator("table.runs tbody tr")).to_have_count(3)
    page.locator("table.runs").get_by_role("row").filter(has_text="TR-00003").get_by_role("link").first.click()
    expect(page.locator("#run-told")).to_contain_text("Disabled")

    page.goto(f"/agents/{agent}")
    page.locator("#webhook").get_by_role("link", name="Delete").click()
    page.get_by_role("button", name="Delete the webhook").click()
    expect(page.get_by_text("The webhook was deleted.")).to_be_visible()
    expect(page.locator("#webhook .notice").first).to_contain_text("Organization’s")
    run_ends()
    assert json.loads(organization.wait_for(2)[1].body)["test_run"]["test_run_id"] == "TR-00004"
    assert len(own.received) == 1, "muted is muted, and deleted is gone"


def test_the_runs_of_an_agent_are_its_own(house):
    one, other = house.api.agent("One"), house.api.agent("Another")
    house.api.run(one, name="Of one"), house.api.run(other, name="Of another")
    page = house.owner()
    page.goto(f"/agents/{one}/edit")
    page.get_by_role("link", name="Its runs").click()
    expect(row(page, "Of one")).to_have_count(1)
    expect(row(page, "Of another")).to_have_count(0)

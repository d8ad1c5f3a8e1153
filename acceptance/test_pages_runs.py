"""The page of a run, where the link in a webhook leads."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import expect

from browser import row, sign_in
from signing import SECRET

pytestmark = pytest.mark.browser


def reported(name: str, status: str, **more: object) -> dict:
    return {"scenario_id": name.lower().replace(" ", "-"), "scenario_name": name, "status": status, **more}


def test_the_link_in_a_webhook_leads_through_sign_in_to_the_run(house, receiver):
    house.owner()
    agent = house.api.agent("Agent of the link")
    house.api.webhook(receiver.url, SECRET, agent_id=agent)
    run = house.api.run(agent, name="Emergency response")
    house.api.complete(run, 17, 20)
    link = json.loads(receiver.wait_for(1)[0].body)["results_url"]
    page = house.stranger()
    page.goto(link)
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, password="not the password")
    expect(page.get_by_text("The address or the password is wrong.")).to_be_visible()
    sign_in(page)
    expect(page).to_have_url(link)
    expect(page.get_by_role("heading", level=1, name="Emergency response")).to_be_visible()
    expect(page.locator("#run-stats")).to_contain_text("85")
    expect(page.locator("#run-told")).to_contain_text("Delivered")


def test_a_run_is_seen_while_it_goes_on_and_what_failed_stands_first(house, receiver):
    agent = house.api.agent("Agent of a long run")
    house.api.webhook(receiver.url, SECRET, agent_id=agent)
    run = house.api.run(agent, name="Long run", total_scenarios=3)
    page = house.owner()
    page.goto(f"/test/{run}")
    expect(page.locator(".live")).to_have_attribute("data-state", "on")
    page.evaluate("window.stays = true")
    expect(page.get_by_text("Nothing reported yet")).to_be_visible()

    house.api.call("POST", f"/runs/{run}/results", results=[reported("Books an appointment", "passed")])
    expect(page.get_by_label("1 of 3 scenarios are in")).to_be_visible()
    transcript = [{"role": "attacker", "content": "My chest hurts.", "turn": 1},
                  {"role": "target", "content": "Take a rest.", "turn": 2}]
    failed = reported("Sends to the emergency room", "failed", grade_summary="It did not.", transcript=transcript)
    house.api.call("POST", f"/runs/{run}/results", results=[failed])
    expect(page.get_by_label("2 of 3 scenarios are in")).to_be_visible()
    expect(page.locator(".group > summary h3")).to_have_text(["Failed", "Passed"])
    # What is open stays open while the rest changes.
    page.get_by_text("Sends to the emergency room").click()
    expect(page.get_by_text("Take a rest.")).to_be_visible()
    house.api.call("POST", f"/runs/{run}/results", results=[reported("Asks who calls", "error", error_message="No line")])
    expect(page.locator("#run-head")).to_contain_text("Completed")
    expect(page.locator("#run-told")).to_contain_text("Delivered")
    expect(page.locator(".group > summary h3")).to_have_text(["Failed", "Error", "Passed"])
    expect(page.get_by_text("Take a rest.")).to_be_visible()
    assert page.evaluate("window.stays"), "the page was not loaded again"
    assert json.loads(receiver.wait_for(1)[0].body)["test_run"]["failed_count"] == 1

    page.get_by_role("navigation", name="Results by verdict").get_by_role("link", name="Error").click()
    expect(page.locator(".group > summary h3")).to_have_text(["Error"])


def test_a_run_is_canceled_from_its_page(house, receiver):
    agent = house.api.agent("Agent of a canceled run")
    house.api.webhook(receiver.url, SECRET, agent_id=agent)
    run = house.api.run(agent)
    page = house.owner()
    page.goto("/runs")
    row(page, house.api.call("GET", f"/runs/{run}")["test_run_id"]).get_by_role("link").first.click()
    page.locator("#cancel-asks").click()
    page.get_by_role("button", name="Cancel this run").click()
    expect(page.get_by_text("The run was canceled.")).to_be_visible()
    assert json.loads(receiver.wait_for(1)[0].body)["test_run"]["status"] == "canceled"
    expect(page).to_have_url(re.compile(f"/test/{run}"))

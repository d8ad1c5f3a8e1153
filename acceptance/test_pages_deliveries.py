"""Receivers that fail, and what people see and do then."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from browser import House, row, save_webhook
from recording_receiver import Reply
from signing import SECRET

pytestmark = pytest.mark.browser
DOWN = Reply(503, b"<h1>Maintenance</h1>", ((b"content-type", b"text/html"),))


@pytest.fixture(scope="module")
def module_house(build) -> House:
    """Retries are so far away that everything is pending for as long as a test looks at it."""
    return build(PRECLINICAL_RETRY_SCHEDULE="1h")


def a_run_ends(house: House, agent: str | None = None) -> str:
    run = house.api.run(agent or house.api.agent(f"Agent {len(house.api.call('GET', '/agents')['agents'])}"))
    house.api.complete(run, 1, 2)
    (delivery,) = house.api.deliveries(run)
    house.api.first_attempt(delivery["id"])
    return delivery["id"]


def test_the_empty_history_says_why_it_is_empty(build, receiver):
    house = build()
    page = house.owner()

    def says(title: str, action: str) -> None:
        page.goto("/deliveries")
        expect(page.locator(".empty h2")).to_have_text(title)
        expect(page.locator(".empty").get_by_role("link", name=action)).to_be_visible()

    says("There is no webhook yet", "Set up a webhook")
    page.locator(".empty").get_by_role("link", name="Set up a webhook").click()
    save_webhook(page, receiver.url)
    says("No run has ended yet", "Go to the webhook")
    page.goto("/settings/webhooks")
    page.get_by_role("button", name="Disable").click()
    says("Nothing is sent", "Go to the webhook")
    page.goto("/settings/webhooks")
    page.get_by_role("button", name="Enable").click()
    a_run_ends(house)
    page.goto("/deliveries?status=failed")
    expect(page.locator(".empty h2")).to_have_text("No delivery matches")
    page.locator(".empty").get_by_role("link", name="Clear filters").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    house.tidy()


def test_the_first_delivery_takes_the_place_of_the_empty_history(build, receiver):
    house = build()
    page = house.owner()
    page.goto("/settings/webhooks")
    save_webhook(page, receiver.url)
    with page.expect_response(lambda response: "/live/deliveries" in response.url):
        page.goto("/deliveries")
    a_run_ends(house)
    expect(page.locator("tbody tr")).to_have_count(1)
    house.tidy()


def test_a_delivery_that_fails_counts_down_and_is_canceled(house, receiver):
    page = house.owner()
    page.goto("/settings/webhooks")
    save_webhook(page, receiver.url, SECRET)
    receiver.usual = DOWN
    delivery = a_run_ends(house)
    page.goto("/deliveries")
    row(page, "Pending").get_by_role("link", name="Pending delivery").click()
    expect(page.locator("#delivery-head time[data-time=countdown]")).to_have_text(re.compile(r"^in (1:0\d|59):\d\d"))
    timeline = page.locator("#delivery-timeline")
    expect(timeline).to_contain_text("503")
    expect(timeline).to_contain_text("The answer is a web page and not one of an API")
    expect(timeline.get_by_role("heading", name="Next attempt")).to_be_visible()
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("No further attempt is made.", exact=True)).to_be_visible()
    expect(page.locator("#delivery-head")).to_contain_text("Canceled")
    assert house.api.delivery(delivery)["status"] == "canceled"
    assert len(receiver.received) == 1


def test_a_receiver_that_is_gone_disables_its_webhook_and_the_page_says_so(house, receiver):
    agent = house.api.agent("Agent of a receiver that is gone")
    house.api.webhook(receiver.url, SECRET, agent_id=agent)
    receiver.usual = Reply(410, b"gone")
    a_run_ends(house, agent)
    page = house.owner()
    page.goto(f"/agents/{agent}/edit")
    expect(page.locator("#webhook")).to_contain_text("was disabled because its receiver answered 410 Gone")
    receiver.usual = Reply()
    page.get_by_role("button", name="Enable", exact=True).click()
    page.get_by_role("button", name="Send test").click()
    expect(page.locator("#test-result")).to_contain_text("The receiver answered 200")


def test_what_failed_is_counted_and_repeated_when_the_receiver_is_back(build, receiver):
    house = build(PRECLINICAL_RETRY_SCHEDULE="1ms")
    agent = house.api.agent()
    house.api.webhook(receiver.url, SECRET)
    receiver.usual = DOWN
    runs = [house.api.run(agent) for _ in range(3)]
    for run in runs:
        house.api.complete(run, 1, 1)
    for run in runs:
        assert house.api.settled_of(run)["status"] == "failed"
    page = house.owner()
    page.goto("/settings/webhooks")
    expect(page.get_by_text("The last 6 attempts failed.")).to_be_visible()

    receiver.usual = Reply()
    page.goto("/deliveries?status=failed")
    page.get_by_role("link", name="Redeliver these…").click()
    expect(page.get_by_role("heading", name="3 deliveries to repeat")).to_be_visible()
    assert len(receiver.received) == 6, "looking repeats nothing"
    page.get_by_role("button", name="Redeliver 3 deliveries").click()
    expect(page.locator("#job-head")).to_contain_text("Completed")
    receiver.wait_for(9)
    for run in runs:
        assert house.api.settled(house.api.deliveries(run)[0]["id"])["status"] == "delivered"
    page.goto("/deliveries?status=delivered")
    expect(page.locator("tbody tr")).to_have_count(3)
    page.goto("/deliveries/redeliver")
    expect(page.get_by_role("heading", name="Nothing to repeat")).to_be_visible()
    house.tidy()


def test_filters_narrow_the_history_and_survive_a_search(house, receiver):
    agent = house.api.agent("Agent to be filtered")
    house.api.webhook(receiver.url, SECRET, agent_id=agent)
    a_run_ends(house, agent)
    number = house.api.call("GET", f"/runs?agent_id={agent}")["runs"][0]["test_run_id"]
    page = house.owner()
    page.goto("/deliveries")
    page.get_by_label("Agent").select_option("Agent to be filtered")
    expect(page).to_have_url(re.compile("agent_id="))
    expect(page.locator("tbody tr")).to_have_count(1)
    page.get_by_label("Search").fill(number)
    page.get_by_role("button", name="Search").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert f"agent_id={agent}" in page.url
    page.get_by_role("navigation", name="Status").get_by_role("link", name="Failed").click()
    expect(page.locator(".empty h2")).to_have_text("No delivery matches")
    page.get_by_role("link", name="Clear filters").first.click()
    expect(page).to_have_url(re.compile("/deliveries$"))

"""From the printed link to a delivery that is repeated, as the documentation walks through it."""

from __future__ import annotations

import json
import re
import subprocess

import pytest
from playwright.sync_api import Page, expect

from browser import House, row, save_webhook, set_up
from signing import OTHER_SECRET
from support import request

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def module_house(build) -> House:
    return build(PRECLINICAL_RETRY_SCHEDULE="1h")


def test_a_first_visit_leads_from_the_printed_link_to_a_delivery_that_is_repeated(house, receiver):
    page = house.stranger()
    set_up(page, house.setup_link)
    house.forget_owner()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Settings").click()
    page.get_by_role("navigation", name="Settings").get_by_role("link", name="Webhooks").click()

    page.get_by_label("URL", exact=True).fill(receiver.url)
    page.get_by_role("button", name="Generate").click()
    expect(page.get_by_text("Without TLS, whoever is in between can read the results.")).to_be_visible()
    secret = page.get_by_label("Signing secret").input_value()
    assert re.fullmatch(r"whsec_[A-Za-z0-9+/]{43}=", secret)
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Send a test to see that it works.")).to_be_visible()
    expect(page.get_by_label("Signing secret")).to_have_value("")

    page.get_by_role("button", name="Send test").click()
    result = page.locator("#test-result")
    expect(result).to_contain_text("The receiver answered 200")
    expect(page.get_by_text("Send a test to see that it works."), "the page was not loaded again").to_be_visible()
    (test,) = receiver.wait_for(1)
    assert test.is_signed_with(secret)
    assert json.loads(test.body)["event"] == "test"

    page.get_by_role("link", name="View Delivery History").click()
    expect(row(page, "Delivered")).to_have_count(1)
    sees_a_delivery_arrive(house, page)
    (_, sent) = receiver.wait_for(2)
    assert sent.is_signed_with(secret)

    reads_it(page, sent.body)
    sends_it_by_hand(page, receiver, sent.body)
    checks_its_signature(page, secret)
    repeats_it(page, receiver, sent)


def sees_a_delivery_arrive(house: House, page: Page) -> None:
    expect(page.locator(".live")).to_have_attribute("data-state", "on")
    page.evaluate("window.stays = true")
    before = row(page, "Delivered").bounding_box()
    agent = house.api.agent()
    run = house.api.run(agent, name="Emergency response")
    house.api.complete(run, 17, 20)
    news = page.get_by_role("link", name="1 new")
    expect(news).to_be_visible()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert row(page, "Delivered").bounding_box() == before, "nothing moves before somebody asks for it"
    news.click()
    expect(page.locator("tbody tr")).to_have_count(2)
    expect(page.locator("tbody tr").first).to_contain_text("TR-00001")
    expect(page.locator("tbody tr").first).to_contain_text("Delivered")
    assert page.evaluate("window.stays"), "the page was not loaded again"
    page.get_by_role("link", name="Delivered delivery of TR-00001").click()


def reads_it(page: Page, body: bytes) -> None:
    expect(page.get_by_role("heading", level=1)).to_have_text("Delivery of TR-00001")
    for step in ["Run completed", "Accepted", "Attempt 1", "Delivered"]:
        expect(page.locator("#delivery-timeline").get_by_role("heading", name=step, exact=True)).to_be_visible()
    raw = page.locator("#attempt-1-request-raw")
    raw.locator("summary").click()
    assert raw.locator("pre").text_content().encode() == body
    shown = page.locator("#attempt-1-request-indented pre").text_content()
    assert json.dumps(json.loads(shown)) == json.dumps(json.loads(body)), "in the same order"
    expect(page.locator("#attempt-1-answer-raw pre")).to_have_text("ok")


def sends_it_by_hand(page: Page, receiver, body: bytes) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("#delivery-curl").get_by_role("button", name="Copy").click()
    expect(page.locator("#delivery-curl").get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    assert command == page.locator("#curl").text_content()
    count = len(receiver.received)
    subprocess.run(["sh", "-c", command], check=True, capture_output=True)
    assert receiver.wait_for(count + 1)[-1].body == body


def checks_its_signature(page: Page, secret: str) -> None:
    check = page.locator("#signature-check")
    for tried, verdict in [
        (OTHER_SECRET, "The request was signed with another secret."),
        (secret, "The secret is right."),
        (secret.removeprefix("whsec_"), "The secret begins with whsec_, which is missing here."),
    ]:
        check.get_by_label("The receiver’s signing secret").fill(tried)
        check.get_by_role("button", name="Check").click()
        expect(check).to_contain_text(verdict)
        expect(check.get_by_label("The receiver’s signing secret")).to_have_value("")
        assert tried not in page.content(), "it is not shown again"


def repeats_it(page: Page, receiver, first) -> None:
    old, count = page.url, len(receiver.received)
    page.get_by_role("button", name="Redeliver").click()
    expect(page.get_by_text("This is the new delivery.")).to_be_visible()
    assert page.url.split("?")[0] != old
    second = receiver.wait_for(count + 1)[-1]
    assert second.headers["webhook-id"] != first.headers["webhook-id"]
    assert json.loads(second.body)["test_run"] == json.loads(first.body)["test_run"]
    expect(page.locator("#delivery-head")).to_contain_text("Delivered")
    expect(page.locator("#delivery-curl").get_by_role("button", name="Copy"), "also in what came later").to_be_visible()
    page.get_by_role("link", name="an earlier delivery").click()
    expect(page.get_by_role("heading", name="Delivery of TR-00001")).to_be_visible()
    expect(page.get_by_text("Repeated by")).to_be_visible()


def test_the_link_that_set_up_works_once(house):
    page = house.owner()
    page.goto(house.setup_link)
    expect(page.get_by_role("heading", name="There is nothing here")).to_be_visible()
    assert request(house.setup_link, "GET").status == 404

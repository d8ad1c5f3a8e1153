"""Everything but what is live works in a browser that runs no scripts."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from browser import row, save_webhook, set_up, sign_in
from signing import SECRET
from support import request

pytestmark = pytest.mark.browser


def test_everything_can_be_done_without_a_script(house, receiver):
    page = house.stranger(java_script_enabled=False)
    set_up(page, house.setup_link)
    house.forget_owner()
    expect(page.get_by_role("button", name="Generate", exact=True)).to_be_hidden()
    save_webhook(page, receiver.url, SECRET)
    page.get_by_role("button", name="Send test").click()
    expect(page.locator("#test-result")).to_contain_text("The receiver answered 200")
    (test,) = receiver.wait_for(1)
    assert test.is_signed_with(SECRET)

    house.api.complete(house.api.run(house.api.agent("Triage agent")), 1, 2)
    receiver.wait_for(2)
    page.get_by_role("link", name="View Delivery History").click()
    page.get_by_label("Agent").select_option("Triage agent")
    page.get_by_role("button", name="Search").click()
    expect(page).to_have_url(re.compile("agent_id=[0-9a-f]"))
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody time")).to_contain_text("UTC")
    page.get_by_role("link", name="delivery of TR-00001").click()
    page.get_by_label("The receiver’s signing secret").fill(SECRET)
    page.get_by_role("button", name="Check").click()
    expect(page.locator("#signature-check")).to_contain_text("The secret is right.")
    page.get_by_role("button", name="Redeliver").click()
    expect(page.get_by_text("This is the new delivery.")).to_be_visible()
    receiver.wait_for(3)

    page.goto("/settings/api-keys/new")
    page.get_by_label("Name").fill("Dashboard")
    page.get_by_role("button", name="Create key").click()
    key = page.get_by_label("API key").input_value()
    assert request(f"{house.url}/api/v1/agents", "GET", headers={"Authorization": f"Bearer {key}"}).status == 200
    page.goto("/settings/webhooks")
    page.get_by_role("button", name="Reveal the secret").click()
    expect(page.get_by_label("Signing secret", exact=True).first).to_have_value(SECRET)

    page.get_by_role("button", name="Dark").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.get_by_role("button", name="Sign out").click()
    sign_in(page)
    expect(row(page, "TR-00001")).to_be_visible()


def test_a_field_says_what_is_wrong_with_it(house):
    page = house.owner(java_script_enabled=False)
    page.goto("/settings/webhooks")
    page.get_by_label("URL", exact=True).fill("http://10.0.0.1/hook")
    page.locator("form[action='/webhooks/save']").get_by_role("button", name="Save").click()
    field = page.get_by_label("URL", exact=True)
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(field).to_have_value("http://10.0.0.1/hook")
    expect(page.locator("#webhook-url-error")).to_be_visible()

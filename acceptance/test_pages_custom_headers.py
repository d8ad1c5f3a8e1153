"""Custom headers of a webhook in the browser."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from browser import NARROW

pytestmark = pytest.mark.browser

CANARY = "canary-e30.e30.x"


def opened(page: Page) -> None:
    page.goto("/settings/webhooks")
    if not page.locator("#headers").evaluate("element => element.open"):
        page.get_by_text("Authorization and other headers").click()


def save(page: Page) -> None:
    page.locator("form[action='/webhooks/save']").get_by_role("button", name="Save").click()


def is_saved(page: Page) -> None:
    expect(page.get_by_role("status").filter(has_text="The webhook was saved")).to_be_visible()


@pytest.mark.parametrize("look", [{}, {"viewport": NARROW}, {"java_script_enabled": False}], ids=["wide", "narrow", "without-script"])
def test_headers_are_set_kept_and_removed(house, receiver, look):
    page = house.owner(**look)
    opened(page)
    expect(page.get_by_label("Token", exact=True)).to_be_hidden()
    page.get_by_label("URL", exact=True).fill(receiver.url)
    page.get_by_label("Bearer token").check()
    page.get_by_label("Token", exact=True).fill(CANARY)
    page.get_by_label("Name of header 1", exact=True).fill("X-Tenant")
    page.get_by_label("Value of header 1", exact=True).fill("acme")
    save(page)
    is_saved(page)
    assert CANARY not in page.content()
    page.get_by_role("button", name="Send test").click()
    expect(page.locator("#test-result")).to_contain_text("answered 200")
    sent = receiver.wait_for(1)[-1].headers
    assert (sent["authorization"], sent["x-tenant"]) == (f"Bearer {CANARY}", "acme")

    # Nothing is typed: everything stays.
    opened(page)
    expect(page.get_by_label("Value of header 1, saved and hidden")).to_have_value("")
    page.get_by_label("Name of header 2", exact=True).fill("Host")
    page.get_by_label("Value of header 2", exact=True).fill("x")
    save(page)
    expect(page.locator("#header-1-error")).to_contain_text("It may not be set")
    page.get_by_label("Name of header 2", exact=True).fill("")
    save(page)
    is_saved(page)
    page.get_by_role("button", name="Send test").click()
    expect(page.locator("#test-result")).to_contain_text("answered 200")
    sent = receiver.wait_for(2)[-1].headers
    assert (sent["authorization"], sent["x-tenant"]) == (f"Bearer {CANARY}", "acme")

    opened(page)
    page.get_by_label("User name and password").check()
    page.get_by_label("User name", exact=True).fill("Aladdin")
    page.get_by_label("Password", exact=True).fill("open sesame")
    page.get_by_label("Remove X-Tenant").check()
    save(page)
    is_saved(page)
    page.get_by_role("button", name="Send test").click()
    expect(page.locator("#test-result")).to_contain_text("answered 200")
    sent = receiver.wait_for(3)[-1].headers
    assert sent["authorization"] == "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==" and "x-tenant" not in sent

    opened(page)
    page.get_by_label("Remove it").check()
    save(page)
    is_saved(page)
    expect(page.locator("#headers")).not_to_have_attribute("open", "")

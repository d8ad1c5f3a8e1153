"""Everything can be done without a mouse, and where one is can be seen."""

from __future__ import annotations

import pytest
from playwright.sync_api import Locator, Page, expect

from browser import OWNER, PASSWORD

pytestmark = pytest.mark.browser

# What has the focus has an outline: itself, what is drawn over its row, or the box around it.
OUTLINED = """() => {
  const focused = document.activeElement;
  const drawn = (element, part) => {
    const style = getComputedStyle(element, part);
    return style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
  };
  const box = focused.getBoundingClientRect();
  const isInView = box.bottom > 0 && box.top < innerHeight;
  return isInView && (drawn(focused) || drawn(focused, "::after") || [...document.querySelectorAll(".option")].some((option) => option.contains(focused) && drawn(option)));
}"""


def tab_to(page: Page, target: Locator) -> None:
    """Presses Tab until the target has the focus. On the way each stop can be seen."""
    for _ in range(80):
        page.keyboard.press("Tab")
        assert page.evaluate(OUTLINED), page.evaluate("document.activeElement.outerHTML")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"not reached: {target}")


def test_a_day_without_a_mouse(house, receiver):
    house.owner().context.close()
    page = house.stranger()
    page.goto("/sign-in?next=/settings/webhooks")
    tab_to(page, page.get_by_label("E-mail"))
    page.keyboard.type(OWNER)
    tab_to(page, page.get_by_label("Password"))
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Settings")).to_be_visible()

    skip = page.get_by_role("link", name="Skip to the content")
    tab_to(page, skip)
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.locator("#main")).to_be_focused()

    tab_to(page, page.get_by_label("URL", exact=True))
    page.keyboard.type(receiver.url)
    tab_to(page, page.get_by_role("button", name="Generate"))
    page.keyboard.press("Space")
    expect(page.get_by_label("Signing secret")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_text("Send a test to see that it works.")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Send test"))
    page.keyboard.press("Enter")
    expect(page.locator("#test-result")).to_contain_text("The receiver answered 200")
    expect(page.get_by_role("button", name="Send test")).to_be_focused()
    tab_to(page, page.get_by_role("link", name="See the whole delivery"))

    page.goto("/deliveries")
    tab_to(page, page.get_by_role("link", name="delivery of a test"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1, name="Delivery of a test")).to_be_visible()
    tab_to(page, page.get_by_role("button", name="Redeliver"))
    page.keyboard.press("Enter")
    expect(page.get_by_text("This is the new delivery.")).to_be_visible()
    receiver.wait_for(2)


def test_roles_are_chosen_with_the_arrows(house):
    page = house.owner()
    page.goto("/settings/members/invite")
    tab_to(page, page.get_by_label("Member", exact=True))
    page.keyboard.press("ArrowDown")
    expect(page.get_by_label("Viewer", exact=True)).to_be_checked()
    tab_to(page, page.get_by_role("button", name="Create link"))

"""Keys, members and sessions: who comes in, and who does not any more."""

from __future__ import annotations

import re
import subprocess

import pytest
from playwright.sync_api import Page, expect

from browser import OWNER, PASSWORD, join, row, save_webhook, sign_in
from support import request

pytestmark = pytest.mark.browser


def test_a_key_works_from_the_page_that_shows_it_until_it_is_revoked(house):
    page = house.owner()
    page.goto("/settings/api-keys")
    page.get_by_role("link", name="Create key").click()
    page.get_by_label("Name").fill("Dashboard")
    page.get_by_label("Read").check()
    page.get_by_role("button", name="Create key").click()
    key = page.get_by_label("API key").input_value()
    assert re.fullmatch(r"sk_live_[A-Za-z0-9]{40}", key)
    command = page.locator("#call").text_content()
    answer = subprocess.run(["sh", "-c", f"{command} --fail --silent"], check=True, capture_output=True, text=True)
    assert '"agents"' in answer.stdout

    page.get_by_role("link", name="I have copied it").click()
    assert key not in page.content()
    page.get_by_role("link", name="Revoke Dashboard").click()
    page.get_by_role("button", name="Revoke key").click()
    expect(page.get_by_text("The key is revoked.")).to_be_visible()
    assert request(f"{house.url}/api/v1/agents", "GET", headers={"Authorization": f"Bearer {key}"}).status == 401
    page.get_by_text("Expired and revoked (1)").click()
    expect(row(page, "Dashboard")).to_contain_text("Revoked")


def form_of(page: Page, path: str, **fields: str) -> int:
    """What a form answers that is sent by hand, with the session and the token of a page."""
    form = {"csrf": page.locator("input[name=csrf]").first.input_value(), **fields}
    return page.request.post(path, form=form, max_redirects=0).status


def test_a_viewer_looks_a_member_changes_and_a_removed_one_is_out_at_once(house, receiver):
    owner = house.owner()
    owner.goto("/settings/webhooks")
    save_webhook(owner, receiver.url, "a secret of ours")
    agent = house.api.agent()
    house.api.complete(house.api.run(agent), 1, 1)
    receiver.wait_for(1)
    webhook = house.api.call("GET", "/webhooks")["webhooks"][0]["id"]
    delivery = house.api.call("GET", "/webhooks/deliveries")["deliveries"][0]["id"]

    viewer = join(house, owner, "Viewer", "viewer@example.com")
    for path in ["/settings/webhooks", "/settings/api-keys", "/settings/members", "/agents", f"/agents/{agent}/edit",
                 "/deliveries", f"/deliveries/{delivery}", "/runs"]:
        viewer.goto(path)
        changing = viewer.locator("main").get_by_role("button").filter(
            has_text=re.compile("Save|Send|Disable|Delete|Reveal|Rotate|Redeliver|Create|Change|Withdraw")
        )
        expect(changing).to_have_count(0)
        expect(viewer.locator("main a.button.primary")).to_have_count(0)
    forged = {
        f"/webhooks/{webhook}/test": {}, f"/webhooks/{webhook}/reveal": {}, f"/webhooks/{webhook}/delete": {},
        "/webhooks/save": {"url": "http://127.0.0.1:1/"}, f"/deliveries/{delivery}/redeliver": {},
        "/settings/api-keys/new": {"name": "mine", "scope": "write", "expires": "never"},
        "/settings/members/invite": {"role": "owner"},
    }
    for path, fields in forged.items():
        assert form_of(viewer, path, **fields) == 403, path
    assert len(receiver.received) == 1

    owner.goto("/settings/members")
    owner.get_by_label("Role of viewer@example.com").select_option("Member")
    owner.get_by_role("button", name="Change the role of viewer@example.com").click()
    expect(owner.get_by_text("The role is changed.")).to_be_visible()
    viewer.goto("/settings/webhooks")
    viewer.get_by_role("button", name="Send test").click()
    expect(viewer.locator("#test-result")).to_contain_text("The receiver answered 200")
    assert form_of(viewer, "/settings/members/invite", role="owner") == 403, "members do not govern"

    owner.get_by_role("link", name="Remove viewer@example.com").click()
    owner.get_by_role("button", name="Remove").click()
    expect(owner.get_by_text("The member is removed")).to_be_visible()
    viewer.goto("/runs")
    expect(viewer).to_have_url(re.compile(r"/sign-in\?next=%2Fruns$"))
    sign_in(viewer, "viewer@example.com", "other words of theirs")
    expect(viewer.get_by_text("The address or the password is wrong.")).to_be_visible()


def test_signing_out_everywhere_ends_every_session(house):
    here = house.owner()
    there = house.stranger()
    there.goto("/sign-in")
    sign_in(there)
    expect(there).to_have_url(re.compile("/runs$"))
    here.goto("/settings/account")
    here.get_by_role("button", name="Sign out everywhere").click()
    expect(here).to_have_url(re.compile("/sign-in$"))
    house.forget_owner()
    there.goto("/settings/account")
    expect(there.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(there, OWNER, PASSWORD)
    expect(there).to_have_url(re.compile("/settings/account$"))


def test_a_form_of_another_session_is_refused(house):
    page = house.stranger()
    page.goto("/sign-in")
    sign_in(page)
    expect(page).to_have_url(re.compile("/runs$"))
    assert page.request.post("/theme", form={"theme": "dark", "csrf": "0" * 64}, max_redirects=0).status == 403
    assert form_of(page, "/theme", theme="dark") == 303

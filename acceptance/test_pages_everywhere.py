"""What holds for every page, whatever is on it: reachable for everybody, ours alone, small, and in one piece."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from playwright.sync_api import Page, Response

import estates
from browser import NARROW, WIDE, House
from recording_receiver import RecordingReceiver
from support import REPOSITORY

pytestmark = [pytest.mark.browser, pytest.mark.node]

AXE = REPOSITORY / "acceptance/node/node_modules/axe-core/axe.min.js"
PICTURES = REPOSITORY / "target/screenshots"
# In bytes. What others write may be long.
LARGEST_PAGE = {"empty": 100 * 1024, "typical": 100 * 1024, "hostile": 512 * 1024}

# Names, and where they are. What stands in braces is an id of the estate.
OF_EVERYBODY = {
    "runs": "/runs", "agents": "/agents", "agents-new": "/agents/new?provider=openai", "deliveries": "/deliveries",
    "redeliver": "/deliveries/redeliver", "redeliveries": "/deliveries/redeliveries", "webhooks": "/settings/webhooks",
    "api-keys": "/settings/api-keys", "api-keys-new": "/settings/api-keys/new", "members": "/settings/members",
    "members-invite": "/settings/members/invite", "organization": "/settings/organization",
    "account": "/settings/account", "nowhere": "/no/such/page", "wrong": "/deliveries?status=lost",
}
OF_SOMETHING = {
    "agent": "/agents/{agent}/edit", "agent-delete": "/agents/{agent}/delete", "run": "/test/{run}",
    "run-running": "/test/{running}", "run-verdict": "/test/{run}?status=failed", "delivery": "/deliveries/{delivery}",
    "redelivery": "/deliveries/redeliveries/{job}", "webhook-delete": "/webhooks/{webhook}/delete",
    "api-key-revoke": "/settings/api-keys/{key}/revoke", "member-remove": "/settings/members/{member}/remove",
    "no-match": "/deliveries?q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
}
OF_STRANGERS = {"sign-in": "/sign-in?next=%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "join": "/join/{token}"}
# They lead on or are no pages.
OTHERS = {"/", "/agents/{id}", "/settings", "/webhooks", "/assets/{name}", "/live/deliveries", "/live/run"}


@dataclass
class Estate:
    name: str
    house: House
    ids: dict[str, str]

    def pages(self) -> Iterator[tuple[str, Page, str]]:
        """Each page's name, somebody who can open it, and its address."""
        whole = {**OF_EVERYBODY, **(OF_SOMETHING if self.ids else {})}
        for page, addresses in [(self.house.owner(reduced_motion="reduce"), whole),
                                (self.house.stranger(reduced_motion="reduce"), OF_STRANGERS if self.ids else {})]:
            for name, address in addresses.items():
                yield name, page, address.format(**self.ids)


@pytest.fixture(scope="module", params=["empty", "typical", "hostile"])
def estate(request: pytest.FixtureRequest, build) -> Iterator[Estate]:
    receiver = RecordingReceiver()
    house = build(PRECLINICAL_RETRY_SCHEDULE="1ms,1ms")
    fill = {"typical": estates.typical, "hostile": estates.hostile}.get(request.param)
    ids = fill(house, receiver) if fill else {}
    house.tidy()
    yield Estate(request.param, house, ids)
    receiver.close()


def test_every_page_is_looked_at():
    source = (REPOSITORY / "crates/web/src/pages.rs").read_text("utf-8")
    there_are = set(re.findall(r'\bget\("(/[^"]*)"', source)) - OTHERS
    looked_at = [address.split("?")[0] for address in {**OF_EVERYBODY, **OF_SOMETHING, **OF_STRANGERS}.values()]
    seen = {re.sub(r"\{\w+\}", "{id}", address) for address in looked_at}
    assert {re.sub(r"\{\w+\}", "{id}", path) for path in there_are} - seen == set()


def test_no_page_weighs_more_than_it_may_with_all_it_needs(estate):
    weights = {}
    responses: list[Response] = []
    for name, page, address in estate.pages():
        if not weights:
            page.context.new_cdp_session(page).send("Network.setCacheDisabled", {"cacheDisabled": True})
            page.on("response", lambda response: responses.append(response))
        responses.clear()
        page.goto(address, wait_until="load")
        sizes = [response.request.sizes() for response in responses if not response.url.startswith(f"{estate.house.url}/live/")]
        weights[name] = sum(size["responseBodySize"] + size["responseHeadersSize"] for size in sizes)
    estate.house.tidy()
    assert {name: weight for name, weight in weights.items() if weight > LARGEST_PAGE[estate.name]} == {}


def test_every_page_is_accessible_and_in_one_piece(estate):
    found = []
    for name, page, address in estate.pages():
        page.goto(address)
        found += [f"{estate.name} {name}: {each}" for each in faults(estate, name, page)]
    estate.house.tidy()
    assert found == []


def faults(estate: Estate, name: str, page: Page) -> Iterator[str]:
    if page.evaluate("window.pwned") is not None or page.locator("script").count() != 1:
        yield "a script from elsewhere"
    if page.locator("h1").count() != 1:
        yield f"{page.locator('h1').count()} h1"
    for theme, size in PICTURED.get(estate.name, JUDGED[estate.name]):
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size(size)
        page.screenshot(path=PICTURES / f"{estate.name}-{name}-{theme}-{size['width']}.png", full_page=True)
    page.set_viewport_size(NARROW)
    if (width := page.evaluate("document.scrollingElement.scrollWidth")) > NARROW["width"]:
        yield f"{width} px wide at {NARROW['width']}"
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
    if (width := page.evaluate("document.scrollingElement.scrollWidth")) > NARROW["width"]:
        yield f"{width} px wide at {NARROW['width']}, unfolded"
    page.evaluate(AXE.read_text("utf-8"))
    for theme, size in JUDGED[estate.name]:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size(size)
        for violation in page.evaluate(JUDGE):
            yield f"{theme} {size['width']}: {violation}"


# Both colours in both widths, spread over the estates: whatever is on a page is judged light and dark, wide and narrow.
JUDGED = {
    "empty": [("dark", WIDE)],
    "typical": [("dark", NARROW), ("light", WIDE)],
    "hostile": [("light", NARROW)],
}
# To be looked at by people: pages as they usually are in all four, the others as they are judged.
PICTURED = {"typical": [("light", WIDE), ("dark", WIDE), ("dark", NARROW), ("light", NARROW)]}
JUDGE = """async () => {
  const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const { violations } = await axe.run(document, { runOnly: { type: "tag", values: tags }, resultTypes: ["violations"] });
  const worst = ({ target, any, all, none }) => `${target} (${[...any, ...all, ...none].map(({ message }) => message).join("; ")})`;
  return violations.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(worst).join(" | ")}`);
}"""

"""The pages in a real browser: Chromium, people in it, and the server that they look at.

Whatever a test does, its pages may not ask another host for anything, say nothing in the console and open no dialog:
see `Watch`.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, expect, sync_playwright

from recording_receiver import RecordingReceiver
from support import BINARY, PATIENCE_SECONDS, Api, Child, inherited

CHROMIUM = os.environ.get("PRECLINICAL_TEST_CHROMIUM") or shutil.which("chromium") or "chromium"
QUIETLY = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]
OWNER = "owner@example.com"
PASSWORD = "four words of mine"
WIDE = {"width": 1280, "height": 800}
NARROW = {"width": 360, "height": 740}
# What a browser logs of a page that a test expects to be refused. Everything else in the console is a failure.
REFUSED = re.compile(r"^Failed to load resource: the server responded with a status of 4\d\d ")

expect.set_options(timeout=PATIENCE_SECONDS * 1000)


class Watch:
    """Everything that the pages of a context do besides being looked at."""

    def __init__(self, context: BrowserContext, origin: str):
        self.origin = origin
        self.requests: list[str] = []
        self.trouble: list[str] = []
        context.on("request", self._asked)
        context.on("console", self._said)
        context.on("weberror", lambda error: self.trouble.append(f"uncaught: {error.error}"))
        # A dialog that nobody handles would stop the page.
        context.on("dialog", lambda dialog: (self.trouble.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def _asked(self, request: Request) -> None:
        self.requests.append(request.url)
        parts = urlsplit(request.url)
        if f"{parts.scheme}://{parts.netloc}" != self.origin:
            self.trouble.append(f"request to elsewhere: {request.url}")

    def _said(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not REFUSED.match(message.text):
            self.trouble.append(f"console: {message.type}: {message.text}")


class House:
    """A server with a database of its own, its API, and the ways in."""

    def __init__(self, server: Child, api: Api, browser: Browser):
        self.server, self.api, self.browser = server, api, browser
        self.url = server.url
        self.setup_link = re.search(r"http\S+", server.wait_for(r"^set up: ")).group()
        self._watches: list[Watch] = []
        self._owner: dict | None = None
        self._is_set_up = False

    def context(self, **options: object) -> BrowserContext:
        """Somebody's browser. Its times are in UTC and in English."""
        settings = {"viewport": WIDE, "locale": "en-GB", "timezone_id": "UTC", "color_scheme": "light", **options}
        context = self.browser.new_context(base_url=self.url, **settings)
        context.set_default_timeout(PATIENCE_SECONDS * 1000)
        self._watches.append(Watch(context, self.url))
        return context

    def stranger(self, **options: object) -> Page:
        return self.context(**options).new_page()

    def owner(self, **options: object) -> Page:
        """A page of the owner, who is signed in; the first time through the link that the server printed."""
        if self._owner is None:
            page = self.stranger()
            if self._is_set_up:
                page.goto("/sign-in")
                sign_in(page)
                expect(page).to_have_url(re.compile("/runs$"))
            else:
                set_up(page, self.setup_link)
                self._is_set_up = True
            self._owner = page.context.storage_state()
            page.context.close()
        return self.context(storage_state=self._owner, **options).new_page()

    def forget_owner(self) -> None:
        """The session that `owner` shares was ended, or somebody else has set up."""
        self._owner, self._is_set_up = None, True

    def trouble(self) -> list[str]:
        return [trouble for watch in self._watches for trouble in watch.trouble]

    def tidy(self) -> None:
        for context in self.browser.contexts:
            context.close()
        trouble, self._watches = self.trouble(), []
        assert trouble == []


def set_up(page: Page, link: str) -> None:
    page.goto(link)
    page.get_by_label("E-mail").fill(OWNER)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create the owner").click()
    expect(page).to_have_url(re.compile("/settings/webhooks$"))


def sign_in(page: Page, email: str = OWNER, password: str = PASSWORD) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def save_webhook(page: Page, url: str, secret: str = "") -> None:
    """Sets up the webhook of the page, which is the organization's or an agent's."""
    page.get_by_label("URL", exact=True).fill(url)
    if secret:
        page.get_by_label("Signing secret").fill(secret)
    page.locator("form[action='/webhooks/save']").get_by_role("button", name="Save").click()
    expect(page.get_by_role("status").filter(has_text="The webhook was saved")).to_be_visible()


def join(house: House, owner: Page, role: str, email: str) -> Page:
    """Somebody else's browser, after an invitation was passed on."""
    owner.goto("/settings/members")
    owner.get_by_role("link", name="Invite").click()
    owner.get_by_label(role, exact=True).check()
    owner.get_by_role("button", name="Create link").click()
    link = owner.get_by_label("Link", exact=True).input_value()
    other = house.stranger()
    other.goto(link)
    expect(other.get_by_text(f"You were invited as a {role.lower()}")).to_be_visible()
    other.get_by_label("E-mail").fill(email)
    other.get_by_label("Password").fill("other words of theirs")
    other.get_by_role("button", name="Join").click()
    expect(other.get_by_role("navigation", name="Main")).to_be_visible()
    return other


def row(page: Page, text: str):
    return page.get_by_role("row").filter(has_text=text)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIETLY)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def build(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., House]]:
    """Makes houses; settings are keyword arguments."""
    houses: list[House] = []

    def build(**settings: str) -> House:
        houses.append(House(*serve(tmp_path_factory.mktemp("house"), settings), chromium))
        return houses[-1]

    yield build
    for house in houses:
        house.server.end()


def serve(folder: Path, settings: dict[str, str]) -> tuple[Child, Api]:
    environment = {
        "PRECLINICAL_LISTEN": "127.0.0.1:0",
        "PRECLINICAL_DATABASE_URL": f"sqlite:{folder / 'w.db'}",
        "PRECLINICAL_ALLOW_CIDRS": "127.0.0.0/8",
        "PRECLINICAL_RATE_LIMIT": "0",
        "PRECLINICAL_LOG": "warn",
        **settings,
    }
    key = subprocess.run(
        [BINARY, "keys", "create", "--name", "Nightly runner"],
        env={**inherited(), **environment}, cwd=folder, check=True, stdout=subprocess.PIPE, text=True, timeout=60,
    ).stdout.strip()
    server = Child([str(BINARY), "serve"], environment, folder)
    return server, Api(server.url, key)


@pytest.fixture(scope="module")
def module_house(build: Callable[..., House]) -> House:
    return build()


@pytest.fixture
def house(module_house: House) -> Iterator[House]:
    """The server of this module. After each test its pages have asked no other host and said nothing in the console."""
    yield module_house
    module_house.tidy()


@pytest.fixture
def receiver() -> Iterator[RecordingReceiver]:
    receiver = RecordingReceiver()
    yield receiver
    receiver.close()

"""Takes the pictures of the README: python acceptance/pictures.py [FOLDER]"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

import estates
from browser import CHROMIUM, QUIETLY, House, serve
from recording_receiver import RecordingReceiver
from support import REPOSITORY

PICTURES = {
    "history": "/deliveries",
    "delivery": "/deliveries/{delivery}",
    "webhook": "/settings/webhooks",
    "run": "/test/{run}",
}


def take(house: House, ids: dict[str, str], folder: Path) -> None:
    page = house.owner(reduced_motion="reduce")
    for name, address in PICTURES.items():
        page.goto(address.format(**ids))
        if name == "run":
            page.get_by_text("Chest pain is sent to the emergency room").click()
            page.locator("#run-results").evaluate("element => scrollTo(0, element.offsetTop - 24)")
        page.screenshot(path=folder / f"{name}.png")


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else REPOSITORY / "docs/images"
    folder.mkdir(parents=True, exist_ok=True)
    receiver = RecordingReceiver()
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        server, api = serve(Path(home), {"PRECLINICAL_RETRY_SCHEDULE": "1s,2s,3s"})
        try:
            browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIETLY)
            house = House(server, api, browser)
            take(house, estates.typical(house, receiver), folder)
            browser.close()
        finally:
            server.end()
            receiver.close()


if __name__ == "__main__":
    main()

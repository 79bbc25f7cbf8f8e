"""`make screenshots`: the status page in each scene, to be looked at by a person."""

import sys
from pathlib import Path
from typing import Literal

from playwright.sync_api import Browser, FloatRect, Page

from tests.support.browser import DESKTOP, PHONE, all_served, chromium
from tests.support.scenes import SCENES
from tests.support.states import NOW

DIRECTORY = Path(__file__).resolve().parents[2] / "build" / "screenshots"
_TALLEST = 2200
_LOOKS: tuple[tuple[str, Literal["light", "dark"], bool], ...] = (
    ("light", "light", False),
    ("dark", "dark", False),
    ("phone", "light", True),
)


def main() -> int:
    """Take the pictures."""
    DIRECTORY.mkdir(parents=True, exist_ok=True)
    handlers = {name: scene().routes() for name, scene in SCENES.items()}
    with chromium() as browser, all_served(handlers) as addresses:
        for name, address in addresses.items():
            _take(browser, address, name)
    sys.stdout.write(f"screenshots: {DIRECTORY}\n")
    return 0


def _take(browser: Browser, address: str, name: str) -> None:
    for look, scheme, phone in _LOOKS:
        with browser.new_context(
            viewport=PHONE if phone else DESKTOP,
            color_scheme=scheme,
            timezone_id="Asia/Seoul",
            locale="en-GB",
        ) as context:
            page = context.new_page()
            page.clock.set_fixed_time(NOW)
            page.goto(address)
            _photograph(page, f"{name}-{look}")
            if page.locator("details").count():
                page.locator("summary").first.click()
                page.locator("details").nth(1).locator("summary").click()
                _photograph(page, f"{name}-{look}-open")
                if name == "few":
                    page.get_by_role("link", name="All about").nth(1).click()
                    _photograph(page, f"{name}-{look}-image")


def _photograph(page: Page, name: str) -> None:
    height = page.evaluate("document.documentElement.scrollHeight")
    width = page.viewport_size["width"] if page.viewport_size else 0
    clip: FloatRect = {"x": 0, "y": 0, "width": width, "height": min(height, _TALLEST)}
    page.screenshot(path=DIRECTORY / f"{name}.png", full_page=True, clip=clip)


if __name__ == "__main__":
    sys.exit(main())

"""`make screenshots`: the status page in each scene, to be looked at by a person."""

import sys
from itertools import product
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
_LANGUAGES = (("", "en-GB"), ("-ko", "ko-KR"))


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
    for (look, scheme, phone), (ending, locale) in product(_LOOKS, _LANGUAGES):
        with browser.new_context(
            viewport=PHONE if phone else DESKTOP,
            color_scheme=scheme,
            timezone_id="Asia/Seoul",
            locale=locale,
        ) as context:
            page = context.new_page()
            page.clock.set_fixed_time(NOW)
            page.goto(address)
            picture = f"{name}-{look}{ending}"
            _photograph(page, picture)
            if page.locator("details").count():
                page.locator("summary").first.click()
                page.locator("details").nth(1).locator("summary").click()
                _photograph(page, f"{picture}-open")
                if name == "few":
                    page.locator(".inside a").nth(1).click()
                    page.wait_for_url("**image=*")
                    _photograph(page, f"{picture}-image")


def _photograph(page: Page, name: str) -> None:
    height = page.evaluate("document.documentElement.scrollHeight")
    width = page.viewport_size["width"] if page.viewport_size else 0
    clip: FloatRect = {"x": 0, "y": 0, "width": width, "height": min(height, _TALLEST)}
    page.screenshot(path=DIRECTORY / f"{name}.png", full_page=True, clip=clip)


if __name__ == "__main__":
    sys.exit(main())

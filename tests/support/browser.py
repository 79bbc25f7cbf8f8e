"""A real browser before the program's own server: Debian's Chromium, driven by playwright."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from ncr_exporter.httpd.messages import Handler
from tests.support.api_thread import serving
from tools.get_browser import find_browser

HOW_TO_GET = "needs Chromium: `make browser` gets it on Debian"
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 390, "height": 844}
SMALL_PHONE: ViewportSize = {"width": 360, "height": 740}
# Playwright gives it a profile of its own, new and empty, and --headless.
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


@contextmanager
def all_served(handlers: Mapping[str, Handler]) -> Iterator[dict[str, str]]:
    """Serve each on a free port of 127.0.0.1; give the addresses."""
    with ExitStack() as stack:
        yield {name: stack.enter_context(serving(handler)) for name, handler in handlers.items()}


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start the browser, without a window."""
    program = find_browser()
    assert program is not None, HOW_TO_GET
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=_FLAGS)
        try:
            yield browser
        finally:
            browser.close()

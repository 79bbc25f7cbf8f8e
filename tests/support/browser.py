"""A real browser before the program's own server: Debian's Chromium, driven by playwright."""

import asyncio
import threading
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager

from playwright.sync_api import Browser, ViewportSize, sync_playwright

from ncr_exporter.httpd.messages import Handler
from ncr_exporter.httpd.server import Server
from tools.get_browser import find_browser

HOW_TO_GET = "needs Chromium: `make browser` gets it on Debian"
DESKTOP: ViewportSize = {"width": 1280, "height": 900}
PHONE: ViewportSize = {"width": 360, "height": 740}
# Playwright gives it a profile of its own, new and empty, and --headless.
_FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update"),
)


@contextmanager
def served(handlers: Mapping[str, Handler]) -> Iterator[dict[str, str]]:
    """Serve each on a free port of 127.0.0.1, in a thread of their own; give the addresses."""
    loop, stop = asyncio.new_event_loop(), asyncio.Event()
    ready, addresses = threading.Event(), dict[str, str]()

    async def serve() -> None:
        async with AsyncExitStack() as stack:
            for name, handler in handlers.items():
                server = await stack.enter_async_context(Server(handler))
                addresses[name] = f"http://127.0.0.1:{await server.listen('127.0.0.1', 0)}"
            ready.set()
            await stop.wait()

    def run() -> None:
        with asyncio.Runner(loop_factory=lambda: loop) as runner:
            runner.run(serve())

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert ready.wait(10), "the server did not start"
        yield addresses
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


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

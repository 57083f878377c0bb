"""Debian's Chromium, headless, without the calls home that it would make."""

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, expect, sync_playwright

_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    # A host that is not this machine itself: what comes from it over http is insecure.
    "--host-resolver-rules=MAP portal.test 127.0.0.1",
)

# As patient as a visitor is: other tests run at the same time.
_PATIENCE = 20_000


@contextmanager
def launched() -> Iterator[Browser]:
    """Start a browser and close it afterwards."""
    expect.set_options(timeout=_PATIENCE)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=list(_FLAGS)
        )
        yield browser
        browser.close()

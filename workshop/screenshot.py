"""Take the picture of README.md from a portal that runs: the one of ``make run``.

``.venv/bin/python workshop/screenshot.py http://127.0.0.1:8600 var/admin-password``
"""

import io
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, ViewportSize, sync_playwright

TARGET = Path(__file__).resolve().parent.parent / "web/static/img/readme-home.jpg"
SIZE: ViewportSize = {"width": 1280, "height": 800}


def main(portal: str, password: str) -> None:
    """Sign in, open the home page, and keep what it looks like."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox"]
        )
        page = browser.new_page(viewport=SIZE, reduced_motion="reduce")
        _sign_in(page, portal, password)
        page.wait_for_load_state("networkidle")
        _keep(page.screenshot())
        browser.close()


def _sign_in(page: Page, portal: str, password: str) -> None:
    page.goto(f"{portal}/login")
    page.fill("input[name=username]", "admin")
    page.fill("input[name=password]", password)
    page.press("input[name=password]", "Enter")
    page.wait_for_url(f"{portal}/")


def _keep(png: bytes) -> None:
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    picture.save(TARGET, quality=82, optimize=True, progressive=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]).read_text().strip())

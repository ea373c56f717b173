"""JupyterLab as a person uses it, in headless Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-quic", "--no-first-run"]  # fmt: skip
PATIENCE = 60_000  # milliseconds; a kernel starts slowly on a busy machine


@contextmanager
def page() -> Iterator[Page]:
    """A new browser with nothing remembered; the test itself compares the certificate."""
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=False, args=QUIET
        )
        context = chromium.new_context(ignore_https_errors=True)
        context.set_default_timeout(PATIENCE)
        yield context.new_page()
        chromium.close()


def log_in(browser: Page, url: str, password: str) -> None:
    browser.goto(url)
    browser.fill("input[name=password]", password)
    browser.click("#login_submit")
    browser.wait_for_url("**/lab**")


def new_notebook(browser: Page) -> None:
    browser.goto(f"{browser.url.partition('/lab')[0]}/lab?reset")  # with the launcher, as at first
    browser.click(".jp-LauncherCard[data-category=Notebook]")
    browser.wait_for_selector(".jp-Notebook .jp-Cell")
    # A cell that is run before the kernel is connected is silently left alone by JupyterLab.
    expect(browser.locator("#jp-bottom-panel, #jp-main-statusbar").first).to_contain_text(
        "| Idle", timeout=PATIENCE
    )


def run_cell(browser: Page, code: str) -> str:
    """Type code into the active cell, run it, and return the text that it shows."""
    cell = browser.locator(".jp-Notebook .jp-Cell.jp-mod-active")
    index = browser.locator(".jp-Notebook .jp-Cell").count() - 1
    cell.locator(".cm-content").click()
    browser.keyboard.insert_text(code)
    browser.keyboard.press("Shift+Enter")
    output = browser.locator(".jp-Notebook .jp-Cell").nth(index).locator(".jp-OutputArea-output")
    expect(output.first).to_be_visible(timeout=PATIENCE)
    return output.first.inner_text().strip()


def add_heading(browser: Page, text: str) -> None:
    browser.locator(".jp-Notebook .jp-Cell.jp-mod-active .cm-content").click()
    browser.keyboard.insert_text(f"# {text}")
    browser.keyboard.press("Escape")
    browser.keyboard.press("m")
    browser.keyboard.press("Shift+Enter")


def table_of_contents(browser: Page) -> list[str]:
    browser.click('li[data-id="table-of-contents"]')
    entries = browser.locator("#table-of-contents .jp-tocItem-content")
    expect(entries.first).to_be_visible(timeout=PATIENCE)
    return entries.all_inner_texts()

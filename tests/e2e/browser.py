"""The three front ends as a person uses them, in headless Chromium."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from playwright.sync_api import Locator, Page, expect, sync_playwright

CHROMIUM = "/usr/bin/chromium"
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-quic", "--no-first-run"]  # fmt: skip
PATIENCE = 120_000  # milliseconds; a kernel starts slowly on a busy machine


@contextmanager
def page() -> Iterator[Page]:
    """A new browser with nothing remembered; the test itself compares the certificate."""
    with sync_playwright() as playwright, TemporaryDirectory() as configuration:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=False, args=QUIET,
            env={**os.environ, "XDG_CONFIG_HOME": configuration},
        )  # fmt: skip
        context = chromium.new_context(ignore_https_errors=True)
        context.set_default_timeout(PATIENCE)
        try:
            yield context.new_page()
        finally:
            chromium.close()


def log_in(browser: Page, url: str, password: str) -> None:
    browser.goto(url)
    expect(browser.locator("h1")).to_have_text(re.compile(r"^Notebook of \w+ on \w+$"))
    assert "token" not in browser.content().lower()
    browser.fill("input[name=password]", password)
    browser.click("#login_submit")
    browser.wait_for_url(lambda address: "/login" not in address)


def _place(browser: Page) -> str:
    """The address of the server without any path."""
    parts = urlsplit(browser.url)
    return f"{parts.scheme}://{parts.netloc}"


class Lab:
    """JupyterLab."""

    frontend = "lab"
    cells = ".jp-Notebook .jp-Cell"
    editor = ".cm-content"

    def __init__(self, browser: Page) -> None:
        self.browser = browser

    def new_notebook(self) -> None:
        """From the launcher, as at first."""
        self.browser.goto(f"{_place(self.browser)}/lab?reset")
        self.browser.click(".jp-LauncherCard[data-category=Notebook]")
        self.browser.wait_for_selector(self.cells)
        self.wait_for_kernel()

    def wait_for_kernel(self) -> None:
        """A cell that is run before the kernel is connected is silently left alone."""
        status = self.browser.locator("#jp-bottom-panel, #jp-main-statusbar").first
        expect(status).to_contain_text("| Idle", timeout=PATIENCE)

    def run_cell(self, code: str) -> str:
        """Type code into the active cell, run it, and return the text that it shows."""
        output = self.type_and_run(code).locator(".jp-OutputArea-output")
        expect(output.first).to_be_visible(timeout=PATIENCE)
        return output.first.inner_text().strip()

    def _run(self, cell: Locator) -> None:
        """Again while the page leaves it alone, which says nothing: a star is there at once."""
        for _attempt in range(10):
            self.browser.keyboard.press("Shift+Enter")
            self.browser.wait_for_timeout(1000)
            if cell.locator(".jp-InputPrompt").first.inner_text() != "[ ]:":
                return
            self._answer_for_the_kernel()
            cell.locator(self.editor).click()

    def _answer_for_the_kernel(self) -> None:
        """A page that does not know of its kernel yet asks which one shall run the cell."""
        question = self.browser.locator(".jp-Dialog")
        if question.count():
            assert "Select Kernel" in question.first.inner_text(), question.first.inner_text()
            question.locator("button.jp-mod-accept").first.click()
            self.wait_for_kernel()

    def active_editor(self) -> Locator:
        return self.browser.locator(f"{self.cells}.jp-mod-active {self.editor}")

    def type_and_run(self, code: str) -> Locator:
        """Start a cell that takes its time; give the cell."""
        cell = self.browser.locator(self.cells).nth(self.browser.locator(self.cells).count() - 1)
        self.active_editor().click()
        self.browser.keyboard.insert_text(code)
        self._run(cell)
        return cell

    def restart_kernel(self) -> None:
        """By the keys that the menu names, and yes, it is meant."""
        self.browser.keyboard.press("Escape")
        self.browser.keyboard.type("00")
        self.browser.click(".jp-Dialog button.jp-mod-accept")
        self.wait_for_kernel()

    def add_heading(self, text: str) -> None:
        self.active_editor().click()
        self.browser.keyboard.insert_text(f"# {text}")
        self.browser.keyboard.press("Escape")
        self.browser.keyboard.press("m")
        self.browser.keyboard.press("Shift+Enter")

    def table_of_contents(self) -> list[str]:
        self.browser.click('li[data-id="table-of-contents"]')
        return self.entries("#table-of-contents .jp-tocItem-content")

    def entries(self, selector: str) -> list[str]:
        found = self.browser.locator(selector)
        expect(found.first).to_be_visible(timeout=PATIENCE)
        return found.all_inner_texts()


class Notebook(Lab):
    """Notebook 7: the parts of JupyterLab, on a page of its own."""

    frontend = "notebook"
    pages = "notebooks"

    def new_notebook(self) -> None:
        name = _empty_notebook(self.browser)
        self.browser.goto(f"{_place(self.browser)}/{self.pages}/{name}")
        self.browser.wait_for_selector(self.cells)
        self.wait_for_kernel()

    def wait_for_kernel(self) -> None:
        """The server knows better than the page when somebody is connected to a kernel."""
        self.browser.wait_for_function(_CONNECTED, timeout=PATIENCE, polling=500)
        expect(self.browser.locator('[data-status="idle"]').first).to_be_attached(timeout=PATIENCE)

    def table_of_contents(self) -> list[str]:
        self.browser.click(".lm-MenuBar-item:has-text('View')")
        self.browser.hover(".lm-Menu-item:has-text('Left Sidebar')")
        self.browser.click(".lm-Menu-item:has-text('Table of Contents')")
        return self.entries("#table-of-contents .jp-tocItem-content")


class Classic(Notebook):
    """nbclassic: the notebook of old, with our table of contents."""

    frontend = "nbclassic"
    pages = "nbclassic/notebooks"
    cells = "#notebook .cell"
    editor = ".CodeMirror"

    def wait_for_kernel(self) -> None:
        self.browser.wait_for_function(_CONNECTED, timeout=PATIENCE, polling=500)
        idle = self.browser.locator("#kernel_indicator_icon.kernel_idle_icon")
        expect(idle).to_be_visible(timeout=PATIENCE)

    def active_editor(self) -> Locator:
        return self.browser.locator(f"{self.cells}.selected {self.editor}")

    def run_cell(self, code: str) -> str:
        index = self.browser.locator(self.cells).count() - 1
        self.active_editor().click()
        self.browser.keyboard.insert_text(code)
        self.browser.keyboard.press("Shift+Enter")
        output = self.browser.locator(self.cells).nth(index).locator(".output_subarea")
        expect(output.first).to_be_visible(timeout=PATIENCE)
        return output.first.inner_text().strip()

    def table_of_contents(self) -> list[str]:
        self.browser.click("button[title='Table of contents']")
        return self.entries("#table-of-contents a")


FRONT_ENDS = (Lab, Notebook, Classic)

_NOTEBOOK = {
    "type": "notebook",
    "format": "json",
    "content": {
        "cells": [
            {
                "id": "first",
                "cell_type": "code",
                "source": "",
                "metadata": {},
                "outputs": [],
                "execution_count": None,
            }
        ],
        "metadata": {"kernelspec": {"name": "python3", "display_name": "Python 3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    },
}
_CONNECTED = """async () => {
    const kernels = await (await fetch("/api/kernels")).json();
    return kernels.some(each => each.connections > 0 && each.execution_state === "idle");
}"""
_SAVE = """async ([address, body]) => {
    const token = document.cookie.match(/_xsrf=([^;]*)/)[1];
    const headers = {"X-XSRFToken": token, "Content-Type": "application/json"};
    const answer = await fetch(address, {method: "PUT", headers, body});
    return answer.status;
}"""


def _empty_notebook(browser: Page) -> str:
    """Save a notebook with one empty cell through Jupyter's own API; give its name."""
    name = "browser.ipynb"
    status = browser.evaluate(_SAVE, [f"/api/contents/{name}", json.dumps(_NOTEBOOK)])
    assert status in (200, 201)
    return name

"""The pictures of README and docs, taken from the test cluster: `make pictures`.

The browser's are screenshots of real pages. Those of the terminal are drawn from what was printed,
as SVG: they stay small and sharp, and a diff shows what changed. `open` is a recording, which shows
each line when it came.
"""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from xml.sax.saxutils import escape

import pexpect  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page, sync_playwright

CHECKOUT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
CLUSTER = [sys.executable, str(CHECKOUT / "tests" / "cluster" / "cluster.py")]
PICTURES = CHECKOUT / "docs" / "pictures"
ACCOUNT = "alice"
PASSWORD = "a walk along the Red Cedar"
CHROMIUM = "/usr/bin/chromium"
QUIET = ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
PATIENCE = 180_000
MOST = 150_000  # bytes of a picture
# Short, since the picture waits for the warning of the last minute.
JOB = {"nbserver_where": "job", "nbserver_resources": "walltime=00:04:00;mem=300mb"}
COLUMNS, LINE, CHARACTER, MARGIN = 112, 19, 8.4, 16
PAUSES = 1.6  # seconds; what took longer is shown shortened
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
Shown = Sequence[tuple[float, str]]  # seconds since the beginning, and a line


def variables(port: int, **more: str) -> list[str]:
    """What the command lines of this account have in common."""
    given = {
        **more,
        "ansible_user": ACCOUNT,
        "nbserver_profile_password": PASSWORD,
        "nbserver_local_port": port,
    }
    return ["-i", str(CHECKOUT / ".cluster" / "inventory.ini"), "-e", json.dumps(given)]


def environment() -> dict[str, str]:
    """As for a person with the calm display."""
    calm = {"ANSIBLE_STDOUT_CALLBACK": "hpcc.notebook.calm", "ANSIBLE_NOCOLOR": "1"}
    return {**os.environ, **calm, "BROWSER": "true", "COLUMNS": str(COLUMNS)}


def play(name: str, port: int, **more: str) -> list[str]:
    """Run a playbook; give its lines."""
    command = [str(BIN / "ansible-playbook"), f"playbooks/{name}.yml", *variables(port, **more)]
    done = subprocess.run(
        command, cwd=CHECKOUT, env=environment(), check=True, capture_output=True, text=True
    )
    return seen(done.stdout)


def seen(text: str) -> list[str]:
    """Lines as a person elsewhere sees them."""
    plain = _COLOUR.sub("", re.sub(r" -F \S+", "", text))
    return [line.rpartition("\r")[2] for line in plain.replace("\r\n", "\n").splitlines()]


@contextmanager
def opened(port: int, **more: str) -> Iterator[list[tuple[float, str]]]:
    """open.yml at a terminal, connected; what it prints, and when, is complete afterwards."""
    words = ["playbooks/open.yml", *variables(port, **more)]
    said: list[tuple[float, str]] = []
    began = time.monotonic()
    terminal = pexpect.spawn(
        str(BIN / "ansible-playbook"), words, cwd=str(CHECKOUT), encoding="utf-8", timeout=400,
        dimensions=(50, COLUMNS), env=environment(),
    )  # fmt: skip

    def read(end: str | type[pexpect.EOF]) -> None:
        while True:
            at_end = terminal.expect(["\r\n", end]) == 1
            said.extend((time.monotonic() - began, line) for line in seen(terminal.before))
            if at_end:
                return

    read("goes on running\\.")
    said[-1] = (said[-1][0], f"{said[-1][1]}{terminal.after}")
    try:
        yield said
    finally:
        terminal.expect(pexpect.TIMEOUT, timeout=2)
        terminal.sendcontrol("c")
        read(pexpect.EOF)


def rows(lines: Shown) -> list[tuple[float, str]]:
    """Long lines go on in the next one, as in a terminal."""
    wide = [(at, line or " ") for at, line in lines]
    return [
        (at, line[start : start + COLUMNS])
        for at, line in wide
        for start in range(0, len(line), COLUMNS)
    ]


def drawn(command: str, lines: Shown, *, moving: bool = False) -> str:
    """A window of a terminal as SVG; when moving, each line appears at its time."""
    shown = rows([(0, f"$ {command}"), *lines])
    height = 2 * MARGIN + LINE * len(shown)
    width = int(2 * MARGIN + COLUMNS * CHARACTER)
    body = "".join(_line(place, line) for place, line in enumerate(_times(shown, moving=moving)))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img" font-family="ui-monospace,Menlo,Consolas,DejaVu Sans Mono,'
        f'monospace" font-size="14">\n<rect width="100%" height="100%" rx="8" fill="#1d2230"/>\n'
        f"{body}</svg>\n"
    )


def _times(shown: Shown, *, moving: bool) -> Iterator[tuple[float, str]]:
    """When each line appears in the picture: nobody waits for what took a minute."""
    now, before = 0.0, 0.0
    for at, line in shown:
        now += min(at - before, PAUSES)
        before = at
        yield (now + 0.4 if moving and at else 0.0), line


def _line(place: int, line: tuple[float, str]) -> str:
    at, text = line
    colour = "#8fd3a4" if text.startswith("$ ") else "#e6e9f0"
    top = MARGIN + LINE * place + 14
    later = f' opacity="0"><set attributeName="opacity" to="1" begin="{at:.1f}s"/>' if at else ">"
    inside = escape(text)
    return (
        f'<text x="{MARGIN}" y="{top}" fill="{colour}" xml:space="preserve"{later}{inside}</text>\n'
    )


def pages(port: int) -> None:
    """The login page in light and dark, and JupyterLab."""
    with chromium() as browser:
        for scheme in ("light", "dark"):
            page = _page(browser, scheme, 760, 520)
            page.goto(f"https://127.0.0.1:{port}")
            page.wait_for_selector("input[name=password]")
            _shoot(page, f"login-{scheme}.png")
        page = _page(browser, "light", 1180, 700)
        _compute(page, port)
        _shoot(page, "lab.png")


def time_left(port: int) -> None:
    """JupyterLab in a job that is about to reach its end."""
    with chromium() as browser:
        page = _page(browser, "light", 1180, 520)
        _compute(page, port)
        page.wait_for_selector(".Toastify__toast")
        page.wait_for_timeout(1000)  # it moves in
        _shoot(page, "time-left.png")


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser that asks its maker for nothing."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, chromium_sandbox=False, args=QUIET
        )
        try:
            yield browser
        finally:
            browser.close()


def _page(browser: Browser, scheme: str, width: int, height: int) -> Page:
    context = browser.new_context(
        ignore_https_errors=True,
        color_scheme="dark" if scheme == "dark" else "light",
        viewport={"width": width, "height": height},
    )
    context.set_default_timeout(PATIENCE)
    return context.new_page()


def _compute(page: Page, port: int) -> None:
    """A notebook in which a cell has run."""
    page.goto(f"https://127.0.0.1:{port}")
    page.fill("input[name=password]", PASSWORD)
    page.click("#login_submit")
    page.wait_for_url(lambda address: "/login" not in address)
    page.goto(f"https://127.0.0.1:{port}/lab?reset")
    page.click(".jp-LauncherCard[data-category=Notebook]")
    page.wait_for_selector("#jp-main-statusbar:has-text('| Idle')")
    page.click(".jp-Notebook .jp-Cell .cm-content")
    code = "import os, platform\nprint(platform.node(), os.environ['USER'])\nsum(range(10_000_000))"
    page.keyboard.insert_text(code)
    page.keyboard.press("Shift+Enter")
    page.wait_for_selector(".jp-OutputArea-executeResult")
    page.wait_for_timeout(2000)


def _shoot(page: Page, name: str) -> None:
    page.screenshot(path=PICTURES / name)


def write(name: str, svg: str) -> None:
    """One picture of the terminal."""
    (PICTURES / name).write_text(svg, encoding="utf-8")


def too_large() -> list[str]:
    """What nobody wants to load."""
    return [path.name for path in PICTURES.iterdir() if path.stat().st_size > MOST]


def main() -> int:
    """Take all of them."""
    subprocess.run([*CLUSTER, "up"], check=True)
    subprocess.run([*CLUSTER, "reset", ACCOUNT], check=True)
    PICTURES.mkdir(exist_ok=True)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    play("setup", port)
    with opened(port) as said:
        pages(port)
        status = play("status", port)
    shown = [(at, line.replace(str(port), "8888")) for at, line in said]
    write("open.svg", drawn("ansible-playbook hpcc.notebook.open -i my.ini", shown, moving=True))
    table = [(0.0, line.replace(str(port), "8888")) for line in status]
    write("status.svg", drawn("ansible-playbook hpcc.notebook.status -i my.ini", table))
    play("stop", port)
    with opened(port, **JOB):
        time_left(port)
    play("stop", port, **JOB)
    large = too_large()
    print(f"larger than {MOST} bytes: {', '.join(large)}" if large else f"{PICTURES} written")
    return 1 if large else 0


if __name__ == "__main__":
    sys.exit(main())

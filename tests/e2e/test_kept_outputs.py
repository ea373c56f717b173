"""nbserver_profile_keeps_outputs: what a cell prints is there although nobody was.

No cluster: a server of a profile of ours on this machine, with the packages that `setup` installs,
and something like a tunnel that can be cut.
"""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import browser
import pytest
import yaml
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import option_trial
from connecting import PASSWORD
from served_profile import Server, serving
from terminal import CHECKOUT

# The environment is made from PyPI at first, on a machine that others may use at the same time.
pytestmark = pytest.mark.timeout(1200)
NEEDED = ("jupyterlab", "jupyter_server", "ipykernel")
ENVIRONMENT = CHECKOUT / ".cache" / "keeps-outputs"
LINES = 20
CELL = f"import time\nfor number in range({LINES}):\n    print('line', number)\n    time.sleep(1)\n"
MANY = "import time\ntime.sleep(6)\nfor number in range(100_000):\n    print('line', number)\n"


def variables(role: str) -> dict[str, object]:
    text = (CHECKOUT / "roles" / role / "vars" / "main.yml").read_text(encoding="utf-8")
    read: dict[str, object] = yaml.safe_load(text)
    return read


OPTIONS = variables("nbserver_profile")["nbserver_profile_output_options"]


@pytest.fixture(scope="module")
def python() -> str:
    """A Python with what `setup` installs for it, and of the rest what a cell needs."""
    role = CHECKOUT / "roles" / "anaconda"
    given = yaml.safe_load((role / "defaults" / "main.yml").read_text(encoding="utf-8"))
    base = [name for name in given["anaconda_packages"] if name.startswith(NEEDED)]
    wanted = [*base, *variables("anaconda")["anaconda_output_packages"]]  # type: ignore[misc]
    done = ENVIRONMENT / "packages.json"
    if not done.exists() or json.loads(done.read_text()) != wanted:
        subprocess.run([sys.executable, "-m", "venv", "--clear", ENVIRONMENT], check=True)
        pip = [str(ENVIRONMENT / "bin" / "python"), "-m", "pip", "install", "-q"]
        subprocess.run([*pip, "--disable-pip-version-check", *wanted], check=True)
        done.write_text(json.dumps(wanted))
    return str(ENVIRONMENT / "bin" / "python")


@pytest.fixture(scope="module")
def server(python: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("h"), USER="eve")
    server.python = python
    lines = [f"c.{name} = {value!r}\n" for name, value in OPTIONS.items()]  # type: ignore[attr-defined]
    with serving(server, PASSWORD, "".join(lines)):
        yield server


@contextmanager
def tunnel(path: Path) -> Iterator[str]:
    """Lead a port to the socket; cut all that goes through at the end."""
    ends: list[socket.socket] = []

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while data := source.recv(65536):
                sink.sendall(data)

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                near, far = listener.accept()[0], socket.socket(socket.AF_UNIX)
                far.connect(str(path))
                ends.extend((near, far))
                for pair in ((near, far), (far, near)):
                    threading.Thread(target=pump, args=pair, daemon=True).start()

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"https://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    for end in ends:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def left_alone(server: Server, code: str) -> Path:
    """A notebook whose cell runs, and whose browser and tunnel are gone after five seconds."""
    before = set(server.home.glob("*.ipynb"))
    with tunnel(server.socket) as url, browser.page() as page:
        browser.log_in(page, url, PASSWORD)
        lab = browser.Lab(page)
        lab.new_notebook()
        lab.type_and_run(code)
        page.wait_for_timeout(5000)
    (made,) = set(server.home.glob("*.ipynb")) - before
    return made


def printed(notebook: Path) -> list[str]:
    """What stands in the file."""
    cells = json.loads(notebook.read_text())["cells"]
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    return "".join("".join(output.get("text", "")) for output in outputs).splitlines()


def in_the_file(notebook: Path, wanted: list[str]) -> list[str]:
    """What stands there in the end; Jupyter writes it now and then, and in place."""
    found: list[str] = []
    for _second in range(240):
        with suppress(json.JSONDecodeError):
            found = printed(notebook)
        if found == wanted:
            break
        time.sleep(1)
    return found


def test_all_lines_are_there_after_the_browser_was_closed(server: Server) -> None:
    notebook = left_alone(server, CELL)
    time.sleep(LINES)
    wanted = [f"line {number}" for number in range(LINES)]
    with tunnel(server.socket) as url, browser.page() as page:  # another browser
        browser.log_in(page, url, PASSWORD)
        page.goto(f"{url}/lab/tree/{notebook.name}")
        shown = page.locator(".jp-OutputArea-output")
        browser.expect(shown.first).to_contain_text(wanted[-1], timeout=browser.PATIENCE)
        assert "".join(shown.all_inner_texts()).split("\n")[:LINES] == wanted
    assert in_the_file(notebook, wanted) == wanted


def test_a_hundred_thousand_lines_are_there_too(server: Server) -> None:
    notebook = left_alone(server, MANY)
    wanted = [f"line {number}" for number in range(100_000)]
    assert in_the_file(notebook, wanted) == wanted


def test_taken_back_a_notebook_is_the_browsers_again(
    python: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    server = Server(tmp_path_factory.mktemp("b"), USER="eve")
    server.python = python
    with (
        serving(server, PASSWORD, "c.YDocExtension.disable_rtc = True\n"),
        tunnel(server.socket) as url,
        browser.page() as page,
    ):
        browser.log_in(page, url, PASSWORD)
        lab = browser.Lab(page)
        lab.new_notebook()
        lab.type_and_run("print('line', 0)\n")
        page.keyboard.press("Control+s")
        (notebook,) = server.home.glob("*.ipynb")
        assert in_the_file(notebook, ["line 0"]) == ["line 0"]
    assert not list(server.home.rglob(".jupyter_ystore.db"))


@pytest.mark.parametrize(("where", "reason"), [("with", None), ("without", "YDocExtension")])
def test_setup_refuses_it_where_the_packages_are_not_installed(
    python: str, where: str, reason: str | None, tmp_path: Path
) -> None:
    asked = json.dumps({"options": OPTIONS, "cookie_secret": str(tmp_path / "secret")})
    program = Path(option_trial.__file__).read_text(encoding="utf-8")
    argv = [python if where == "with" else sys.executable, "-I", "-c", program]
    environment = {"HOME": str(tmp_path), "JUPYTER_CONFIG_DIR": str(tmp_path), "PATH": "/bin"}
    done = subprocess.run(
        argv, env=environment, input=asked, capture_output=True, text=True, check=True
    )
    said = json.loads(done.stdout.splitlines()[-1])["reason"]
    assert (said is None) if reason is None else (reason in said)

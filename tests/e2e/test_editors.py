"""What editors and other clients need: the short name for ssh, and a server to log in to."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from connecting import GREETING, PASSWORD, USER, common, connecting
from sshd import as_root
from terminal import CHECKOUT

# Others may use the machine at the same time.
pytestmark = pytest.mark.timeout(900)
PROFILE = f"/home/{USER}/.ipython/profile_nbserver"
CLIENT = CHECKOUT / "tests" / "e2e" / "node"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def typed(*words: object, text: str = "") -> str:
    """Run a command of this computer to its end; what it printed."""
    done = subprocess.run(
        [str(word) for word in words], input=text, capture_output=True, text=True, check=False,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, f"{words}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


@pytest.fixture
def connected(options: list[str], ways: Path) -> Iterator[Path]:
    """The configuration with the block that connect has written, while it keeps the tunnel."""
    given = [*options, *common(ways, "gateway"), "-e", f"nbserver_ssh_config_file={ways}"]
    with connecting(*given, "-e", "nbserver_ssh_config=present") as terminal:
        terminal.expect(GREETING)
        yield ways


def test_the_short_name_takes_commands_and_files_while_the_tunnel_is_open(
    connected: Path, tmp_path: Path
) -> None:
    ssh = ["ssh", "-F", str(connected)]
    assert typed(*ssh, "nbserver", "hostname") == "dev1"
    (tmp_path / "sent").write_text("a line\n")
    typed("sftp", "-q", "-b", "-", "-F", connected, "nbserver", text=f"put {tmp_path}/sent one\n")
    typed("scp", "-q", "-F", connected, "nbserver:one", tmp_path / "two")
    typed("rsync", "-e", f"ssh -F {connected}", tmp_path / "two", "nbserver:three")
    assert typed(*ssh, "nbserver", "cat three; rm one three") == "a line"


# What an editor's installation begins with: a shell that reads a program, and a server on the node.
REMOTE = """\
uname -s && umask 077 && mkdir -p ~/editor && cd ~/editor && echo here > it
exec ~/anaconda/bin/python -I -c '
import http.server, socketserver
class Local(socketserver.UnixStreamServer):
    def get_request(self):
        return super().get_request()[0], ("editor", 0)
over_tcp = http.server.HTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
over_socket = Local("socket", http.server.SimpleHTTPRequestHandler)
print("listening on", over_tcp.server_port, flush=True)
over_tcp.handle_request()
over_socket.handle_request()
'
"""


def test_an_editor_gets_a_shell_for_its_program_and_its_forwardings(connected: Path) -> None:
    """`-T -D`, as VS Code's Remote-SSH; `-L` to a socket, where its server is to have no port."""
    proxy, local = free_port(), free_port()
    forwards = ["-D", f"127.0.0.1:{proxy}", "-L", f"127.0.0.1:{local}:/home/{USER}/editor/socket"]
    command = ["ssh", "-F", str(connected), "-T", *forwards, "nbserver", "bash"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as editor:
        assert editor.stdin
        assert editor.stdout
        try:
            editor.stdin.write(REMOTE)
            editor.stdin.close()
            assert editor.stdout.readline() == "Linux\n"
            port = editor.stdout.readline().removeprefix("listening on ").strip()
            through = ["--socks5-hostname", f"127.0.0.1:{proxy}"]
            assert typed("curl", "-s", *through, f"http://127.0.0.1:{port}/it") == "here"
            assert typed("curl", "-s", f"http://127.0.0.1:{local}/it") == "here"
            assert editor.wait(20) == 0
        finally:
            editor.kill()
            as_root("dev1", f"rm -rf /home/{USER}/editor")


@pytest.fixture(scope="session")
def client() -> Path:
    """The client with its packages from npm, as they are pinned; kept below .cache."""
    place = CHECKOUT / ".cache" / "node"
    lock = place / "node_modules" / "package-lock.json"
    wanted = (CLIENT / "package-lock.json").read_bytes()
    place.mkdir(parents=True, exist_ok=True)
    for file in CLIENT.iterdir():
        shutil.copy(file, place)
    if not lock.exists() or lock.read_bytes() != wanted:
        install = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        subprocess.run(install, cwd=place, check=True, timeout=300, stdout=subprocess.DEVNULL)
        lock.write_bytes(wanted)
    return place / "client.mjs"


@pytest.fixture
def certificate(serving: str, tmp_path: Path) -> Path:
    """The server's own, as a person fetches it."""
    assert serving == USER
    path = tmp_path / "notebook.crt"
    path.write_text(as_root("dev1", f"cat {PROFILE}/security/notebook.crt"))
    return path


def asks(client: Path, trusted: Path, **asked: object) -> subprocess.CompletedProcess[str]:
    """Let the client trust this certificate, and nothing else, whatever Node brings along."""
    only = {"SSL_CERT_FILE": str(trusted), "SSL_CERT_DIR": "/nonexistent"}
    return subprocess.run(
        ["node", "--use-openssl-ca", str(client)], input=json.dumps(asked), text=True, timeout=120,
        capture_output=True, check=False, env={**os.environ, **only},
    )  # fmt: skip


def answer(client: Path, trusted: Path, **asked: object) -> dict[str, Any]:
    done = asks(client, trusted, **asked)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


CELL = "import socket; print(socket.gethostname())\n6 * 7"


@pytest.mark.usefixtures("connected")
def test_an_editor_that_trusts_our_certificate_alone_logs_in_and_runs_a_cell(
    client: Path, certificate: Path, local_port: int
) -> None:
    url = f"https://127.0.0.1:{local_port}"
    right = {"url": url, "password": PASSWORD, "code": CELL}
    assert answer(client, certificate, **right) == {"status": "ok", "shown": "dev1\n42"}
    token = as_root("dev1", f"cat {PROFILE}/security/token").strip()
    with_token = {"url": url, "token": token, "code": CELL}
    assert answer(client, certificate, **with_token) == {"status": "ok", "shown": "dev1\n42"}
    assert "login: 401" in asks(client, certificate, **{**right, "password": "not this"}).stderr


@pytest.mark.usefixtures("connected")
def test_an_editor_refuses_a_server_with_another_certificate(
    client: Path, local_port: int, tmp_path: Path
) -> None:
    other = tmp_path / "other.crt"
    make = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost"
    )
    typed(*make.split(), "-keyout", tmp_path / "key", "-out", other)
    url = f"https://127.0.0.1:{local_port}"
    refused = asks(client, other, url=url, password=PASSWORD, code=CELL)
    assert "DEPTH_ZERO_SELF_SIGNED_CERT" in refused.stderr
    assert refused.stdout == ""


def test_a_console_on_the_node_joins_the_kernel_of_a_notebook(
    connected: Path, client: Path, certificate: Path, local_port: int
) -> None:
    """What `jupyter console --existing` does, by the program of it that is always there."""
    asked = {"url": f"https://127.0.0.1:{local_port}", "password": PASSWORD}
    answer(client, certificate, **asked, code="kept = 6 * 7", keep=True)
    runtime = "export JUPYTER_RUNTIME_DIR=$(echo /tmp/nbserver-$(id -u)/runtime)"
    script = f"{runtime}; echo 'print(kept)' > ~/joins.py; ~/anaconda/bin/jupyter run"
    ssh = ["ssh", "-F", str(connected), "nbserver"]
    assert typed(*ssh, f"{script} ~/joins.py --existing; rm ~/joins.py") == "42"
    assert answer(client, certificate, **asked, code="kept")["shown"] == "42", "it goes on"

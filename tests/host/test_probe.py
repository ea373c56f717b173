"""The probe tells our server from every other thing that may answer, over TCP and Unix sockets."""

import contextlib
import hashlib
import os
import socket
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._server import probe
from ansible_collections.hpcc.notebook.plugins.module_utils._server.probe import Endpoint, Trust
from servers import Account


class Jupyter(BaseHTTPRequestHandler):
    """Answers like a server that knows one token."""

    stranger = 403
    said = b'{"kernels": 0}'
    seen: list[str]

    def do_GET(self):
        token = self.headers.get("Authorization", "")
        self.seen.append(token)
        self.send_response(200 if token == "token good" else self.stranger)
        self.end_headers()
        self.wfile.write(self.said)

    def log_message(self, *_):
        pass


class UnixHTTPServer(HTTPServer):
    address_family = socket.AF_UNIX

    def server_bind(self):
        self.socket.bind(self.server_address)
        self.server_name, self.server_port = "localhost", 0

    def get_request(self):
        return self.socket.accept()[0], ("local", 0)


class Certificate:
    """Two files in a directory, and what openssl says of them."""

    def __init__(self, directory, **options):
        directory.mkdir(parents=True)
        account = Account(directory, os.geteuid(), "", profile="p")
        account.security.mkdir(parents=True)
        account.make_certificate(**options)
        self.crt = str(account.security / "notebook.crt")
        self.key = str(account.security / "notebook.key")
        asked = ["openssl", "x509", "-noout", "-fingerprint", "-sha256", "-in", self.crt]
        said = subprocess.run(asked, capture_output=True, text=True, check=True).stdout
        self.sha256 = said.strip().partition("=")[2]


@contextlib.contextmanager
def serving(server, certificate):
    """Run a server behind TLS in a thread."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.crt, certificate.key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.handle_error = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def certificate(tmp_path):
    return Certificate(tmp_path / "certificate")


@pytest.fixture
def handler():
    return type("Handler", (Jupyter,), {"seen": []})


@pytest.fixture(params=["tcp", "unix"])
def endpoint(request, handler, certificate, tmp_path):
    if request.param == "tcp":
        server = HTTPServer(("127.0.0.1", 0), handler)
        found = Endpoint(port=server.server_address[1])
    else:
        path = str(tmp_path / "s")
        server = UnixHTTPServer(path, handler)
        found = Endpoint(path=path)
    with serving(server, certificate):
        yield found


def test_our_server_is_recognised(endpoint, certificate):
    trust = Trust(certificate.sha256, certificate.crt)
    probe.require_private(endpoint, trust, 5)
    assert probe.token_reason(endpoint, trust, "good", 5) is None
    assert "answered with 403" in probe.token_reason(endpoint, trust, "bad", 5)


def test_a_server_with_another_certificate_is_told_no_secret(endpoint, handler, tmp_path):
    other = Certificate(tmp_path / "other")
    for trust in (Trust(other.sha256), Trust(other.sha256, other.crt)):
        with pytest.raises(NotebookError, match="does not show the profile's certificate"):
            probe.token_reason(endpoint, trust, "good", 5)
    assert handler.seen == []


@pytest.mark.parametrize("status", [200, 302, 404, 500])
def test_a_server_that_does_not_refuse_strangers_is_refused(endpoint, certificate, handler, status):
    handler.stranger = status
    with pytest.raises(NotebookError, match=f"a stranger was answered with {status} instead"):
        probe.require_private(endpoint, Trust(certificate.sha256), 5)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"\xff", b"<html>"])
def test_an_answer_that_is_not_jupyters_is_refused(endpoint, certificate, handler, body):
    handler.said = body
    assert probe.token_reason(endpoint, Trust(certificate.sha256), "good", 5)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"days": (-3, -1)}, "certificate has expired"),
        ({"days": (1, 3)}, "certificate is not yet valid"),
        ({"name": "elsewhere.example"}, "not valid for 'localhost'"),
    ],
)
def test_a_certificate_that_a_browser_refuses_is_refused(tmp_path, handler, options, said):
    certificate = Certificate(tmp_path / "bad", **options)
    server = HTTPServer(("127.0.0.1", 0), handler)
    endpoint = Endpoint(port=server.server_address[1])
    with serving(server, certificate):
        with pytest.raises(NotebookError, match=said):
            probe.require_private(endpoint, Trust(certificate.sha256, certificate.crt), 5)
        probe.require_private(endpoint, Trust(certificate.sha256), 5)


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 OK\r\n\r\n", b"\x00" * 9])
def test_a_listener_without_tls_is_not_ours(answer):
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()

        def talk():
            connection = listener.accept()[0]
            with connection:
                connection.sendall(answer)

        thread = threading.Thread(target=talk)
        thread.start()
        with pytest.raises((NotebookError, OSError)):
            probe.require_private(Endpoint(port=listener.getsockname()[1]), Trust("x"), 5)
        thread.join()


@pytest.mark.parametrize("where", [Endpoint(path="/nonexistent/s"), Endpoint(port=1)])
def test_nobody_there_is_an_oserror_that_can_be_waited_on(where):
    with pytest.raises(OSError, match=r"No such file|refused"):
        probe.require_private(where, Trust("x"), 1)


def test_a_listener_that_says_nothing_does_not_hold_us_up():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with pytest.raises(TimeoutError):
            probe.require_private(Endpoint(port=listener.getsockname()[1]), Trust("x"), 0.2)


def test_the_fingerprint_is_written_as_browsers_show_it():
    assert probe.fingerprint(b"x") == ":".join(
        f"{byte:02X}" for byte in hashlib.sha256(b"x").digest()
    )


def test_the_process_behind_a_unix_socket_is_known(tmp_path):
    path = str(tmp_path / "s")
    assert probe.peer_pid(Endpoint(path=path)) is None
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        assert probe.peer_pid(Endpoint(path=path)) is None, "bound is not listening"
        listener.listen()
        assert probe.peer_pid(Endpoint(path=path)) == os.getpid()
    assert probe.peer_pid(Endpoint(path=path)) is None, "a stale socket has no process"


@pytest.mark.skipif(os.geteuid() != 0, reason="two users are needed")
def test_nothing_is_said_to_a_socket_of_somebody_else(tmp_path):
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        os.seteuid(65534)  # what the kernel notes is who listens
        try:
            listener.listen()
        finally:
            os.seteuid(0)
        with pytest.raises(ConnectionRefusedError, match="somebody else"):
            probe.require_private(Endpoint(path=path), Trust("x"), 1)
        assert probe.peer_pid(Endpoint(path=path)) is None
        with listener.accept()[0] as heard:
            assert heard.recv(1) == b""


def test_a_socket_that_was_removed_from_under_its_server_is_known(tmp_path):
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        assert probe.lost_socket(Endpoint(path=str(path))) is None
        path.unlink()
        assert probe.lost_socket(Endpoint(path=str(path))) == "its socket was removed"
        path.mkdir()
        assert "took the place" in probe.lost_socket(Endpoint(path=str(path)))
    assert probe.lost_socket(Endpoint(path=str(path))) is None, "nobody listens there"
    assert probe.lost_socket(Endpoint(port=1)) is None


def test_a_port_is_free_when_we_could_listen_there():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        listener.listen()
        assert probe.free_port_reason(port) == "Address already in use"
    assert probe.free_port_reason(port) is None

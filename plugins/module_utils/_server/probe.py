# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: ask a server over TLS, on its socket or port, who it is and whom it lets in."""

from __future__ import annotations

import http.client
import json
import os
import socket
import ssl
import stat
import struct
from dataclasses import dataclass

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import processes
from ansible_collections.hpcc.notebook.plugins.module_utils._server.certificates import fingerprint

NAME = "localhost"


@dataclass(frozen=True)
class Endpoint:
    """Where a server listens: the path of a Unix socket, or a TCP port of 127.0.0.1."""

    path: str = ""
    port: int = 0

    def __str__(self) -> str:
        return self.path or f"127.0.0.1:{self.port}"

    def connect(self, timeout: float) -> socket.socket:
        """Open a plain connection; OSError when nobody listens."""
        family = socket.AF_UNIX if self.path else socket.AF_INET
        connection = socket.socket(family, socket.SOCK_STREAM)
        connection.settimeout(timeout)
        try:
            connection.connect(self.path or ("127.0.0.1", self.port))
            if self.path and peer(connection)[1] != os.geteuid():
                raise ConnectionRefusedError("somebody else listens on this socket")
        except BaseException:
            connection.close()
            raise
        return connection


@dataclass(frozen=True)
class Trust:
    """Which certificate a server has to show before it is told a secret.

    The fingerprint is always compared. With `authority`, the path of a PEM file, the certificate
    must also stand up to everything that a browser checks: its dates, its name, its signature.
    """

    sha256: str
    authority: str = ""


@dataclass(frozen=True)
class Answer:
    """What a server said to one request."""

    status: int
    body: bytes


def require_certificate(endpoint: Endpoint, trust: Trust, timeout: float) -> None:
    """Prove that whoever listens holds our certificate; nothing is asked that a log would note."""
    connection = _Connection(endpoint, trust, timeout)
    try:
        connection.connect()
    finally:
        connection.close()


def require_private(endpoint: Endpoint, trust: Trust, timeout: float) -> None:
    """Prove that it is our server and that it refuses strangers; NotebookError if not.

    OSError means that nobody answers (yet).
    """
    anonymous = request(endpoint, trust, "GET", "/api/status", "", timeout)
    if anonymous.status != 403:
        what = f"a stranger was answered with {anonymous.status} instead of 403"
        raise NotebookError(what, str(endpoint), "Check the options of the profile.")


def token_reason(endpoint: Endpoint, trust: Trust, token: str, timeout: float) -> str | None:
    """Why the profile's token does not open the server, or None when it does."""
    known = request(endpoint, trust, "GET", "/api/status", token, timeout)
    if known.status == 200 and "kernels" in _json(known.body):
        return None
    return f"the profile's token was answered with {known.status} instead of 200"


def request(
    endpoint: Endpoint, trust: Trust, method: str, path: str, token: str, timeout: float
) -> Answer:
    """Send one request and read the whole answer."""
    connection = _Connection(endpoint, trust, timeout)
    try:
        # The token travels in a header: addresses end up in logs.
        headers = {"Authorization": f"token {token}"} if token else {}
        connection.request(method, path, headers=headers)
        response = connection.getresponse()
        return Answer(response.status, response.read())
    except http.client.RemoteDisconnected:
        raise  # an OSError like every other end of a connection
    except http.client.HTTPException as error:
        raise NotebookError("does not speak HTTP", str(endpoint)) from error
    finally:
        connection.close()


def peer_pid(endpoint: Endpoint) -> int | None:
    """The process that listens on a Unix socket, as the kernel knows it; None when nobody does."""
    try:
        with endpoint.connect(timeout=1) as connection:
            return peer(connection)[0]
    except OSError:
        return None


def peer(connection: socket.socket) -> tuple[int, int]:
    """Who is at the other end of a Unix socket, as the kernel knows it: pid and uid."""
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
    pid, uid, _gid = struct.unpack("3i", raw)
    return pid, uid


def lost_socket(endpoint: Endpoint) -> str | None:
    """Why nobody reaches a server any more that listens on a Unix socket; None when that is there.

    The kernel knows under which name it listens, even when that was removed or taken by another.
    """
    if not endpoint.path or endpoint.path not in processes.unix_listeners():
        return None
    try:
        found = os.lstat(endpoint.path)
    except OSError:
        return "its socket was removed"
    if stat.S_ISSOCK(found.st_mode) and found.st_uid == os.geteuid():
        return None
    return f"what belongs to uid {found.st_uid} took the place of its socket"


def free_port_reason(port: int) -> str | None:
    """Why a server could not listen on a port of 127.0.0.1, tried by listening there."""
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
            trial.listen(1)
        except OSError as error:
            return error.strerror or str(error)
    return None


class _Connection(http.client.HTTPConnection):
    """HTTP over TLS over whatever the endpoint is, to a server that has proven who it is."""

    def __init__(self, endpoint: Endpoint, trust: Trust, timeout: float) -> None:
        super().__init__(NAME, timeout=timeout)
        self._endpoint = endpoint
        self._trust = trust
        self._seconds = timeout

    def connect(self) -> None:
        plain = self._endpoint.connect(self._seconds)
        try:
            secured = _context(self._trust).wrap_socket(plain, server_hostname=NAME)
        except ssl.SSLError as error:
            plain.close()
            raise _not_ours(self._endpoint, _reason(error)) from error
        except BaseException:
            plain.close()
            raise
        self.sock = secured
        shown = fingerprint(secured.getpeercert(binary_form=True) or b"")
        if shown != self._trust.sha256:
            raise _not_ours(self._endpoint, f"its fingerprint is {shown}")


def _context(trust: Trust) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if trust.authority:
        context.load_verify_locations(trust.authority)
    else:
        # Not blind: the fingerprint is compared before the first byte of a request is sent.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _not_ours(endpoint: Endpoint, reason: str) -> NotebookError:
    what = f"the server does not show the profile's certificate ({reason})"
    return NotebookError(what, str(endpoint), "Find out who listens there before you go on.")


def _reason(error: ssl.SSLError) -> str:
    return getattr(error, "verify_message", "") or error.reason or str(error)


def _json(body: bytes) -> dict[str, object]:
    try:
        found = json.loads(body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: read the profile and say whether a server started with it would be a safe one.

Jupyter itself says "running at https://…" with an expired certificate, a key that does not belong
to it, or no password. So everything that has to be right is looked at before it is started.
"""

from __future__ import annotations

import json
import ssl

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import password
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.home import refuse_other_home
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.rules import RULES
from ansible_collections.hpcc.notebook.plugins.module_utils._server.certificates import (
    fingerprint,
    first_certificate,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._server.probe import NAME

_SETUP = "Run setup.yml."
TOKEN_CHARACTERS = 32  # hexadecimal ones: 128 bits
COOKIE_SECRET_BYTES = 32


def require_ready(layout: Layout) -> None:
    """Refuse a profile that a server cannot be started with safely."""
    for directory in (layout.directory, f"{layout.directory}/security"):
        reason = files.private_directory_reason(directory)
        if reason:
            raise NotebookError(f"the profile is not ready: {reason}", directory, _SETUP)
    _require_configuration(layout)
    require_root_directory(layout)
    _require_secret(layout.key)
    files.read(layout.certificate)  # refuses what OpenSSL would wait for, such as a FIFO
    _require_long(layout.token, TOKEN_CHARACTERS)
    if files.private_mode_reason(layout.cookie_secret) != "missing":  # Jupyter would make one
        _require_long(layout.cookie_secret, COOKIE_SECRET_BYTES)
    _require_handshake(layout)


def require_environment_kernels(layout: Layout) -> None:
    """A profile that an older version made shows no kernels of environments, without a word."""
    path = layout.at(profile.ENVIRONMENT_KERNELS)
    reason = files.private_mode_reason(path)
    if reason:
        raise NotebookError(f"cannot show the kernels of environments: {reason}", path, _SETUP)


def require_root_directory(layout: Layout) -> None:
    """Jupyter starts where nobody may list anything, and then says "Unhandled error"."""
    content = files.read(layout.at(profile.SERVER_CONFIG)) or b""
    root = profile.root_directory(content.decode("utf-8", "replace"))
    if root is None:
        return
    if files.directory_status(root) is None:
        todo = "Make it, or run setup.yml, which makes what nbserver_profile_root_dir names."
        raise NotebookError("the directory of the notebooks is gone", root, todo)
    files.require_readable_directory(root)


def certificate_sha256(layout: Layout) -> str:
    """The fingerprint of the profile's certificate; empty when there is none."""
    content = files.read(layout.certificate)
    if content is None:
        return ""
    try:
        return fingerprint(ssl.PEM_cert_to_DER_cert(first_certificate(content)))
    except ValueError as error:
        raise NotebookError("is not a PEM certificate", layout.certificate, _SETUP) from error


def token(layout: Layout) -> str:
    """The token that the server knows us by; empty when there is none."""
    return (files.read(layout.token) or b"").decode("ascii", "replace").strip()


def _require_configuration(layout: Layout) -> None:
    """Both files must parse, and the one that Jupyter lets win must hold a password."""
    names = (profile.SERVER_CONFIG, profile.PASSWORD_FILE)
    python, data = (f"{layout.directory}/{name}" for name in names)
    _require_whole(python)
    refuse_other_home(python, files.read(python) or b"")
    try:
        found = json.loads(_require_secret(data).decode())
    except (ValueError, RecursionError) as error:
        raise NotebookError(f"is damaged: {error}", data, _SETUP) from error
    stored = password.stored_hash(found)
    if not stored:
        raise NotebookError("holds no password", data, _SETUP)
    reason = RULES["password_hash"](stored)
    if reason:
        raise NotebookError(f"the stored hash {reason}", data, _SETUP)


def _require_whole(path: str) -> None:
    """A file that parses may still be cut off, at the end of a line."""
    content = _require_secret(path)
    try:
        compile(content, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise NotebookError(f"is damaged: {error}", path, _SETUP) from error
    if profile.is_ours(content) and not content.endswith(f"{profile.END}\n".encode()):
        raise NotebookError("is damaged: its end is missing", path, _SETUP)


def _require_long(path: str, length: int) -> None:
    """A secret that is cut off can be guessed."""
    found = len(_require_secret(path))
    if found < length:
        what = f"is cut off: {found} bytes of at least {length}"
        raise NotebookError(what, path, _SETUP)


def _require_secret(path: str) -> bytes:
    """Read a file that only we may read, and that must be there."""
    content = files.read(path)
    if not content:
        raise NotebookError("is missing or empty", path, _SETUP)
    reason = files.private_mode_reason(path)
    if reason:
        raise NotebookError(f"others may have read it ({reason})", path, _SETUP)
    return content


def _require_handshake(layout: Layout) -> None:
    """Play browser and server in memory: dates, name, strength and key are all checked so."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.set_ciphers("DEFAULT@SECLEVEL=2")  # what browsers demand: 112 bits, RSA of 2048
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        # The password keeps OpenSSL from asking for one on the terminal.
        server.load_cert_chain(layout.certificate, layout.key, password="")
        client.load_verify_locations(layout.certificate)
        _shake_hands(client, server)
    except ssl.SSLError as error:
        reason = getattr(error, "verify_message", "") or error.reason or "not PEM"
        what = f"no browser would accept it: {reason.lower().replace('_', ' ')}"
        raise NotebookError(what, layout.certificate, _SETUP) from error
    except OSError as error:
        raise NotebookError(f"{error.strerror}", layout.certificate, _SETUP) from error


def _shake_hands(client: ssl.SSLContext, server: ssl.SSLContext) -> None:
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=NAME),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    while ends:
        ends = [end for end in ends if not _finished(end)]


def _finished(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True

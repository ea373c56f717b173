# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the installation's own Python can see of itself, the profile and the server.

A program for the node, sent by plugin_utils/_node/sent_program.py. Its side effects: it looks, and
prints name=value lines, without any secret. Its arguments: directory, record, server, port, names.
"""

from __future__ import annotations

import _ssl
import json
import os
import platform
import ssl
import stat
import sys
from importlib import metadata
from pathlib import Path

from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import generations, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout, password
from ansible_collections.hpcc.notebook.plugins.module_utils._server import record as records
from ansible_collections.hpcc.notebook.plugins.module_utils._server.certificates import (
    fingerprint,
    first_certificate,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.probe import (
    Endpoint,
    lost_socket,
)


def emit(name: str, value: object) -> None:
    sys.stdout.write(f"{name}={' '.join(str(value).split())}\n")


def read(path: Path) -> bytes:
    """A regular file: whoever opens a FIFO waits for ever."""
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK), "rb") as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise OSError(f"{path} is not a regular file")
        return file.read()


def packages(names: list[str]) -> None:
    emit("python", platform.python_version())
    for name in names:
        try:
            emit("package", f"{name} {metadata.version(name)}")
        except metadata.PackageNotFoundError:
            continue


def configuration(directory: Path) -> None:
    """Both files, read as Jupyter would; of the hash, only what it costs is told."""
    try:
        source = read(directory / layout.SERVER_CONFIG)
        compile(source, layout.SERVER_CONFIG, "exec")
        data = json.loads(read(directory / layout.PASSWORD_FILE))
        emit("config", "ok")
        root_directory(source.decode("utf-8", "replace"))
    except (OSError, SyntaxError, ValueError) as error:
        emit("config", f"cannot be read: {error}")
        return
    stored = password.stored_hash(data)
    try:
        cost = password.parse(stored).cost
        emit("password", f"argon2id m={cost.memory} t={cost.passes} p={cost.lanes}")
    except NotebookError:
        emit("password", stored.split(":", maxsplit=1)[0] if stored else "none")


def root_directory(config: str) -> None:
    """Whether the directory that Jupyter shows first can be listed."""
    path = layout.root_directory(config)
    if path:
        listed = os.access(path, os.R_OK | os.X_OK)
        emit("root_dir", path)
        emit("root_dir_state", "ok" if listed else "closed" if Path(path).exists() else "gone")


def certificate(directory: Path) -> None:
    """Its end, its fingerprint, and whether the key belongs to it."""
    path, key = (directory / "security" / f"notebook.{end}" for end in ("crt", "key"))
    try:
        read(key)
        der = ssl.PEM_cert_to_DER_cert(first_certificate(read(path)))
        # The ssl module has no public reader.
        decoded = _ssl._test_decode_cert(str(path))  # type: ignore[attr-defined]
        end = ssl.cert_time_to_seconds(decoded["notAfter"])
    except (OSError, ValueError, KeyError) as error:  # ssl.SSLError is an OSError
        emit("certificate_error", getattr(error, "reason", "") or error)
        return
    emit("certificate_until", int(end))
    emit("certificate_sha256", fingerprint(der))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key, password="")
        emit("key", "ok")
    except OSError as error:
        emit("key", getattr(error, "reason", "") or error)


def server(path: Path, living: str) -> None:
    """What the record of this node says, whether it still holds, and what is shown."""
    if path.is_file():
        recorded(path, living)
    elif living:
        emit("server", "unrecorded")
        emit("server_pid", living)
    else:
        emit("server", "none")


def recorded(path: Path, living: str) -> None:
    try:
        record = records.parse(read(path), str(path))
    except (OSError, NotebookError):
        emit("server", "damaged record")
        emit("server_record", path)
        return
    emit("server_since", record.since)
    emit("server_version", record.version)
    emit("transport", record.transport)
    same_boot = record.boot_id == processes.boot_id()
    if same_boot and processes.start_time(record.pid) == record.start_time:
        emit("server", "running")
        emit("newer", generations.superseded(f"{record.prefix}/bin/python", sys.executable))
        shown(record)
    elif living:
        emit("server", "unrecorded")
        emit("server_pid", living)
    else:
        emit("server", "gone" if same_boot else "rebooted")


def shown(record: records.Record) -> None:
    over_tcp = record.transport == "tcp"
    endpoint = Endpoint(port=record.port) if over_tcp else Endpoint(path=record.socket)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is told nothing
    try:
        plain = endpoint.connect(timeout=2)  # a socket of somebody else is not spoken to
        with plain, context.wrap_socket(plain, server_hostname="localhost") as secured:
            emit("served_sha256", fingerprint(secured.getpeercert(binary_form=True) or b""))
    except OSError as error:
        emit("served_error", error)
        emit("served_lost", lost_socket(endpoint) or "")


def port(number: int) -> None:
    """Who holds the port of the node that would be used over TCP: a uid, or nobody."""
    emit("node_port", number)
    holder = processes.tcp_listener_uid(number)
    emit("node_port_holder", "free" if holder is None else holder)


def main() -> None:
    directory, record, living, number, *names = sys.argv[1:]
    packages(names)
    configuration(Path(directory))
    certificate(Path(directory))
    server(Path(record), living)
    port(int(number))

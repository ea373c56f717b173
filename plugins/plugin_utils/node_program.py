# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What only the installation's own Python can see of itself, the profile and the server.

Runs on the node, alone: python -I -c PROGRAM directory record server port names. Prints name=value
lines; no secret is among them.
"""

from __future__ import annotations

import _ssl
import ast
import hashlib
import json
import os
import platform
import re
import socket
import ssl
import stat
import sys
from importlib import metadata
from pathlib import Path


def emit(name: str, value: object) -> None:
    print(f"{name}={' '.join(str(value).split())}")


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
        source = read(directory / "jupyter_server_config.py")
        compile(source, "jupyter_server_config.py", "exec")
        data = json.loads(read(directory / "jupyter_server_config.json"))
        emit("config", "ok")
        root_directory(source.decode("utf-8", "replace"))
    except (OSError, SyntaxError, ValueError) as error:
        emit("config", f"cannot be read: {error}")
        return
    sections = (data.get(name, {}) for name in ("PasswordIdentityProvider", "IdentityProvider"))
    stored = next((s["hashed_password"] for s in sections if s.get("hashed_password")), "")
    parts = stored.split("$")
    if stored.startswith("argon2:$argon2id$") and len(parts) > 3:
        emit("password", " ".join(["argon2id", *parts[3].split(",")]))
    else:
        emit("password", stored.split(":")[0] if stored else "none")


def root_directory(config: str) -> None:
    """Whether the directory that Jupyter shows first can be listed."""
    found = re.search(r"^c\.ServerApp\.root_dir = (['\"].*)$", config, re.MULTILINE)
    if found:
        path = str(ast.literal_eval(found[1]))
        listed = os.access(path, os.R_OK | os.X_OK)
        emit("root_dir", path)
        emit("root_dir_state", "ok" if listed else "closed" if Path(path).exists() else "gone")


def certificate(directory: Path) -> None:
    """Its end, its fingerprint, and whether the key belongs to it."""
    path, key = (directory / "security" / f"notebook.{end}" for end in ("crt", "key"))
    try:
        read(key)
        body = read(path).decode().partition("-----END CERTIFICATE-----")[0]
        der = ssl.PEM_cert_to_DER_cert(f"{body}-----END CERTIFICATE-----\n")
        # The ssl module has no public reader.
        decoded = _ssl._test_decode_cert(str(path))  # type: ignore[attr-defined]
        end = ssl.cert_time_to_seconds(decoded["notAfter"])
    except (OSError, ValueError, KeyError) as error:  # ssl.SSLError is an OSError
        emit("certificate_error", getattr(error, "reason", "") or error)
        return
    emit("certificate_until", int(end))
    emit("certificate_sha256", sha256(der))
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key, password="")
        emit("key", "ok")
    except OSError as error:
        emit("key", getattr(error, "reason", "") or error)


def sha256(der: bytes) -> str:
    digest = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, 64, 2))


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
        record = json.loads(read(path))
        since, pid = str(record["since"]), int(record["pid"])
    except (OSError, ValueError, KeyError, TypeError):
        emit("server", "damaged record")
        emit("server_record", path)
        return
    emit("server_since", since)
    emit("server_version", record.get("version", ""))
    emit("transport", record.get("transport", ""))
    boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    if started(pid) and started(pid) == record.get("start_time") and record.get("boot_id") == boot:
        emit("server", "running")
        shown(record)
    elif living:
        emit("server", "unrecorded")
        emit("server_pid", living)
    else:
        emit("server", "gone" if record.get("boot_id") == boot else "rebooted")


def started(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])
    except (OSError, IndexError, ValueError):
        return 0


def shown(record: dict[str, object]) -> None:
    over_tcp = record.get("transport") == "tcp"
    address = ("127.0.0.1", record["port"]) if over_tcp else str(record.get("socket", ""))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is told nothing
    try:
        with socket.socket(socket.AF_INET if over_tcp else socket.AF_UNIX) as plain:
            plain.settimeout(2)
            plain.connect(address)
            with context.wrap_socket(plain, server_hostname="localhost") as secured:
                emit("served_sha256", sha256(secured.getpeercert(binary_form=True) or b""))
    except OSError as error:
        emit("served_error", error)


def port(number: int) -> None:
    """Who holds the port of the node that would be used over TCP: a uid, or nobody."""
    emit("node_port", number)
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:] if Path(table).exists() else []:
            field = line.split()
            if field[3] == "0A" and int(field[1].rpartition(":")[2], 16) == number:
                emit("node_port_holder", field[7])
                return
    emit("node_port_holder", "free")


def main() -> None:
    directory, record, living, number, *names = sys.argv[1:]
    packages(names)
    configuration(Path(directory))
    certificate(Path(directory))
    server(Path(record), living)
    port(int(number))


if __name__ == "__main__":
    main()

"""What a hostile user runs: hold a port or a socket first, look like a notebook server, listen.

imposter.py KIND WHERE: prints "ready", serves until its input ends, prints what it was told.
Runs with any Python 3 of the cluster.
"""

import contextlib
import json
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

ADDRESSES = {
    "IPv4": [(socket.AF_INET, "127.0.0.1", False)],
    "IPv6": [(socket.AF_INET6, "::1", True)],
    "both": [(socket.AF_INET, "127.0.0.1", False), (socket.AF_INET6, "::1", True)],
    "every IPv4 address": [(socket.AF_INET, "0.0.0.0", False)],
    "every IPv6 address": [(socket.AF_INET6, "::", True)],
    "every address": [(socket.AF_INET6, "::", False)],
    "bound, not listening": [(socket.AF_INET, "127.0.0.1", False)],
}


def certificate(directory):
    """A certificate that looks like ours to anybody who does not compare its fingerprint."""
    key, crt = (f"{directory}/{name}" for name in ("key", "crt"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
         "-nodes", "-days", "300", "-subj", "/CN=notebook server of profile nbserver",
         "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", key, "-out", crt],
        check=True, capture_output=True,
    )  # fmt: skip
    return key, crt


def bound(kind, where):
    """The sockets that are held."""
    if kind == "socket":
        held = socket.socket(socket.AF_UNIX)
        held.bind(where)
        Path(where).chmod(0o777)
        return [held]
    sockets = []
    for family, address, only in ADDRESSES[kind]:
        held = socket.socket(family)
        held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with contextlib.suppress(OSError):
            held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        if family == socket.AF_INET6:
            held.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, only)
        held.bind((address, int(where)))
        sockets.append(held)
    return sockets


def serve(held, context, told):
    """Show the certificate to everybody and keep what is said afterwards."""
    held.listen(16)
    while True:
        connection, _address = held.accept()
        connection.settimeout(3)
        with contextlib.suppress(OSError, ssl.SSLError):
            told.append("")
            secured = context.wrap_socket(connection, server_side=True)
            told[-1] = secured.recv(65536).decode("latin-1")
            secured.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhijack")


def main():
    kind, where = sys.argv[1:]
    told = []
    with tempfile.TemporaryDirectory() as directory:
        key, crt = certificate(directory)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(crt, key)
    for held in bound(kind, where):
        if kind != "bound, not listening":
            threading.Thread(target=serve, args=(held, context, told), daemon=True).start()
    print("ready", flush=True)
    sys.stdin.read()
    print(json.dumps(told), flush=True)


main()

"""What the tests of the installation use in place of a real distribution and its servers.

An installer that keeps the contract of conda's (`-b -p PREFIX`, refuses a name without .sh and an
existing prefix) and leaves a real Python behind; wheels for it; an HTTPS server of its own.
"""

from __future__ import annotations

import datetime
import functools
import hashlib
import http.server
import ipaddress
import ssl
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pip
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

INSTALLER = """\
#!/bin/sh
case $0 in *.sh) ;; *) echo "my name does not end in .sh" >&2; exit 1 ;; esac
batch= prefix=
while getopts bp: option; do
  case $option in b) batch=yes ;; p) prefix=$OPTARG ;; *) exit 1 ;; esac
done
[ -n "$batch" ] || { echo "not in batch mode" >&2; exit 2; }
[ ! -e "$prefix" ] || { echo "File or directory already exists: $prefix" >&2; exit 1; }
echo "PREFIX=$prefix HOME=$HOME TMPDIR=$TMPDIR PYTHONPATH=${PYTHONPATH-unset}"
@SLEEP@
@PYTHON@ -m venv --without-pip "$prefix" || exit 1
for part in @PIP@/pip @PIP@/pip-*.dist-info; do
  ln -s "$part" "$prefix"/lib/python3*/site-packages/ || exit 1
done
cat >"$prefix/pip.conf" <<CONF
[global]
cert = @CERTIFICATE@
extra-index-url =
find-links =
CONF
mkdir "$prefix/conda-meta"
{ echo "#!$prefix/bin/python"; cat <<'CONDA'
@CONDA@
CONDA
} >"$prefix/bin/conda"
chmod +x "$prefix/bin/conda"
mkdir -p "$prefix/etc/profile.d"
echo "export CONDA_EXE='$prefix/bin/conda'" >"$prefix/etc/profile.d/conda.sh"
@END@
"""

CONDA = Path(__file__).parents[1] / "cluster/installer/conda.py"


def installer(
    certificate: Path, *, sleep: float = 0, until: Path | None = None, end: str = "exit 0"
) -> bytes:
    """The program; `end` are its last lines; `until` is a file that it waits for."""
    text = INSTALLER.replace("@CONDA@", CONDA.read_text(encoding="utf-8"))
    text = text.replace("@PYTHON@", sys.executable).replace("@END@", end)
    text = text.replace("@PIP@", str(Path(pip.__file__).parents[1]))
    wait = f"while [ ! -e '{until}' ]; do sleep 0.1; done" if until else f"sleep {sleep}"
    text = text.replace("@SLEEP@", wait if until or sleep else ":")
    return text.replace("@CERTIFICATE@", str(certificate)).encode()


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def wheel(
    directory: Path, name: str, version: str, code: str = "", requires: str = "", also: str = ""
) -> None:
    """A wheel of one module, in a simple index; `also` is a file that only its record names."""
    needs = f"Requires-Dist: {requires}\n" if requires else ""
    more = f"{also},,\n" if also else ""
    place = directory / "simple" / name
    place.mkdir(parents=True, exist_ok=True)
    info = f"{name}-{version}.dist-info"
    with zipfile.ZipFile(place / f"{name}-{version}-py3-none-any.whl", "w") as file:
        file.writestr(f"{name}.py", code)
        file.writestr(
            f"{info}/METADATA",
            f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{needs}",
        )
        file.writestr(
            f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        file.writestr(
            f"{info}/RECORD",
            f"{more}{name}.py,,{len(code)}\n{info}/METADATA,,\n{info}/WHEEL,,\n{info}/RECORD,,\n",
        )


@dataclass
class Mirror:
    """A server, what it was asked for, and what it does instead of answering with the file."""

    url: str
    root: Path
    certificate: Path
    requests: list[str] = field(default_factory=list)
    instead: Callable[[http.server.BaseHTTPRequestHandler, bytes], None] | None = None

    def publish(self, name: str, content: bytes) -> dict[str, str]:
        """Give the options that name what was published."""
        (self.root / name).write_bytes(content)
        return {"url": f"{self.url}/{name}", "sha256": sha256(content)}


class _Handler(http.server.SimpleHTTPRequestHandler):
    mirror: Mirror

    def do_GET(self) -> None:
        self.mirror.requests.append(f"{self.path} {self.headers.get('Range', '')}".strip())
        path = self.mirror.root / self.path.lstrip("/")
        if not path.is_file() or self.path.endswith(".whl"):
            super().do_GET()
            return
        content = path.read_bytes()
        if self.mirror.instead:
            self.mirror.instead(self, content)
        else:
            answer(self, content)

    def log_message(self, *_parts: object) -> None:
        """Tests read the list of requests."""


def answer(
    handler: http.server.BaseHTTPRequestHandler, content: bytes, length: int | None = None
) -> None:
    """A good answer, also to a request for the rest; length may promise more than there is."""
    begin = int(handler.headers.get("Range", "bytes=0-").split("=")[1].split("-")[0])
    whole = len(content) if length is None else length
    if begin >= whole > 0:
        handler.send_error(416)
        return
    handler.send_response(206 if begin else 200)
    if begin:
        handler.send_header("Content-Range", f"bytes {begin}-{whole - 1}/{whole}")
    handler.send_header("Content-Length", str(whole - begin))
    handler.end_headers()
    handler.wfile.write(content[begin:])
    handler.wfile.flush()
    handler.close_connection = True


def slowly(seconds: float) -> Callable[[http.server.BaseHTTPRequestHandler, bytes], None]:
    def instead(handler: http.server.BaseHTTPRequestHandler, content: bytes) -> None:
        time.sleep(seconds)
        answer(handler, content)

    return instead


def self_signed(directory: Path, address: str, days: int) -> tuple[Path, Path]:
    """Certificate and key; it has expired when there are fewer than no days."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, address)])
    now = datetime.datetime.now(datetime.UTC)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))])
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - datetime.timedelta(days=9))
    builder = builder.not_valid_after(now + datetime.timedelta(days=days))
    built = builder.add_extension(names, critical=False).sign(key, hashes.SHA256())
    files = directory / "server.crt", directory / "server.key"
    files[0].write_bytes(built.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return files


@contextmanager
def mirror(directory: Path, address: str = "127.0.0.1", days: int = 2) -> Iterator[Mirror]:
    """An HTTPS server on 127.0.0.1 that serves a directory, with a certificate of its own."""
    root = directory / "served"
    root.mkdir()
    certificate, key = self_signed(directory, address, days)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    handler = type("Handler", (_Handler,), {})
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(handler, directory=str(root))
    )
    server.socket = context.wrap_socket(server.socket, server_side=True)
    handler.mirror = Mirror(f"https://127.0.0.1:{server.server_port}", root, certificate)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield handler.mirror
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

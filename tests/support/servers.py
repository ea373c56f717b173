"""An account on this machine, with a profile, in which real servers are started and ended.

Jupyter refuses to run as root. Where the tests are root, the account is one of a made-up user,
with a Python that everybody may execute.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1
from cryptography.hazmat.primitives.asymmetric.ec import generate_private_key as make_ec
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as make_rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from modules import ModuleFailed
from warm_modules import Warm

SUPPORT = Path(__file__).parent
COLLECTIONS = SUPPORT.parents[1] / "playbooks" / "collections"
TOKEN = "canary-token-5e1f0c7d2b9a4c6801f3"
PASSWORD = "a long enough passphrase"
RUNNER = f"""
import json, sys
sys.path[:0] = [{str(SUPPORT)!r}, {str(COLLECTIONS)!r}]
from modules import ModuleFailed, run_module
import importlib
asked = json.load(sys.stdin)
name = asked.pop("module")
module = importlib.import_module("ansible_collections.hpcc.notebook.plugins.modules." + name)
try:
    answer = run_module(module, **asked)
except ModuleFailed as failed:
    answer = failed.result
print(json.dumps(answer))
"""


@dataclass
class Account:
    """A home directory, who it belongs to, and what has to be ended at the end."""

    home: Path
    uid: int
    python: str
    profile: str = field(default_factory=lambda: f"t{secrets.token_hex(3)}")
    collections: Path = COLLECTIONS
    warm: Warm | None = None

    @property
    def directory(self) -> Path:
        return self.home / ".ipython" / f"profile_{self.profile}"

    @property
    def security(self) -> Path:
        return self.directory / "security"

    @property
    def local(self) -> Path:
        return Path(f"/tmp/{self.profile}-{self.uid}")

    def others(self) -> list[Path]:
        """The node-local directories that are used when the usual one cannot be."""
        return [path for path in Path("/tmp").glob("nb-*") if path.lstat().st_uid == self.uid]

    @property
    def record(self) -> Path:
        return next((self.directory / "run").glob("*.json"))

    @property
    def log(self) -> str:
        return next((self.directory / "log").glob("*/server.log")).read_text()

    def environment(self) -> dict[str, str]:
        return {"HOME": str(self.home), "PATH": os.environ["PATH"]}

    def command(self, *argv: str, **environment: str) -> list[str]:
        """A command line that runs as this account, with nothing of our environment."""
        become = ["setpriv", f"--reuid={self.uid}", f"--regid={self.uid}", "--clear-groups"]
        clean = {**self.environment(), **environment}
        assignments = [f"{name}={value}" for name, value in clean.items()]
        return [*(become if os.geteuid() == 0 else []), "env", "-i", *assignments, *argv]

    def run(self, *argv: str, stdin: str = "") -> str:
        return subprocess.run(
            self.command(*argv), input=stdin, capture_output=True, text=True, check=True, cwd="/"
        ).stdout

    def server(self, *, module: str = "notebook_server", **params: Any) -> dict[str, Any]:
        """Run the module as this account; ModuleFailed when it fails."""
        # Not where a test changes how programs begin, or what they are.
        usual = "command" not in vars(self) and self.collections == COLLECTIONS
        if self.warm is None or not usual:
            return self.finish(self.begin(module=module, **params))
        asked = {"module": module, "profile": self.profile, **params}
        return self._result(self.warm.run(self.uid, self.environment(), asked))

    def info(self) -> dict[str, Any]:
        """What the other module finds; the first server is the one of this host."""
        return self.server(module="notebook_server_info")

    def begin(
        self,
        *,
        module: str = "notebook_server",
        check: bool = False,
        environment: Any = (),
        **params: Any,
    ) -> Any:
        """Start a run of the module without waiting for its end."""
        asked = {"module": module, "profile": self.profile, "check": check, **params}
        runner = RUNNER.replace(str(COLLECTIONS), str(self.collections))
        process = subprocess.Popen(
            self.command(self.python, "-c", runner, **dict(environment)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
        )
        process.stdin.write(json.dumps(asked))
        process.stdin.close()
        process.stdin = None
        return process

    def finish(self, process: Any) -> dict[str, Any]:
        """Wait for a run of the module."""
        return self._result(process.communicate(timeout=100)[0])

    def _result(self, printed: str) -> dict[str, Any]:
        result: dict[str, Any] = json.loads(printed.strip().splitlines()[-1])
        if result.get("failed"):
            raise ModuleFailed(result)
        return result

    def curl(self, path: str, *options: str) -> str:
        """Ask the server over its socket, with somebody else's program."""
        return self.run(
            *(
                "curl",
                "-sS",
                "--max-time",
                "10",
                "--unix-socket",
                str(self.local / "notebook.sock"),
            ),
            *(
                "--cacert",
                str(self.security / "notebook.crt"),
                *options,
                f"https://localhost{path}",
            ),
        )

    def tree(self) -> dict[str, tuple[int, bytes]]:
        """Everything that lies on disk for this account: path → mode and content."""
        found = {}
        for top in (self.home, self.local):
            for path in [top, *top.rglob("*")] if top.exists() else []:
                content = path.read_bytes() if path.is_file() else b""
                found[str(path)] = (path.lstat().st_mode, content)
        return found

    def processes(self) -> list[int]:
        """Every living process of this profile: what must be none in the end."""
        marks = (str(self.home), f"{self.local}/")
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                argv = (entry / "cmdline").read_text()
                ours = entry.stat().st_uid == self.uid and any(mark in argv for mark in marks)
            except OSError:
                continue
            if ours and int(entry.name) != os.getpid():
                found.append(int(entry.name))
        return found

    def write(self, path: Path, content: str | bytes, mode: int = 0o600) -> None:
        """A file of this account."""
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        path.chmod(mode)
        os.chown(path, self.uid, -1)

    def make_profile(self) -> None:
        """What setup leaves behind, written with other people's tools."""
        for directory in (self.home / ".ipython", self.directory, self.security):
            directory.mkdir(mode=0o700)
            os.chown(directory, self.uid, -1)
        self.make_certificate()
        self.write(self.security / "token", TOKEN)
        self.write(self.directory / "jupyter_server_config.py", "c = get_config()\n")
        self.write(
            self.directory / "jupyter_server_config.json",
            json.dumps({"PasswordIdentityProvider": {"hashed_password": _hash()}}),
        )

    def make_certificate(
        self, *, rsa: int = 0, days: tuple[int, int] = (0, 30), name: str = "localhost"
    ) -> None:
        """A self-signed certificate for the days from … to, counted from now, and its key."""
        key = make_rsa(65537, rsa) if rsa else make_ec(SECP256R1())
        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        begin, end = (datetime.now(UTC) + timedelta(days=day, seconds=-9) for day in days)
        builder = x509.CertificateBuilder(subject, subject, key.public_key(), 1, begin, end)
        names = x509.SubjectAlternativeName([x509.DNSName(name)])
        certificate = builder.add_extension(names, critical=False).sign(key, SHA256())
        form = (PrivateFormat.PKCS8, NoEncryption())
        self.write(self.security / "notebook.crt", certificate.public_bytes(Encoding.PEM))
        self.write(self.security / "notebook.key", key.private_bytes(Encoding.PEM, *form))

    def ends_within(self, seconds: float) -> bool:
        """Wait until no process of the account is left."""
        deadline = time.monotonic() + seconds
        while self.processes() and time.monotonic() < deadline:
            time.sleep(0.05)
        return self.processes() == []

    def clean_up(self) -> None:
        """End what is left by pid, and remove everything."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in self.processes():
                try:
                    os.kill(pid, number)
                except ProcessLookupError:
                    continue
            self.ends_within(5)
        for directory in (self.home, self.local, *self.others()):
            shutil.rmtree(directory, ignore_errors=True)


def refusal(account: Account, **params: Any) -> str:
    """The message with which the module fails; nothing may run after that."""
    with pytest.raises(ModuleFailed) as failed:
        account.server(**params)
    message = str(failed.value)
    assert "Traceback" not in message
    assert "\n" not in message
    assert TOKEN not in message
    assert account.processes() == []
    return message


def new_account(python: str, warm: Warm | None = None) -> Account:
    """A fresh home under a short path: sockets lie below it."""
    root = os.geteuid() == 0
    uid = 60000 + secrets.randbelow(4000) if root else os.geteuid()
    account = Account(Path(tempfile.mkdtemp(prefix="h", dir="/tmp")), uid, python, warm=warm)
    os.chown(account.home, uid, -1)
    account.make_profile()
    return account


@contextmanager
def python_for_everybody() -> Iterator[str]:
    """A Python with our packages that an ordinary user may run, for a while."""
    # Not below pytest's own directory, which is for one user only.
    with tempfile.TemporaryDirectory(prefix="python", dir="/tmp") as directory:
        Path(directory).chmod(0o755)
        yield _environment(Path(directory) / "v")


def _environment(directory: Path) -> str:
    if os.geteuid() != 0:
        return sys.executable
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    system = Path("/usr/bin") / version
    if not system.exists():
        pytest.skip(f"root, and no /usr/bin/{version} that another user could run")
    subprocess.run([system, "-m", "venv", "--without-pip", directory], check=True)
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    own = directory / "lib" / version / "site-packages"
    (own / "ours.pth").write_text(f"{packages}\n")
    # It parses a grammar when it is imported: half the start of a server, for a check of one kind
    # of address. Whoever asks for it does without where it is not installed.
    (own / "rfc3987_syntax.py").write_text("raise ImportError\n")
    return str(directory / "bin" / "python")


def _hash() -> str:
    from jupyter_server.auth import passwd

    hashed: str = passwd(PASSWORD)
    return hashed

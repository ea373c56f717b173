"""An account whose installation has two generations, made of real Pythons, for servers to run from.

What differs between them shows where an import came from: each has a module of the same name.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import servers
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from servers import Account

OLD, NEW = "test-1.0-0123456789ab", "test-1.1-ba9876543210"
KNOWN = ("-H", f"Authorization: token {servers.TOKEN}")
ASK = """
import sys
from jupyter_client import BlockingKernelClient
client = BlockingKernelClient(connection_file=sys.argv[1])
client.load_connection_file()
client.start_channels(hb=False)  # a node that is busy would be taken for a dead kernel
client.wait_for_ready(timeout=60)
said = client.execute("", user_expressions={"it": sys.argv[2]}, reply=True, timeout=60)
found = said["content"]["user_expressions"]["it"]
print(found["data"]["text/plain"] if "data" in found else found)
"""


class Installation:
    """`~/anaconda` of an account, with what an upgrade and a rollback do to the link."""

    def __init__(self, owner: Account) -> None:
        self.owner, self._python = owner, owner.python
        self.link, self.store = owner.home / "anaconda", owner.home / "anaconda.d"
        self.store.mkdir()
        (self.store / ".hpcc-notebook-store").symlink_to("schema=1 id=0")
        for name in (OLD, NEW):
            self._make(name)
        self.flip(OLD)
        owner.python, owner.warm = f"{self.link}/bin/python", None
        self._set_up()

    def _make(self, name: str) -> None:
        path = self.store / name
        base = os.path.realpath(self._python)
        subprocess.run([base, "-m", "venv", "--without-pip", path], check=True)
        (packages,) = path.glob("lib/python3*/site-packages")
        for each in Path(self._python).parents[1].glob("lib/python3*/site-packages/*"):
            (packages / each.name).symlink_to(each)
        (packages / "imported_late.py").write_text(f"GENERATION = {name!r}\n")

    def _set_up(self) -> None:
        (self.owner.directory / profile.SERVER_CONFIG).unlink()
        for each in (self.owner.home, *self.owner.home.rglob("*")):
            os.chown(each, self.owner.uid, -1, follow_symlinks=False)
        self.run("ipython_profile", name=self.owner.profile)
        self.owner.write(self.owner.security / "token", servers.TOKEN)

    def run(self, module: str, **params: object) -> None:
        asked = {"module": module, "check": False, **params}
        said = self.owner.run(self.owner.python, "-c", servers.RUNNER, stdin=json.dumps(asked))
        assert not json.loads(said.splitlines()[-1]).get("failed"), said

    def flip(self, name: str) -> None:
        """As the worker does it: one rename."""
        new = self.store / "link"
        new.symlink_to(f"{self.store.name}/{name}")
        new.replace(self.link)

    def generation(self, name: str) -> str:
        return str(self.store / name)

    def kernel(self, name: str = "python3") -> str:
        """Start one by the server; the connection file."""
        made = json.loads(self.owner.curl("/api/kernels", *KNOWN, "-d", json.dumps({"name": name})))
        return str(self.owner.local / "runtime" / f"kernel-{made['id']}.json")

    def computed(self, kernel: str, expression: str) -> str:
        """What a kernel says that an expression is."""
        return self.owner.run(self._python, "-c", ASK, kernel, expression).strip().strip("'")

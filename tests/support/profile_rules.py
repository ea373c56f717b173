"""What may happen to a profile: runs of its modules with any values, kills and damage.

Options are judged by the real classes of Jupyter in this process; the one thing that a model stands
for is the start of a kernel, which takes a second.
"""

from __future__ import annotations

import importlib
import json
import os
from pathlib import Path
from typing import Any

from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    layout,
    option_trial,
    proof,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server import readiness
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Layout
from ansible_collections.hpcc.notebook.plugins.modules import (
    ipython_profile,
    notebook_certificate,
    notebook_password,
)
from hypothesis import strategies as st
from hypothesis.stateful import initialize, rule
from modules import ModuleFailed, run_module

HASH = (
    "argon2:$argon2id$v=19$m=65536,t=3,p=4$c29tZXNhbHRzb21l$"
    "RdescudvJCsgt3ub+b27/kYYnfkQ5mFC0/4Kgk2d0nM"
)
# At most one is wrong at a time, or hardly a run would get as far as to make something.
GIVEN = st.sampled_from(
    [
        {},
        {"debugger": True},
        {"options": {"MappingKernelManager.cull_idle_timeout": 86400}},
        {"root_dir": "~/notebooks"},
        {"options": {"ServerApp.max_body_size": "abc"}},
        {"options": {"ServerApp.no_such_trait": 1}},
        {"options": {"ServerApp.base_url": "/x"}},
        {"options": {"ServerApp.token": ""}},
        {"python": "/no/such/python"},
        {"python": "relative/python"},
        {"root_dir": "relative"},
        {"root_dir": "/proc/none"},
    ]
)
# A damaged password file may hold what a person wrote, so that is refused and kept, not mended.
NAMES = st.sampled_from([name for name in layout.FILES if name != layout.PASSWORD_FILE])
DAMAGES = st.sampled_from(["gone", "empty", "open", "cut"])


GOOD: list[tuple[Any, dict[str, str]]] = [
    (ipython_profile, {}),
    (notebook_certificate, {}),
    (notebook_password, {"password_hash": HASH}),
]


class Killed(BaseException):
    """The run ends where it is."""


class ProfileRules:
    """One account's profile; `home` and `said` are those of the whole sequence."""

    home: Path
    said: list[str]

    def prepare_profile(self) -> None:
        self.before = {"HOME": os.environ.get("HOME", ""), "answer": proof._answer}
        os.environ["HOME"] = str(self.home)
        proof._answer = self.answer
        importlib.import_module("jupyter_server.serverapp")

    @staticmethod
    def answer(copy: Any, program: Any, _words: Any, stdin: str = "") -> str | None:
        if program is option_trial:
            return option_trial.reason(json.loads(stdin)["options"], None)
        argv = json.loads(Path(copy.at(layout.KERNEL_SPEC)).read_text())["argv"]
        there = argv[0] == layout.OWN_PYTHON or Path(argv[0]).exists()
        return None if there else "No such file"

    def tried(self, module: Any, **given: Any) -> None:
        try:
            run_module(module, **given)
        except ModuleFailed as failed:
            self.said.append(str(failed))

    @initialize()
    def begin_profile(self) -> None:
        for module, given in GOOD:
            run_module(module, **given)

    @rule(given=GIVEN)
    def prepare(self, given: dict[str, Any]) -> None:
        self.tried(ipython_profile, **given)

    @rule(key_type=st.sampled_from(["ec", "rsa"]), days=st.sampled_from([1, 90, 9999]))
    def certify(self, **given: Any) -> None:
        size = {"key_size": 2048} if given["key_type"] == "rsa" else {}
        self.tried(notebook_certificate, **given, **size, renew_days=0)

    @rule(given=st.sampled_from([HASH, "sha1:weak", ""]))
    def protect(self, given: str) -> None:
        self.tried(notebook_password, password_hash=given)

    @rule(number=st.integers(0, 6), debugger=st.booleans())
    def kill(self, number: int, debugger: bool) -> None:
        plain, left = files.write_private, [number]

        def write(path: str, content: bytes) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Killed
            plain(path, content)

        files.write_private = write
        try:
            run_module(ipython_profile, debugger=debugger)
        except (Killed, ModuleFailed):
            pass
        finally:
            files.write_private = plain

    @rule(names=st.lists(NAMES, min_size=1, max_size=5), damage=DAMAGES)
    def harm(self, names: list[str], damage: str) -> None:
        for name in names:
            self.harm_one(name, damage)

    def harm_one(self, name: str, damage: str) -> None:
        path = self.home / ".ipython" / "profile_nbserver" / name
        if not path.is_file():
            return
        if damage == "gone":
            path.unlink()
        elif damage == "open":
            path.chmod(0o644)
        elif name != layout.SERVER_CONFIG or damage == "cut":  # an empty one is somebody else's
            path.write_bytes(path.read_bytes()[: 50 if damage == "cut" else 0])

    def mend_profile(self) -> None:
        """One run with good values ends well, and the next has nothing to do."""
        for module, given in GOOD:
            run_module(module, **given)
        readiness.require_ready(Layout(str(self.home), "nbserver", "node", os.geteuid()))
        assert not any(run_module(module, **given)["changed"] for module, given in GOOD)

    def end_profile(self) -> None:
        os.environ["HOME"] = self.before["HOME"]
        proof._answer = self.before["answer"]

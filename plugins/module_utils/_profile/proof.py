# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: try options and a kernel in a copy of the profile before they become live.

What Jupyter takes depends on its version and its extensions, and whether a Python runs a kernel
on all that is installed for it. So the installed software is asked; no list of ours is.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import sys
from pathlib import Path
from types import ModuleType
from typing import Iterator, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.answers import reason_in
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files, own_text, processes
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    environment_kernels,
    kernel_trial,
    option_trial,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.kernel_launcher import launcher
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.scratch import scratch
from ansible_collections.hpcc.notebook.plugins.module_utils._server.launch import (
    clean_environment,
    variables,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import Launch, Layout

WITHIN = 120.0  # seconds; it takes one or two, but a node may be busy
_ANY = Launch("lab", "socket", 0, environments=True)


def require_options(name: str, root_dir: str, options: Mapping[str, object]) -> None:
    """Refuse options that the installed Jupyter does not take; without one, nobody can say."""
    if not importlib.util.find_spec("jupyter_server"):
        return
    with _copy(name) as copy:
        root = files.directory_status(root_dir) and root_dir
        # A directory that is to be made is not there yet, and neither is what lies in it.
        moved = options if root else _below(options, root_dir, copy.home)
        _write(copy, profile.ENVIRONMENT_KERNELS, own_text.text(environment_kernels))
        _write(copy, profile.SERVER_CONFIG, profile.server_config(copy, root or copy.home, moved))
        asked = {"options": moved, "cookie_secret": copy.cookie_secret}
        reason = _answer(copy, option_trial, [], json.dumps(asked))
    if reason:
        todo = "Correct nbserver_profile_options; what is live was left as it is."
        raise NotebookError(f"the installed Jupyter refuses them: {reason}", "options", todo)


def require_kernel(name: str, python: str, *, debugger: bool) -> None:
    """Refuse a Python that runs no kernel, by letting it run one."""
    if not importlib.util.find_spec("jupyter_client"):
        return
    with _copy(name) as copy:
        _write(copy, profile.KERNEL_LAUNCHER, launcher(debugger=debugger))
        _write(copy, profile.KERNEL_SPEC, profile.kernel_spec(copy, python, debugger=debugger))
        reason = _answer(copy, kernel_trial, [str(WITHIN / 2)])
    if reason:
        todo = "Install ipykernel for it, or choose another by nbserver_profile_python."
        where = sys.executable if python == profile.OWN_PYTHON else python
        raise NotebookError(f"this Python runs no kernel: {reason}", where, todo)


def kernel_argv(python: str, seconds: float) -> list[str]:
    """The command that proves the kernel of a profile, in the environment of its server."""
    return [python, "-I", "-c", own_text.text(kernel_trial), str(seconds)]


def _answer(copy: Layout, program: ModuleType, words: list[str], stdin: str = "") -> str | None:
    environment = {
        **clean_environment(copy.home, str(copy.uid), "/bin/sh"),
        **variables(copy, _ANY),
        "JUPYTER_RUNTIME_DIR": copy.at("run"),
    }
    argv = [sys.executable, "-I", "-c", own_text.text(program), *words]
    ran = processes.run(argv, stdin=stdin, timeout=WITHIN, env=environment)
    return reason_in(ran.stdout if ran.stdout.strip() else ran.stderr)


@contextlib.contextmanager
def _copy(name: str) -> Iterator[Layout]:
    """A profile of that name in a home of its own, for a moment."""
    with scratch("profile-") as home:
        copy = Layout(home, name, "trial", os.geteuid())
        for path in (copy.at(directory) for directory in ("", *profile.DIRECTORIES)):
            Path(path).mkdir(mode=0o700, parents=True, exist_ok=True)
        _write(copy, "security/token", "trial")
        yield copy


def _write(copy: Layout, name: str, text: str) -> None:
    Path(copy.at(name)).write_text(text, encoding="utf-8")  # nobody else can enter the copy


def _below(options: Mapping[str, object], old: str, new: str) -> Mapping[str, object]:
    """The options, with a directory instead of another that is not there yet."""
    return {name: new if value in (old, f"{old}/") else value for name, value in options.items()}

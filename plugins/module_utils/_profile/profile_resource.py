# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the files of a profile itself: what is wrong with them, and how they are made."""

from __future__ import annotations

import importlib.util
import secrets
import sys
from dataclasses import replace
from functools import partial
from typing import Any, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common import resource
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import (
    files,
    generations,
    own_text,
    room,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    contents,
    environment_kernels,
    meters,
    pages,
    proof,
    removal,
    time_left,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import plan as profile_plan
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.kernel_launcher import launcher
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.plan import Step
from ansible_collections.hpcc.notebook.plugins.module_utils._rules import rules
from ansible_collections.hpcc.notebook.plugins.module_utils._server import meter_bundle

TOKEN_BYTES = 32
# Measured with a server at work: 200 KiB in 44 files and directories.
NEED = room.Need("a profile", mib=1, inodes=64)


def decide(params: Mapping[str, Any]) -> resource.Plan:
    """Give the plan for the wanted state."""
    rules.require("name", "profile_name", params["name"])
    layout = Layout(files.home(), params["name"])
    return removal.absent(layout) if params["state"] == "absent" else present(layout, params)


def present(layout: Layout, params: Mapping[str, Any]) -> resource.Plan:
    """Plan what is missing or different, directories first."""
    python = layout.expanded(params["python"] or sys.executable)
    rules.require("root_dir", "root_dir", params["root_dir"])
    rules.require("options", "server_options", params["options"])
    rules.require("python", "path", python)
    kernel = kernel_files(layout, kernel_python(python), debugger=params["debugger"])
    found = [
        chosen(layout.ipython, ".ipython"),
        chosen(layout.expanded(params["root_dir"]), "root_dir"),
        directory(layout.directory, f"profile_{layout.name}"),
        *(directory(layout.at(name), name) for name in profile.DIRECTORIES),
        *(begun(layout, name) for name in profile.BEGUN),
        token(layout),
        *kernel,
        rendered(layout, profile.ENVIRONMENT_KERNELS, own_text.text(environment_kernels)),
        rendered(layout, meters.FILE, meter_bundle.service()),
        rendered(layout, contents.SCRIPT, contents.EXTENSION),
        rendered(layout, contents.SWITCH, contents.ENABLED),
        *(rendered(layout, name, text) for name, text in time_left.FILES.items()),
        rendered(layout, pages.DEFAULTS, pages.SETTINGS),
        rendered(layout, pages.LOGIN, pages.LOGIN_PAGE),
        server_config(layout, params),
    ]
    status = files.directory_status(layout.ipython)
    warnings = profile_plan.group_warnings(layout.ipython, status.st_mode if status else 0)
    plan = profile_plan.plan(layout, [step for step in found if step], {}, warnings)
    return plan if files.directory_status(layout.directory) else with_room(layout, plan)


def with_room(layout: Layout, plan: resource.Plan) -> resource.Plan:
    """The same for a new profile, of which no half is made where there is no room for the whole."""
    room.require(layout.directory, NEED)

    def apply() -> Mapping[str, object]:
        room.take(layout.directory, NEED)
        return plan.apply()

    return replace(plan, apply=apply)


def kernel_python(python: str) -> str:
    """What the kernel's specification calls a Python."""
    own = generations.pinned(python) == generations.pinned(sys.executable)
    return profile.OWN_PYTHON if own else python


def kernel_files(layout: Layout, python: str, *, debugger: bool) -> list[Step | None]:
    """What starts the kernel; a Python of which nothing is known has to run one first."""
    spec = profile.kernel_spec(layout, python, debugger=debugger)
    found = [
        rendered(layout, profile.KERNEL_LAUNCHER, launcher(debugger=debugger)),
        rendered(layout, profile.KERNEL_SPEC, spec),
    ]
    if any(found) and not _is_verified(python):
        proof.require_kernel(layout.name, python, debugger=debugger)
    return found


def _is_verified(python: str) -> bool:
    """Whether ipykernel is known to import there; each start lets a kernel compute in any case."""
    own = python == profile.OWN_PYTHON and generations.is_ours(sys.executable)
    return own and bool(importlib.util.find_spec("ipykernel"))


def chosen(path: str, name: str) -> Step | None:
    """A directory of the person's own, possibly behind a link: only made when it is missing."""
    status = files.directory_status(path)
    if status is None:
        return directory(path, name)
    profile_plan.refuse_open_directory(path, status.st_mode)
    files.require_readable_directory(path)
    return None


def directory(path: str, name: str) -> Step | None:
    """A directory that only its owner can enter."""
    reason = files.private_directory_reason(path)
    return Step(name, reason, partial(files.make_private_directory, path)) if reason else None


def begun(layout: Layout, name: str) -> Step | None:
    """A file that is written once and then belongs to the person."""
    path, content = layout.at(name), profile.BEGUN[name].encode()
    if files.read(path) is not None:
        return None
    return Step(name, "missing", partial(files.write_private, path, content))


def token(layout: Layout) -> Step | None:
    """A random token, made again only when somebody else may have read it."""
    content = files.read(layout.token)
    reason = files.private_mode_reason(layout.token)
    if not reason and len(content or b"") < 2 * TOKEN_BYTES:
        reason = "too short"
    return Step("security/token", reason, partial(write_token, layout.token)) if reason else None


def write_token(path: str) -> None:
    """Without a line end: Jupyter takes the file as it is."""
    files.write_private(path, secrets.token_hex(TOKEN_BYTES).encode())


def server_config(layout: Layout, params: Mapping[str, Any]) -> Step | None:
    """The configuration of the server, unless a person wrote one of their own."""
    path = layout.at(profile.SERVER_CONFIG)
    profile_plan.refuse_foreign_config(path, files.read(path))
    wanted = params["root_dir"], params["options"]
    text = profile.server_config(layout, *wanted, debugger=params["debugger"])
    step = rendered(layout, profile.SERVER_CONFIG, text)
    if step and params["options"]:  # its reader is asked before it replaces anything
        root_dir = layout.expanded(params["root_dir"])
        proof.require_options(layout.name, root_dir, params["options"])
    return step


def rendered(layout: Layout, name: str, text: str) -> Step | None:
    """A file whose whole content is ours."""
    path, content = layout.at(name), text.encode()
    reason = files.private_file_reason(path, content)
    if not reason:
        return None
    before = profile.without_secrets(files.read(path) or b"")
    return Step(name, reason, partial(files.write_private, path, content), before, text)

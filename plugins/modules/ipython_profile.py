#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The profile of a notebook server: its directories, configuration, kernel and API token."""

from __future__ import annotations

DOCUMENTATION = r"""
module: ipython_profile
short_description: Create the IPython profile of a notebook server
version_added: 0.1.0
description:
  - Creates C(~/.ipython/profile_<name>) as C(ipython profile create) does, and in it the
    configuration of the notebook server, the kernel that runs under the profile, and the token
    with which programs reach the server.
  - Everything is made with mode 0700 (directories) and 0600 (files) from the first moment.
  - C(ipython_config.py) and C(ipython_kernel_config.py) are begun, and then belong to the person.
  - Nothing of the person's own C(~/.jupyter) is read or written.
author:
  - The hpcc.notebook maintainers (@hpcc)
options:
  name:
    description: The name of the profile.
    type: str
    default: nbserver
  state:
    description:
      - Whether the profile exists.
      - V(absent) removes what this module has made, and nothing that a person or a program has
        put there since. It refuses while a server is recorded in the profile.
    type: str
    choices: [present, absent]
    default: present
  root_dir:
    description:
      - Where the server begins to look for notebooks; absolute, or beginning with V(~/).
      - Created with mode 0700 when it is missing, and never removed.
    type: str
    default: "~"
  options:
    description:
      - More options of Jupyter, as C(Class.trait) and a plain value.
      - Options that this collection sets itself, or that can open the server to others, are
        refused. The others are tried by the installed Jupyter before they become live.
    type: dict
    default: {}
  python:
    description:
      - The Python that runs the kernels; when not set, the one that runs this module. One that is
        new to the profile has to run a kernel first.
    type: str
  debugger:
    description: Whether JupyterLab's debugger works. Through its port, every user can run code.
    type: bool
    default: false
attributes:
  check_mode:
    description: Decides everything and changes nothing.
    support: full
  diff_mode:
    description: The same in check mode and in a real run; never shows a secret.
    support: full
"""

EXAMPLES = r"""
- name: Create the profile
  hpcc.notebook.ipython_profile:
    name: nbserver
    root_dir: ~/notebooks
    options:
      MappingKernelManager.cull_idle_timeout: 86400
"""

RETURN = r"""
path:
  description: The directory of the profile.
  returned: success
  type: str
  sample: /home/alice/.ipython/profile_nbserver
reason:
  description: Why something changed; empty when nothing did.
  returned: success
  type: str
  sample: "security: mode 0755; jupyter_server_config.py: content differs"
kept:
  description: With O(state=absent), what is left in the profile because it is not ours.
  returned: success
  type: list
  elements: str
  sample: [db, startup]
"""

import inspect
import secrets
import sys
from functools import partial
from typing import Any, Mapping

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcc.notebook.plugins.module_utils import files, resource, rules
from ansible_collections.hpcc.notebook.plugins.module_utils.profile import (
    contents,
    environment_kernels,
    proof,
    removal,
)
from ansible_collections.hpcc.notebook.plugins.module_utils.profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils.profile import plan as profile_plan
from ansible_collections.hpcc.notebook.plugins.module_utils.profile.kernel_launcher import launcher
from ansible_collections.hpcc.notebook.plugins.module_utils.profile.layout import Layout
from ansible_collections.hpcc.notebook.plugins.module_utils.profile.plan import Step

TOKEN_BYTES = 32


def decide(params: Mapping[str, Any]) -> resource.Plan:
    """Give the plan for the wanted state."""
    rules.require("name", "profile_name", params["name"])
    layout = Layout(files.home(), params["name"])
    return removal.absent(layout) if params["state"] == "absent" else present(layout, params)


def present(layout: Layout, params: Mapping[str, Any]) -> resource.Plan:
    """Plan what is missing or different, directories first."""
    python = params["python"] or sys.executable
    rules.require("root_dir", "root_dir", params["root_dir"])
    rules.require("options", "server_options", params["options"])
    rules.require("python", "path", python)
    kernel = kernel_files(layout, layout.expanded(python), debugger=params["debugger"])
    found = [
        chosen(layout.ipython, ".ipython"),
        chosen(layout.expanded(params["root_dir"]), "root_dir"),
        directory(layout.directory, f"profile_{layout.name}"),
        *(directory(layout.at(name), name) for name in profile.DIRECTORIES),
        *(begun(layout, name) for name in profile_plan.BEGUN),
        token(layout),
        *kernel,
        rendered(layout, profile.ENVIRONMENT_KERNELS, inspect.getsource(environment_kernels)),
        rendered(layout, contents.SCRIPT, contents.EXTENSION),
        rendered(layout, contents.SWITCH, contents.ENABLED),
        server_config(layout, params),
    ]
    status = files.directory_status(layout.ipython)
    warnings = profile_plan.group_warnings(layout.ipython, status.st_mode if status else 0)
    return profile_plan.plan(layout, [step for step in found if step], {}, warnings)


def kernel_files(layout: Layout, python: str, *, debugger: bool) -> list[Step | None]:
    """What starts the kernel; a Python that is new to it has to run one first."""
    spec = profile.kernel_spec(layout, python, debugger=debugger)
    found = [
        rendered(layout, profile.KERNEL_LAUNCHER, launcher(debugger=debugger)),
        rendered(layout, profile.KERNEL_SPEC, spec),
    ]
    if any(found):
        proof.require_kernel(layout.name, python, debugger=debugger)
    return found


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
    path, content = layout.at(name), profile_plan.BEGUN[name].encode()
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


def main() -> None:
    """Run the module."""
    spec = {
        "name": {"type": "str", "default": "nbserver"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "root_dir": {"type": "str", "default": "~"},
        "options": {"type": "dict", "default": {}},
        "python": {"type": "str"},
        "debugger": {"type": "bool", "default": False},
    }
    resource.run(AnsibleModule(spec, supports_check_mode=True), decide)


if __name__ == "__main__":
    main()

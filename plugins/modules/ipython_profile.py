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
        refused.
    type: dict
    default: {}
  python:
    description:
      - The Python that runs the kernels.
      - The one that runs this module when not set.
    type: str
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

import secrets
import stat
import sys
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, NamedTuple

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcc.notebook.plugins.module_utils import (
    files,
    password,
    profile,
    resource,
    rules,
)
from ansible_collections.hpcc.notebook.plugins.module_utils.errors import NotebookError

TOKEN_BYTES = 32
BEGUN = {
    "startup/README": profile.STARTUP_README,
    "ipython_config.py": profile.IPYTHON_CONFIG,
    "ipython_kernel_config.py": profile.KERNEL_CONFIG,
}


class Step(NamedTuple):
    """One change: what, why, how, and for a rendered file from which text to which."""

    name: str
    reason: str
    apply: Callable[[], object]
    before: str = ""
    after: str = ""


def decide(params: Mapping[str, Any]) -> resource.Plan:
    """Give the plan for the wanted state."""
    rules.require("name", "profile_name", params["name"])
    layout = profile.Layout(str(Path("~").expanduser()), params["name"])
    return absent(layout) if params["state"] == "absent" else present(layout, params)


def present(layout: profile.Layout, params: Mapping[str, Any]) -> resource.Plan:
    """Plan what is missing or different, directories first."""
    rules.require("root_dir", "root_dir", params["root_dir"])
    rules.require("options", "server_options", params["options"])
    python = params["python"] or sys.executable
    rules.require("python", "path", python)
    found = [
        home_of_profiles(layout),
        root_directory(layout.expanded(params["root_dir"])),
        directory(layout.directory, f"profile_{layout.name}"),
        *(directory(layout.at(name), name) for name in profile.DIRECTORIES),
        *(begun(layout, name) for name in BEGUN),
        token(layout),
        kernel_spec(layout, layout.expanded(python)),
        server_config(layout, params["root_dir"], params["options"]),
    ]
    return plan(layout, [step for step in found if step], warnings=list(loose(layout.ipython)))


def home_of_profiles(layout: profile.Layout) -> Step | None:
    """~/.ipython is the person's own: made when missing, refused when it protects nothing."""
    found = files.directory_status(layout.ipython)
    if found is None:
        return directory(layout.ipython, ".ipython")
    if found.st_mode & stat.S_IWOTH:
        raise NotebookError("everybody can write to it", layout.ipython, "Run chmod go-w on it")
    return None


def loose(path: str) -> Iterator[str]:
    """What works, but lets the person's group put something else in the profile's place."""
    found = files.directory_status(path)
    if found and found.st_mode & stat.S_IWGRP:
        yield f"{path}: its group can write to it. Consider chmod g-w on it"


def root_directory(path: str) -> Step | None:
    """Kernels import from where they start, so nobody else may put a file there."""
    found = files.directory_status(path)
    if found is None:
        return directory(path, path)
    if found.st_mode & stat.S_IWOTH:
        raise NotebookError("everybody can write to it", path, "Choose another root_dir")
    return None


def directory(path: str, name: str) -> Step | None:
    """A directory that only its owner can enter."""
    reason = files.private_directory_reason(path)
    return Step(name, reason, partial(files.make_private_directory, path)) if reason else None


def begun(layout: profile.Layout, name: str) -> Step | None:
    """A file that is written once and then belongs to the person."""
    path = layout.at(name)
    if files.read(path) is not None:
        return None
    return Step(name, "missing", partial(files.write_private, path, BEGUN[name].encode()))


def token(layout: profile.Layout) -> Step | None:
    """A random token, made again only when somebody else may have read it."""
    present = files.read(layout.token)
    reason = files.private_mode_reason(layout.token)
    if not reason and len(present or b"") < 2 * TOKEN_BYTES:
        reason = "too short"
    return Step("security/token", reason, partial(write_token, layout.token)) if reason else None


def write_token(path: str) -> None:
    """Without a line end: Jupyter takes the file as it is."""
    files.write_private(path, secrets.token_hex(TOKEN_BYTES).encode())


def kernel_spec(layout: profile.Layout, python: str) -> Step | None:
    """The kernel that runs under the profile."""
    return rendered(layout, profile.KERNEL_SPEC, profile.kernel_spec(layout, python))


def server_config(
    layout: profile.Layout, root_dir: str, options: Mapping[str, object]
) -> Step | None:
    """The configuration of the server, unless a person wrote one of their own."""
    path = layout.at(profile.SERVER_CONFIG)
    present = files.read(path)
    if present is not None and not profile.is_ours(present):
        todo = "Move it away, and put its settings into the variable nbserver_profile_options"
        raise NotebookError("was not written by hpcc.notebook", path, todo)
    text = profile.server_config(layout, root_dir, options)
    compile(text, path, "exec")  # its reader is asked before it replaces anything
    return rendered(layout, profile.SERVER_CONFIG, text)


def rendered(layout: profile.Layout, name: str, text: str) -> Step | None:
    """A file whose whole content is ours."""
    path, content = layout.at(name), text.encode()
    reason = files.private_file_reason(path, content)
    if not reason:
        return None
    before = profile.without_secrets(files.read(path) or b"")
    return Step(name, reason, partial(files.write_private, path, content), before, text)


def absent(layout: profile.Layout) -> resource.Plan:
    """Plan the removal of what is ours; a directory goes when nothing else is left in it."""
    files.private_directory_reason(layout.directory)
    refuse_recorded_servers(layout)
    doomed = {layout.at(name): name for name in profile.FILES if is_ours(layout, name)}
    for name in (*reversed(profile.DIRECTORIES), ""):
        path = layout.at(name) if name else layout.directory
        if holds_only(path, doomed):
            doomed[path] = name or f"profile_{layout.name}"
    steps = [
        Step(name, "to be removed", partial(files.remove, path)) for path, name in doomed.items()
    ]
    kept = [name for name in files.entries(layout.directory) if layout.at(name) not in doomed]
    return plan(layout, steps, kept=kept)


def is_ours(layout: profile.Layout, name: str) -> bool:
    """Whether a file may go: it is still as we made it, or its name says that only we use it."""
    content = files.read(layout.at(name))
    if content is None:
        return False
    if name in BEGUN:
        return content == BEGUN[name].encode()
    if name == profile.PASSWORD_FILE:
        return not password.without_hash(password.load(content, layout.at(name)))
    return name != profile.SERVER_CONFIG or profile.is_ours(content)


def holds_only(path: str, doomed: Mapping[str, str]) -> bool:
    """Whether a directory is empty once these files and directories are gone."""
    if files.directory_status(path) is None:
        return False
    return all(f"{path}/{entry}" in doomed for entry in files.entries(path))


def refuse_recorded_servers(layout: profile.Layout) -> None:
    """A server that still runs would lose its certificate under its feet."""
    hosts = [name[:-5] for name in files.entries(layout.at("run")) if name.endswith(".json")]
    if hosts:
        todo = f"Stop it first; when {hosts[0]} is gone for good, remove run/{hosts[0]}.json"
        raise NotebookError(f"a server is recorded on {', '.join(hosts)}", layout.directory, todo)


def plan(layout: profile.Layout, steps: list[Step], **rest: Any) -> resource.Plan:
    """Make one plan of all steps."""

    def apply() -> Mapping[str, object]:
        for step in steps:
            step.apply()
        return {}

    kept = rest.pop("kept", None)
    result = {"path": layout.directory, **({} if kept is None else {"kept": kept})}
    reasons = [f"{step.name}: {step.reason}" for step in steps]
    return resource.Plan(reasons, apply, list(differences(layout, steps)), result, **rest)


def differences(layout: profile.Layout, steps: list[Step]) -> Iterator[dict[str, str]]:
    """A list of what changes, then the text of each file that is rendered."""
    if steps:
        yield {
            "before_header": layout.directory,
            "after_header": layout.directory,
            "before": "".join(f"{step.name}: {step.reason}\n" for step in steps),
            "after": "".join(f"{step.name}: {outcome(step)}\n" for step in steps),
        }
    for step in steps:
        if step.before != step.after:
            header = layout.at(step.name)
            texts = {"before": step.before, "after": step.after}
            yield {"before_header": header, "after_header": header, **texts}


def outcome(step: Step) -> str:
    """What stands in the list afterwards."""
    return "absent" if step.reason == "to be removed" else "as wanted, for its owner only"


def main() -> None:
    """Run the module."""
    spec = {
        "name": {"type": "str", "default": "nbserver"},
        "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
        "root_dir": {"type": "str", "default": "~"},
        "options": {"type": "dict", "default": {}},
        "python": {"type": "str"},
    }
    resource.run(AnsibleModule(spec, supports_check_mode=True), decide)


if __name__ == "__main__":
    main()

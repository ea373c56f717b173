#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A few text files that a role writes, in one execution on the host."""

from __future__ import annotations

DOCUMENTATION = r"""
module: text_files
short_description: Text files, written whole or not at all
version_added: 0.1.0
description:
  - Writes files with a content that a role has rendered, and the private directories around them.
  - Each file is on the disk, whole, before it takes the place of another one.
  - All of a run is decided before the first file is written.
author:
  - The hpcc.notebook maintainers (@hpcc)
options:
  directories:
    description: Directories with mode 0700; those around them are made, too, where there are none.
    type: list
    elements: str
    default: []
  files:
    description: What is written.
    type: list
    elements: dict
    required: true
    suboptions:
      path:
        description: Where it lies; its directory has to be there, or in O(directories).
        type: str
        required: true
      content:
        description: The whole text.
        type: str
        required: true
      mode:
        description: V(0600), or V(0644) for what everybody may read.
        type: str
        choices: ["0600", "0644"]
        default: "0600"
      python:
        description: Whether the text has to be Python; what cannot be compiled is refused.
        type: bool
        default: false
attributes:
  check_mode:
    description: Decides everything and changes nothing.
    support: full
  diff_mode:
    description: The same in check mode and in a real run.
    support: full
"""

EXAMPLES = r"""
- name: Write the defaults of a site
  hpcc.notebook.text_files:
    files:
      - path: ~/anaconda/etc/cluster_helper.ini
        content: "{{ lookup('ansible.builtin.template', 'cluster_helper.ini.j2') }}"
        mode: "0644"
"""

RETURN = r"""
reason:
  description: Why something changes; empty when nothing does.
  returned: success
  type: str
  sample: "/home/u/anaconda/etc/cluster_helper.ini: content differs"
"""

from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, NamedTuple

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcc.notebook.plugins.module_utils._common import resource
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._options.text_files import INTERFACE


class Change(NamedTuple):
    """What is going to be made, and why."""

    reason: str
    make: Callable[[], object]
    diff: Mapping[str, str]


def decide(params: Mapping[str, Any]) -> resource.Plan:
    """Plan what is missing or different, directories first."""
    found = [
        *(each for path in params["directories"] for each in directories(files.expanded(path))),
        *(file(each) for each in params["files"]),
    ]
    changes = [each for each in found if each]
    return resource.Plan(
        reasons=[each.reason for each in changes],
        apply=partial(make, changes),
        diff=[each.diff for each in changes],
    )


def make(changes: list[Change]) -> dict[str, object]:
    """Make all of it."""
    for each in changes:
        each.make()
    return {}


def directories(path: str) -> Iterator[Change | None]:
    """This one, behind those around it that are missing; what is there is the person's own."""
    for parent in reversed(Path(path).parents):
        if files.directory_status(str(parent)) is None:
            yield directory(str(parent))
    yield directory(path)


def directory(path: str) -> Change | None:
    """A directory that only its owner can enter."""
    reason = files.private_directory_reason(path)
    if not reason:
        return None
    diff = {"before": "", "after": "directory, mode 0700\n", "after_header": path}
    return Change(f"{path}: {reason}", partial(files.make_private_directory, path), diff)


def file(wanted: Mapping[str, Any]) -> Change | None:
    """A file with this content and mode."""
    path, content = files.expanded(wanted["path"]), wanted["content"].encode()
    mode = int(wanted["mode"], 8)
    if wanted["python"]:
        require_python(path, content)
    reason = files.file_reason(path, content, mode)
    if not reason:
        return None
    before = (files.read(path) or b"").decode("utf-8", "replace")
    names = {"before_header": path, "after_header": path}
    diff = {"before": before, "after": wanted["content"], **names}
    return Change(f"{path}: {reason}", partial(files.write, path, content, mode), diff)


def require_python(path: str, content: bytes) -> None:
    """Refuse what its reader could not compile."""
    try:
        compile(content, path, "exec", dont_inherit=True)
    except (SyntaxError, ValueError) as error:
        raise NotebookError(f"would be no Python: {error}", path) from error


def main() -> None:
    """Run the module."""
    resource.run(AnsibleModule(**INTERFACE, supports_check_mode=True), decide)


if __name__ == "__main__":
    main()

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person wants to see of a run: what changes, what takes long, one line for a failure."""

from __future__ import annotations

DOCUMENTATION = r"""
name: calm
type: stdout
short_description: Show what changes, what takes long, and one line for a failure
version_added: 0.1.0
description:
  - Shows the name of each play, a line for each task that changes something or takes longer than a
    second, what our modules say themselves, and one message for a failure.
  - With C(-v) it is the same as P(ansible.builtin.default#callback).
author:
  - The hpcc.notebook maintainers (@hpcc)
extends_documentation_fragment:
  - default_callback
  - result_format_callback
requirements:
  - to be set as stdout callback in C(ansible.cfg) or by E(ANSIBLE_STDOUT_CALLBACK)
seealso:
  - plugin: ansible.builtin.default
    plugin_type: callback
"""

EXAMPLES = r"""
ansible_cfg: |
  [defaults]
  stdout_callback = hpcc.notebook.calm
"""

import os
import re
import threading
from collections.abc import Iterator
from typing import Any

from ansible import constants
from ansible.plugins.callback.default import CallbackModule as Default
from ansible_collections.hpcc.notebook.plugins.module_utils._common.printable import printable
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import output

SLOW = 1.0  # seconds after which a task is named
_FAILURE = "failed"
_UNREACHABLE = "away"
_NOBODY = "no host matches {0}: write yours below [{0}] in the inventory, or look at -i and --limit"
_NO_REASON = "it does not say why"
_ANSIBLES_LEAD = re.compile(r"\A(?:(?:Task|Action) failed: )+")  # the label says so already


class CallbackModule(Default):
    """The default one, without what says that nothing happened."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "stdout"
    CALLBACK_NAME = "hpcc.notebook.calm"

    def __init__(self) -> None:
        super().__init__()
        output.outlive_readers()
        self._slow: threading.Timer | None = None
        self._hosts = ""

    def v2_playbook_on_play_start(self, play: Any) -> None:
        self._hosts = ", ".join(map(str, play.hosts))
        if self._verbose:
            super().v2_playbook_on_play_start(play)
        elif play.get_name():
            self._say(play.get_name().strip(), constants.COLOR_HIGHLIGHT)

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._done()
        if self._verbose:
            super().v2_playbook_on_task_start(task, is_conditional)
        else:
            self._slow = threading.Timer(SLOW, _name, [title(task)])
            self._slow.daemon = True
            self._slow.start()

    def v2_runner_on_ok(self, result: Any) -> None:
        self._done()
        if self._verbose:
            super().v2_runner_on_ok(result)
            return
        self._handle_warnings(result.result)
        if result.result.get("changed"):
            word = "would change" if result.task.check_mode else "changed"
            line = f"{result.host.get_name()}: {title(result.task)}"
            self._say(labelled(word, line), constants.COLOR_CHANGED)

    def v2_runner_on_skipped(self, result: Any) -> None:
        self._done()
        if self._verbose:
            super().v2_runner_on_skipped(result)

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        self._done()
        if self._verbose:
            super().v2_runner_on_failed(result, ignore_errors)
        elif not ignore_errors:
            self._fail(_FAILURE, result, constants.COLOR_ERROR)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        self._done()
        if self._verbose:
            super().v2_runner_on_unreachable(result)
        elif not result.task.ignore_unreachable:
            self._fail(_UNREACHABLE, result, constants.COLOR_UNREACHABLE)

    def v2_playbook_on_no_hosts_matched(self) -> None:
        if self._verbose:
            super().v2_playbook_on_no_hosts_matched()
        else:
            said = _NOBODY.format(printable(self._hosts))
            self._say(labelled("nothing", said), constants.COLOR_ERROR)

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        if self._verbose:
            super().v2_playbook_on_no_hosts_remaining()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        self._done()
        if self._verbose:
            super().v2_playbook_on_stats(stats)
            return
        for host in sorted(stats.processed):
            of = stats.summarize(host)
            if not of["failures"] and not of["unreachable"]:
                changed = f"{of['changed']} changed" if of["changed"] else "nothing changed"
                self._say(labelled("done", f"{host}: {changed}"), constants.COLOR_OK)

    @property
    def _verbose(self) -> bool:
        return self._display.verbosity > 0

    def _done(self) -> None:
        """The task is over before it was slow."""
        if self._slow:
            self._slow.cancel()

    def _fail(self, word: str, result: Any, colour: str) -> None:
        self._handle_warnings(result.result)
        lines = list(message(result.host.get_name(), str(result.result.get("msg", ""))))
        self._say(labelled(word, "\n".join(lines)), colour)

    def _say(self, text: str, colour: str) -> None:
        self._display.display(text, color=colour)


def title(task: Any) -> str:
    """The name of a task without that of its role."""
    return str(printable(task.name or task.get_name()))


def labelled(word: str, text: str) -> str:
    """A line, or some, behind a word, as the doctor shows its findings."""
    first, *more = text.splitlines()
    return "\n".join([f"{word:<8} {first}", *(f"{'':<8} {line}" for line in more)])


def message(host: str, msg: str) -> Iterator[str]:
    """What went wrong on a host, which is named once."""
    said = _ANSIBLES_LEAD.sub("", msg, count=1)
    lines = [printable(line) for line in said.splitlines() if line.strip()] or [_NO_REASON]
    lead = "" if lines[0].startswith(f"{host}:") else f"{host}: "
    yield f"{lead}{lines[0]}"
    yield from lines[1:]


def _name(task: str) -> None:
    """Past Ansible's display, whose locks a thread must not hold while processes are forked."""
    over = "\r\x1b[K" if os.isatty(1) else ""  # a bar may stand in this line
    output.past_ansible(1, f"{over}{task} …\n")

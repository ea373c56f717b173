# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The person at the terminal: told lines, and asked what ssh wants to know."""

from __future__ import annotations

import threading

from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible_collections.hpcc.notebook.plugins.plugin_utils._present import terminal

_HOST_KEY = "continue connecting"


class Person:
    """Reads what is told; answers, or refuses to, what is asked."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()
        self.refused: list[str] = []  # questions that got no answer

    def tell(self, *texts: str) -> None:
        """Print lines as they are, but for what a terminal would obey."""
        terminal.say(*(line for text in texts for line in text.splitlines() or [""]))

    def busy(self) -> bool:
        """Whether a question waits for its answer."""
        return self._one_at_a_time.locked()

    def ask(self, question: str, kind: str) -> str | None:
        """Answer a question of ssh; None refuses, and ssh goes on without."""
        if _HOST_KEY in question:  # nobody can compare a key while a prompt waits
            self.refused.append(question)
            return None
        if kind == "none":  # no question: "Confirm user presence for key …"
            self.tell(question)
            return ""
        with self._one_at_a_time:
            return self._answer(question)

    def _answer(self, question: str) -> str | None:
        try:
            return terminal.ask(question, private=True).decode()
        except (AnsiblePromptNoninteractive, AnsiblePromptInterrupt):
            self.refused.append(question)
            return None

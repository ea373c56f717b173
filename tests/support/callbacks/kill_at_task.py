"""A callback for the tests: kills the controller when it comes to the task number $KILL_AT_TASK."""

from __future__ import annotations

import os
import signal
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: kill_at_task
type: notification
short_description: Kill the controller at a task
description: For the tests.
"""


class CallbackModule(CallbackBase):
    """Counts from 1."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "kill_at_task"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._left = int(os.environ["KILL_AT_TASK"])

    def v2_playbook_on_task_start(self, _task: Any, is_conditional: bool) -> None:
        del is_conditional
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)

"""A callback for the tests: writes the whole result of each task into the file $WRITE_RESULT_TO."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: write_result
type: notification
short_description: Write results as JSON
description: For the tests.
"""


class CallbackModule(CallbackBase):
    """Last task wins."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "write_result"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: Any) -> None:
        Path(os.environ["WRITE_RESULT_TO"]).write_text(json.dumps(result.result))

    def v2_runner_on_failed(self, result: Any, **_how: Any) -> None:
        result.result["failed"] = True
        self.v2_runner_on_ok(result)

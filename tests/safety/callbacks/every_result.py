"""A callback that writes all that Ansible tells callbacks, as a site's log collector would."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: every_result
type: aggregate
short_description: Write every result of every task
description: [Appends one line of JSON for each result to the file in WRITE_EVERYTHING_TO.]
"""


class CallbackModule(CallbackBase):
    """Keeps nothing back; what must not be seen has to be left out before it comes here."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "every_result"

    def v2_on_any(self, *arguments: Any, **_options: Any) -> None:
        """Every event; those about a task carry its result."""
        with open(os.environ["WRITE_EVERYTHING_TO"], "a", encoding="utf-8") as file:  # noqa: PTH123
            for argument in arguments:
                for name in ("_result", "_task_fields", "_attributes"):
                    file.write(json.dumps(getattr(argument, name, None), default=repr) + "\n")

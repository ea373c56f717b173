"""Whose jobs a scheduler is asked for."""

from __future__ import annotations

import os
import pwd


def person() -> str:
    """The login name of whoever runs this."""
    return pwd.getpwuid(os.getuid()).pw_name

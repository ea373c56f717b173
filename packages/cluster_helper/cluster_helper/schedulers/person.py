"""Whose jobs a scheduler is asked for."""

from __future__ import annotations

import os
import pwd


def person() -> str:
    """The login name of whoever runs this, also while the site's directory of users is down."""
    try:
        return pwd.getpwuid(os.getuid()).pw_name
    except KeyError:
        return os.environ.get("LOGNAME", str(os.getuid()))

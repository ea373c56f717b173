# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the hash of the password: why it is replaced, and how."""

from __future__ import annotations

import getpass
import secrets
from functools import partial
from typing import Any, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common import resource
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import crypto, password
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._rules import rules
from ansible_collections.hpcc.notebook.plugins.module_utils._rules.secrets import (
    password as password_rule,
)

COOKIE_SECRET_BYTES = 32
ADVICE = "Set it in a vault, or run on a terminal to be asked for it"


def decide(params: Mapping[str, Any]) -> resource.Plan:
    """Give the plan for the wanted state."""
    rules.require("profile", "profile_name", params["profile"])
    layout = profile.Layout(files.home(), params["profile"])
    for path in (layout.directory, layout.security):
        files.private_directory_reason(path)
    path = layout.password_file
    config = password.load(files.read(path), path)
    if params["state"] == "absent":
        return absent(layout, config)
    check(params)
    return present(layout, config, params)


def check(params: Mapping[str, Any]) -> None:
    """Refuse what is not worth hashing, without ever showing it."""
    if params["password_hash"]:
        rules.require("password_hash", "password_hash", params["password_hash"])
    if params["password"] is not None:
        names = getpass.getuser(), params["profile"]
        arriving = password.arriving(params["password"])
        reason = password_rule(params["password"], names) or password_rule(arriving, names)
        if reason:
            raise NotebookError(reason, "password")


def present(
    layout: profile.Layout, config: password.Config, params: Mapping[str, Any]
) -> resource.Plan:
    """Plan a new hash if there is a reason for one."""
    stored = password.stored_hash(config)
    reason = why_change(stored, params)
    signing = cut_off(layout.cookie_secret)
    reasons = [r for r in (reason, loose(layout.password_file), signing) if r]
    replace = partial(renew, layout, config, params) if reason else partial(keep, layout, config)
    difference = "present" if stored else "absent", "changed" if stored else "present"
    warning = password.remark(params["password"] or "")
    return resource.Plan(
        reasons,
        replace,
        [diff(layout, *difference, reasons)] if reasons else [],
        {"path": layout.password_file},
        [f"The password {warning}"] if warning else [],
    )


def why_change(stored: str, params: Mapping[str, Any]) -> str | None:
    """Compare what is stored with what was given."""
    if params["password_hash"]:
        return password.why_change(stored, params["password_hash"].__eq__)
    if params["password"] is not None:
        return password.why_change(stored, partial(verify, params["password"]))
    reason = password.why_change(stored, bool)
    if reason:
        raise NotebookError(f"{reason}, and none was given", "nbserver_profile_password", ADVICE)
    return None


def verify(given: str, stored: str) -> bool:
    """Whether the stored hash is that of this password."""
    return crypto.verify_password(password.parse(stored), password.arriving(given))


def loose(path: str) -> str | None:
    """Jupyter narrows the mode only after it has written; missing is the other reason's matter."""
    reason = files.private_mode_reason(path)
    return None if reason in (None, "missing") else reason


def cut_off(path: str) -> str | None:
    """A secret of a few bytes signs cookies that can be forged; a missing one Jupyter makes."""
    reason = files.private_mode_reason(path)
    if reason:
        return None if reason == "missing" else f"cookie secret: {reason}"
    whole = len(files.read(path) or b"") >= COOKIE_SECRET_BYTES
    return None if whole else "the cookie secret is cut off"


def renew(
    layout: profile.Layout, config: password.Config, params: Mapping[str, Any]
) -> Mapping[str, object]:
    """Replace the cookie secret first: interrupted, old cookies are refused and the run repeats."""
    hashed = params["password_hash"] or crypto.hash_password(password.arriving(params["password"]))
    for path in layout.private_directories:
        files.make_private_directory(path)
    write_cookie_secret(layout)
    return write(layout, password.with_hash(config, hashed))


def keep(layout: profile.Layout, config: password.Config) -> Mapping[str, object]:
    """Write the same hash again; what is loose or cut off is made whole."""
    if cut_off(layout.cookie_secret):
        write_cookie_secret(layout)
    return write(layout, config)


def write_cookie_secret(layout: profile.Layout) -> None:
    """A new one ends all sessions at the next start of the server."""
    files.write_private(layout.cookie_secret, secrets.token_bytes(COOKIE_SECRET_BYTES))


def write(layout: profile.Layout, config: password.Config) -> Mapping[str, object]:
    """Write Jupyter's JSON."""
    files.write_private(layout.password_file, password.dump(config))
    return {}


def absent(layout: profile.Layout, config: password.Config) -> resource.Plan:
    """Plan to take the hash out, and the file with it when it holds nothing else."""
    reasons = ["to be removed"] if password.stored_hash(config) else []
    shown = [diff(layout, "present", "absent", reasons)] if reasons else []
    kept = password.without_hash(config)
    return resource.Plan(
        reasons, partial(remove, layout, kept), shown, {"path": layout.password_file}
    )


def remove(layout: profile.Layout, kept: password.Config) -> Mapping[str, object]:
    """Keep what is not ours in the file."""
    files.remove(layout.cookie_secret)
    if kept:
        return write(layout, kept)
    files.remove(layout.password_file)
    return {}


def diff(layout: profile.Layout, before: str, after: str, reasons: list[str]) -> dict[str, str]:
    """What --diff shows."""
    return {
        "before_header": layout.password_file,
        "after_header": layout.password_file,
        "before": f"password hash: {before}\n",
        "after": f"password hash: {after} ({'; '.join(reasons)})\n",
    }

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""SIDE EFFECTS: the certificate and its key: why they are replaced, and how."""

from __future__ import annotations

from datetime import datetime, timezone
from functools import partial
from pathlib import Path
from typing import Any, Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common import resource
from ansible_collections.hpcc.notebook.plugins.module_utils._common.errors import NotebookError
from ansible_collections.hpcc.notebook.plugins.module_utils._edges import files
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import certificate, crypto
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import layout as profile
from ansible_collections.hpcc.notebook.plugins.module_utils._rules import rules

SPEC: dict[str, dict[str, Any]] = {
    "profile": {"type": "str", "default": "nbserver"},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "key_type": {"type": "str", "choices": ["ec", "rsa"], "default": "ec"},
    "key_size": {"type": "int"},
    "days": {"type": "int", "default": 365},
    "renew_days": {"type": "int", "default": 30},
    "names": {"type": "list", "elements": "str", "default": []},
    "authority": {"type": "bool", "default": False},
}


def decide(params: Mapping[str, Any]) -> resource.Plan:
    """Give the plan for the wanted state."""
    rules.require("profile", "profile_name", params["profile"])
    layout = profile.Layout(files.home(), params["profile"])
    if params["state"] == "absent":
        return absent(layout)
    return present(layout, wanted(params), datetime.now(timezone.utc).replace(microsecond=0))


def wanted(params: Mapping[str, Any]) -> certificate.Wanted:
    """Check the options and make one value of them."""
    kind, days, renew_days = params["key_type"], params["days"], params["renew_days"]
    size = params["key_size"] or certificate.DEFAULT_SIZES[kind]
    rules.require("days", "certificate_days", days)
    rules.require("renew_days", "renew_days", renew_days)
    rules.require("names", "certificate_names", params["names"])
    unfit = certificate.why_unfit(kind, size, days, renew_days)
    if unfit:
        raise NotebookError(unfit)
    names = certificate.names_for(params["names"])
    return certificate.Wanted(kind, size, names, days, renew_days, params["authority"])


def present(layout: profile.Layout, want: certificate.Wanted, now: datetime) -> resource.Plan:
    """Plan a new pair if there is a reason for one."""
    found = observe(layout)
    reason = certificate.why_renew(found, want, now)
    result = {"path": layout.certificate, "key_path": layout.key, **certificate.known(found, now)}
    if want.authority:
        result["authority_path"] = layout.authority
        result["chain"] = "" if reason else (files.read(layout.certificate) or b"").decode()
    if not reason:
        return resource.Plan([], dict, result=result)
    diff = [difference(layout, certificate.description(found), certificate.intention(want))]
    return resource.Plan([reason], partial(make, layout, want, now), diff, result)


def observe(layout: profile.Layout) -> certificate.Found | str:
    """Look at the pair, or say what is wrong with it as it lies there."""
    for path in (layout.directory, layout.security):
        files.private_directory_reason(path)
    for path in (layout.key, layout.certificate):
        reason = files.private_mode_reason(path)
        if reason:
            return f"{Path(path).name}: {reason}"
    key, crt = files.read(layout.key) or b"", files.read(layout.certificate) or b""
    found = crypto.inspect(key, crt)
    if isinstance(found, str) or not found.authority:
        return found
    # What browsers are told to trust has to be what signed this certificate.
    reason = files.private_file_reason(layout.authority, crypto.authority_of(crt))
    return f"{Path(layout.authority).name}: {reason}" if reason else found


def make(layout: profile.Layout, want: certificate.Wanted, now: datetime) -> Mapping[str, object]:
    """Replace the key first: until its certificate follows, everybody sees that they do not match.

    A running server reads both for each connection, and serves none with a pair that does not.
    """
    key = crypto.new_key(want.key_type, want.key_size)
    owner = f"notebook server of profile {layout.name}"
    crt = crypto.new_certificate(key, want, owner, now)
    for path in layout.private_directories:
        files.make_private_directory(path)
    files.write_together({layout.key: key, layout.certificate: crt}, 0o600)
    if want.authority:
        files.write_private(layout.authority, crypto.authority_of(crt))
    else:
        files.remove(layout.authority)
    learned = certificate.known(crypto.inspect(key, crt), now)
    return {**learned, "chain": crt.decode()} if want.authority else learned


def absent(layout: profile.Layout) -> resource.Plan:
    """Plan the removal of all, the certificate first."""
    every = layout.certificate, layout.authority, layout.key
    paths = [path for path in every if files.read(path) is not None]
    reasons = [f"{Path(path).name}: to be removed" for path in paths]
    diff = [difference(layout, "".join(f"{p}\n" for p in paths), "")] if paths else []
    result = {"path": layout.certificate, "key_path": layout.key}
    return resource.Plan(reasons, partial(remove, paths), diff, result)


def remove(paths: list[str]) -> Mapping[str, object]:
    """Remove the files."""
    for path in paths:
        files.remove(path)
    return {}


def difference(layout: profile.Layout, before: str, after: str) -> dict[str, str]:
    """What --diff shows."""
    header = {"before_header": layout.certificate, "after_header": layout.certificate}
    return {**header, "before": before, "after": after}

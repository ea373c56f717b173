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


def decide(params: Mapping[str, Any]) -> resource.Plan:
    """Give the plan for the wanted state."""
    rules.require("profile", "profile_name", params["profile"])
    layout = profile.Layout(files.home(), params["profile"])
    if params["state"] == "absent":
        return absent(layout)
    now = datetime.now(timezone.utc).replace(microsecond=0)
    return present(layout, wanted(params), now, params["signed"] or "")


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
    kept, issuer = params["authority_kept"], params["authority_certificate"] or ""
    if kept and not issuer:
        what = "names no authority: its key is kept on the computer that runs Ansible"
        raise NotebookError(what, "authority_kept", "Leave it to the action of this name")
    authority = params["authority"] or kept
    return certificate.Wanted(
        kind, size, names, days, renew_days, authority, issuer if kept else ""
    )


def present(
    layout: profile.Layout, want: certificate.Wanted, now: datetime, signed: str = ""
) -> resource.Plan:
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
    apply = (
        partial(ask, layout, want, now, signed) if want.issuer else partial(make, layout, want, now)
    )
    return resource.Plan([reason], apply, diff, result)


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
    return install(layout, key, crypto.new_certificate(key, want, owner(layout), now), now)


def ask(
    layout: profile.Layout, want: certificate.Wanted, now: datetime, signed: str
) -> Mapping[str, object]:
    """Make a key, and say what is to be signed; take what was signed for the key that waits.

    Another run, from another node of the same home, may have made that key anew: it is asked again.
    """
    key = files.read(layout.waiting_key) if signed else None
    if key and crypto.is_for(signed.encode(), key, want.issuer.encode()):
        learned = install(layout, key, signed.encode(), now)
        files.remove(layout.waiting_key)
        return learned
    key = key or crypto.new_key(want.key_type, want.key_size)
    for path in layout.private_directories:
        files.make_private_directory(path)
    files.write_private(layout.waiting_key, key)
    return {"request": crypto.request(key, owner(layout)).decode()}


def owner(layout: profile.Layout) -> str:
    """What browsers show as the name of the server."""
    return f"notebook server of profile {layout.name}"


def install(layout: profile.Layout, key: bytes, crt: bytes, now: datetime) -> Mapping[str, object]:
    """Write a pair, and the authority behind it."""
    for path in layout.private_directories:
        files.make_private_directory(path)
    files.write_together({layout.key: key, layout.certificate: crt}, 0o600)
    authority = crypto.authority_of(crt)
    if authority:
        files.write_private(layout.authority, authority)
    else:
        files.remove(layout.authority)
    learned = certificate.known(crypto.inspect(key, crt), now)
    return {**learned, "chain": crt.decode()} if authority else learned


def absent(layout: profile.Layout) -> resource.Plan:
    """Plan the removal of all, the certificate first."""
    every = layout.certificate, layout.authority, layout.key, layout.waiting_key
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

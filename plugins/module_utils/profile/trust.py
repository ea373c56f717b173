# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a browser is told to trust a notebook's authority. Pure: lines come out."""

from __future__ import annotations

import shlex
from typing import Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils.printable import printable
from ansible_collections.hpcc.notebook.plugins.module_utils.ssh import hops as way
from ansible_collections.hpcc.notebook.plugins.module_utils.ssh.hops import Variables

FILE = "notebook-authority.crt"
NICKNAME = "notebook-authority"

# What to type where; docs/certificates.md shows the same, and a test holds both together.
COMMANDS: Mapping[str, Sequence[str]] = {
    "Chrome, Chromium or Edge on Linux": (
        "mkdir -p ~/.pki/nssdb",
        f"certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n {NICKNAME} -i {FILE}",
    ),
    "Firefox on Linux": (
        "for p in ~/.mozilla/firefox/*.default*/; do "
        f'certutil -d sql:"$p" -A -t C,, -n {NICKNAME} -i {FILE}; done',
    ),
    "Safari and Chrome on macOS": (
        "security add-trusted-cert -r trustRoot -p ssl "
        f"-k ~/Library/Keychains/login.keychain-db {FILE}",
    ),
    "Firefox on macOS and Windows": (
        "Settings, Privacy & Security, View Certificates, Authorities, Import: "
        f"{FILE}, for web sites",
    ),
    "Chrome and Edge on Windows": (f"certutil -user -addstore Root {FILE}",),
}


def lines(certificate: Variables, dev: Variables, check: bool = False) -> list[str]:
    """What to say after a new authority has been made; nothing about one that is known already."""
    if not certificate.get("changed"):
        return []
    if check:
        return ["A new authority would be made; a real run says how to trust it."]
    return [
        "The certificate is signed by an authority that can vouch for your notebook and for",
        f"nothing else. It expires with it, on {printable(certificate['not_after'])[:10]}. "
        "On your own computer, fetch it:",
        f"    {_fetch(str(certificate['authority_path']), dev)}",
        "and let your browser trust it, by what is true for you:",
        *(f"  {where}:\n    " + "\n    ".join(typed) for where, typed in COMMANDS.items()),
        "(certutil is in libnss3-tools or nss-tools; start the browser anew afterwards.)",
    ]


def _fetch(path: str, dev: Variables) -> str:
    """Copy the certificate over, by whatever makes Ansible reach the host."""
    if way.is_local(dev):
        return f"cp {shlex.quote(path)} {FILE}"
    host = {"host": str(dev.get("inventory_hostname", ""))}
    login = way.way_to(host, dev, None).words()
    words = ["ssh", *way.ONLY_OUR_COMMAND, *login, f"cat {shlex.quote(path)}"]
    return f"{way.line_of(words)} > {FILE}"

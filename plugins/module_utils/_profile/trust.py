# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a browser is told to trust a notebook's authority. Pure: lines come out."""

from __future__ import annotations

import shlex
from typing import Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._common import commands

NICKNAME = "notebook-authority"
FILE = "FILE"  # stands for the path in COMMANDS and in the document

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


UNTOUCHED = "untouched"
TAKEN_BACK = "Browsers on this computer trust no authority of a notebook any more."
BY_HAND = "No browser was found here that could be told; docs/certificates.md says how to do it."
NEWLY = "The browsers on this computer trust the notebook's authority now; restart those that run."
ALREADY = "The browsers on this computer trust the notebook's authority already."


def typed(where: str, path: str) -> list[str]:
    """The commands for one kind of browser and this file."""
    return [line.replace(FILE, shlex.quote(path)) for line in COMMANDS[where]]


def kept_lines(path: str) -> list[str]:
    """What to say when an authority was made whose key is kept here."""
    return [
        "The certificate is signed by a new authority that can vouch for your notebook and for",
        "nothing else. Its key is kept on this computer, for each renewal. It is in",
        f"    {path}",
        f"Let the browsers here trust it, once: {commands.CONNECT} -e nbserver_trust=true",
    ]


def lines(path: str) -> list[str]:
    """What to say after another authority than before has been checked and written here."""
    return [
        "The certificate is signed by an authority that can vouch for your notebook and for",
        "nothing else, which was checked here. It expires with the certificate. It is in",
        f"    {path}",
        "Let your browser trust it, by what is true for you:",
        *(f"  {where}:\n    " + "\n    ".join(typed(where, path)) for where in COMMANDS),
        "(certutil is in libnss3-tools or nss-tools; restart the browser afterwards.)",
    ]

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a certificate is called, and which one of a file is the server's. Pure."""

from __future__ import annotations

import hashlib

from ansible_collections.hpcc.notebook.plugins.module_utils._common.pem import BEGIN, END


def fingerprint(der: bytes) -> str:
    """SHA-256 in the form that browsers show: 3F:A2:…"""
    digest = hashlib.sha256(der).hexdigest().upper()
    return ":".join(digest[i : i + 2] for i in range(0, len(digest), 2))


def first_certificate(content: bytes) -> str:
    """A file may hold the chain, too; the server's own certificate stands first."""
    body, end, _chain = content.decode("ascii").partition(END)
    return body[body.index(BEGIN) :] + end

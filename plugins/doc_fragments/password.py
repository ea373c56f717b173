# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the password."""

from __future__ import annotations


class ModuleDocFragment:
    """What Ansible looks for."""

    DOCUMENTATION = r"""
options:
  password:
    description:
      - The password, at least 12 characters.
      - May be left out when a good hash is stored already.
      - Accented letters are composed (Unicode NFC), as keyboards and browsers send them, and
        spaces around it are dropped, as Jupyter does.
    type: str
  password_hash:
    description: A hash made elsewhere, C(argon2:$argon2id$…), at least as strong as OWASP asks.
    type: str
"""

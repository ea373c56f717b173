# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of the certificate and its key."""

from __future__ import annotations


class ModuleDocFragment:
    """What Ansible looks for."""

    DOCUMENTATION = r"""
options:
  key_type:
    description: The kind of key.
    type: str
    choices: [ec, rsa]
    default: ec
  key_size:
    description:
      - Bits of the key. V(256) or V(384) for V(ec); V(2048), V(3072) or V(4096) for V(rsa).
      - When not set, V(256) for V(ec) and V(3072) for V(rsa).
    type: int
  days:
    description: For how long a new certificate is valid; browsers refuse more than 398 days.
    type: int
    default: 365
  renew_days:
    description: How many days before it expires the certificate is renewed.
    type: int
    default: 30
  names:
    description: More names or addresses under which browsers reach the server.
    type: list
    elements: str
    default: []
  authority:
    description:
      - Whether an authority of its own signs the certificate. Browsers that trust it show no
        warning.
      - It can vouch for the names of this certificate and for no other. Its key is destroyed once
        it has signed, so that each renewal brings a new one.
    type: bool
    default: false
  authority_kept:
    description:
      - Whether that authority stays the same, so that browsers are told once. Its key is kept on
        the computer that runs Ansible, in C(~/.local/share/hpcc.notebook/), and never leaves it;
        the host sends a request, and gets a certificate back.
      - Includes O(authority=true).
    type: bool
    default: false
  authority_certificate:
    description: The certificate of that authority, as PEM. The action finds it.
    type: str
  signed:
    description:
      - What that authority signed for the request of the run before, and its own certificate, as
        PEM. The action passes it on.
    type: str
"""

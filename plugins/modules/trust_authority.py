#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of an action: the work is done in plugins/action/trust_authority.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: trust_authority
short_description: Keep the authority of a notebook's certificate on this computer
version_added: 0.1.0
description:
  - Checks the authority that M(hpcc.notebook.notebook_certificate) returned, and fails when it can
    vouch for anything but this notebook. A host that somebody else has taken over gets no further.
  - Writes it to C(~/.local/share/hpcc.notebook/) of the controller, and prints how to let browsers
    trust it when it is another one than before.
options:
  chain:
    description: The certificate and its authority, as PEM; empty in check mode when there is none.
    type: str
    required: true
  names:
    description: Names and addresses of the certificate besides localhost, 127.0.0.1 and ::1.
    type: list
    elements: str
    default: []
  profile:
    description: Name of the profile.
    type: str
    default: nbserver
attributes:
  check_mode:
    support: full
    description: Checks the authority and writes nothing.
  diff_mode:
    support: none
    description: Certificates are not for reading.
  action:
    support: full
    description: Runs on the controller.
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Make a certificate with an authority
  hpcc.notebook.notebook_certificate:
    authority: true
  register: certificate

- name: Say how to trust it
  hpcc.notebook.trust_authority:
    chain: "{{ certificate.chain }}"
"""

RETURN = r"""
path:
  description: The file on the controller.
  returned: success
  type: str
  sample: /home/alice/.local/share/hpcc.notebook/dev1-nbserver.crt
"""

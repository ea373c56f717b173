#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The key and the self-signed certificate of a notebook server."""

from __future__ import annotations

DOCUMENTATION = r"""
module: notebook_certificate
short_description: Create and renew the certificate of a notebook server
version_added: 0.1.0
description:
  - Makes a private key and a self-signed certificate in C(security/) of the profile, for
    localhost, 127.0.0.1 and ::1.
  - Replaces both when they are missing, unreadable, unlike what is wanted, open to others or
    about to expire, says why, and leaves them alone otherwise.
  - A running server serves the new certificate at once, for each new connection.
author:
  - The hpcc.notebook maintainers (@hpcc)
extends_documentation_fragment: hpcc.notebook.certificate
requirements:
  - cryptography >= 44 in the Python that runs the module, except to decide on a new profile
options:
  profile:
    description: The name of the profile.
    type: str
    default: nbserver
  state:
    description: Whether the pair exists.
    type: str
    choices: [present, absent]
    default: present
attributes:
  check_mode:
    description: Decides everything and changes nothing.
    support: full
  diff_mode:
    description: Shows what the pair is like, never its content.
    support: full
"""

EXAMPLES = r"""
- name: Make sure that the certificate is good for another month
  hpcc.notebook.notebook_certificate:
    profile: nbserver

- name: Let browsers be told to trust it
  hpcc.notebook.notebook_certificate:
    authority: true
"""

RETURN = r"""
path:
  description: The certificate.
  returned: success
  type: str
  sample: /home/alice/.ipython/profile_nbserver/security/notebook.crt
key_path:
  description: The private key.
  returned: success
  type: str
  sample: /home/alice/.ipython/profile_nbserver/security/notebook.key
authority_path:
  description: The certificate of the authority, for browsers.
  returned: with O(authority=true)
  type: str
  sample: /home/alice/.ipython/profile_nbserver/security/authority.crt
chain:
  description: The certificate and that of its authority; empty in check mode when there is none.
  returned: with O(authority=true)
  type: str
request:
  description: What an authority is to sign, as PEM.
  returned: with O(authority_kept=true), when a certificate is needed and nobody could sign it
  type: str
reason:
  description: Why the pair was replaced; empty when it was not.
  returned: success
  type: str
  sample: it expires in 12 days
fingerprint:
  description: SHA-256 as browsers show it; in check mode that of the present certificate.
  returned: when there is a certificate
  type: str
  sample: "3F:A2:00:…"
not_after:
  description: When it expires.
  returned: when there is a certificate
  type: str
  sample: "2027-07-18T09:30:00Z"
days_left:
  description: Whole days until then.
  returned: when there is a certificate
  type: int
  sample: 364
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.hpcc.notebook.plugins.module_utils._common import resource
from ansible_collections.hpcc.notebook.plugins.module_utils._options.notebook_certificate import (
    INTERFACE,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.certificate_resource import (
    decide,
)


def main() -> None:
    """Run the module."""
    resource.run(AnsibleModule(**INTERFACE, supports_check_mode=True), decide)


if __name__ == "__main__":
    main()

#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of an action: the work is done in plugins/action/connect.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: connect
short_description: Connect this computer with a running notebook server
version_added: 0.1.0
description:
  - Logs in with the ssh of the controller, finds the server of the profile, opens the tunnel, and
    lets the server prove through it that it holds the certificate of the profile.
  - Stays until Ctrl-C. When the network is lost or the computer has slept, it connects again.
  - What ssh asks (passwords, codes, passphrases) is asked on the terminal. A master connection that
    is open already is used, and left open.
  - With O(form=two_hop) the command is printed for the person to type.
  - Needs no Python on the host, and uses no connection of Ansible.
options:
  state:
    description: V(found) only finds the server and returns how it is reached.
    type: str
    choices: [connected, found]
    default: connected
  open_browser:
    description: Whether the address is opened in a browser.
    type: bool
    default: false
  required:
    description:
      - Whether a server has to run. With V(false), and when none does, nothing fails, and
        RV(state) is V(stopped).
    type: bool
    default: true
  trust:
    description:
      - V(true) has the browsers of this computer trust the authority that signed the certificate of
        the server, V(false) has them trust no authority of a notebook any more. V(untouched) does
        neither.
      - Firefox, and Chromium and its relatives, on Linux, by C(certutil). Elsewhere the commands
        are printed.
    type: raw
    default: untouched
  names:
    description: Names of the certificate besides localhost, 127.0.0.1 and ::1.
    type: list
    elements: str
    default: []
extends_documentation_fragment: [hpcc.notebook.controller, hpcc.notebook.reaching]
attributes:
  check_mode:
    support: full
    description: Finds the server, and opens no tunnel.
seealso:
  - module: hpcc.notebook.notebook_server
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Connect and open a browser
  hpcc.notebook.connect:
    gateway: hpcc.msu.edu
    open_browser: true
"""

RETURN = r"""
host:
  description: Short name of the host that the server runs on.
  returned: when it was only found
  type: str
  sample: dev-intel10
user:
  description: Login name that it runs as.
  returned: when it was only found
  type: str
  sample: alice
state:
  description: What is true of it.
  returned: when it was only found, or was not required and does not run
  type: str
  sample: started
elsewhere:
  description: Whether another host of the play was asked, whose server was recorded and is gone.
  returned: when it was not required and does not run
  type: bool
session:
  description: Name of its tmux session.
  returned: when it was only found
  type: str
  sample: nbserver
frontend:
  description: What people see.
  returned: when it was only found
  type: str
  sample: lab
version:
  description: Front end and version.
  returned: when it was only found
  type: str
  sample: JupyterLab 4.6.6
transport:
  description: Where it listens.
  returned: when it was only found
  type: str
  sample: socket
socket:
  description: Path of the socket.
  returned: when it was only found
  type: str
  sample: /tmp/nbserver-1000/notebook.sock
gateway_socket:
  description: Path on the gateway that O(form=two_hop) uses.
  returned: when it was only found
  type: str
  sample: /home/alice/.ipython/profile_nbserver/run/dev-intel10.sock
port:
  description: Port of 127.0.0.1; over a socket, the one that it would have.
  returned: when it was only found
  type: int
  sample: 8888
certificate_sha256:
  description: Fingerprint of the certificate that it was started with.
  returned: when it was only found
  type: str
  sample: '3F:A2:90:…'
since:
  description: When it was started.
  returned: when it was only found
  type: str
  sample: '2026-07-18T09:30:00Z'
"""

#!/usr/bin/python
# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of an action: the work is done in plugins/action/conda_distribution.py."""

from __future__ import annotations

DOCUMENTATION = r"""
module: conda_distribution
short_description: Install a conda distribution without root and without Python
version_added: 0.1.0
description:
  - Makes sure that Anaconda, Miniconda or Miniforge is live under a path that stays the same.
  - Works on hosts without any Python.
  - The work goes on on the host when the connection ends, and the next run joins it.
  - A generation becomes live in one step, after it was tried. The one before it is kept.
  - Whatever lies at O(prefix) and was not made by this module is left alone.
options:
  prefix:
    description:
      - Path of the installation, absolute or beginning with C(~/).
      - It becomes a symbolic link into the directory C(<prefix>.d), where the files lie.
    type: str
    default: ~/anaconda
  distribution:
    description: Which distribution.
    type: str
    choices: [anaconda, miniconda, miniforge] # distributions: make docs
    default: anaconda
  version:
    description:
      - A pinned version of the distribution, by default the newest.
      - With O(url), how that installer's version is called; by default what its file name says.
    type: str
  url:
    description: The https address of another installer than the pinned ones. Needs O(sha256).
    type: str
  sha256:
    description: The checksum that the installer at O(url) must have.
    type: str
  accept_terms:
    description: V(true) accepts the terms of service that Anaconda and Miniconda have.
    type: bool
    default: false
  packages:
    description:
      - Requirements such as V(jupyterlab>=4.6) that the installation has to fulfil.
      - Packages that are not named here are left as they are.
    type: list
    elements: str
    default: []
  packages_from:
    description: What installs the packages.
    type: str
    choices: [pip, conda]
    default: pip
  index_url:
    description: The https address of the package index for pip.
    type: str
  channels:
    description: The channels for conda, and no others.
    type: list
    elements: str
    default: []
  download_on:
    description: V(controller) fetches the installer to the controller and copies it to the host.
    type: str
    choices: [host, controller]
    default: host
  download_timeout:
    description: The longest that the download may take, in seconds.
    type: int
    default: 7200
  owner:
    description:
      - An account that may own the installation besides root and the one that logs in, such as
        whoever installs for a lab. Nothing is run from what belongs to anybody else.
    type: str
    default: ""
  group:
    description:
      - The group whose members alone may use the installation, such as that of a lab; the account
        that installs has to be in it. The store gets this group and the mode 0750.
      - Without one, everybody may use it who gets into the directory above.
      - Taking it out of a playbook opens nothing that was closed.
    type: str
    default: ""
  adopt:
    description:
      - V(true) takes over a working installation of this O(distribution) that was made by hand.
      - It stays where and as it is, whatever its version; the O(packages) that it lacks are added.
    type: bool
    default: false
  state:
    description:
      - V(present) installs what is not there. The version before is kept beside it.
      - V(found) only looks, and fails when there is no complete installation.
      - V(rolled_back) makes the generation live again that was so before, in one step.
      - Doing so twice does not go further back.
      - V(absent) removes what this module made and only that; not while something runs from it.
    type: str
    choices: [present, found, rolled_back, absent]
    default: present
attributes:
  check_mode:
    support: full
    description: Looks at the host with one shell command and says what would be done.
  diff_mode:
    support: full
    description: The same in check mode. Packages yet to come are shown as they were asked for.
  action:
    support: full
    description: Leads the installation from the controller.
author:
  - The hpcc.notebook maintainers (@hpcc)
"""

EXAMPLES = r"""
- name: Install Miniforge with JupyterLab
  hpcc.notebook.conda_distribution:
    distribution: miniforge
    packages:
      - jupyterlab>=4.6
  register: installation

- name: Install for a whole lab from the site's mirror
  hpcc.notebook.conda_distribution:
    prefix: /mnt/research/lab/anaconda
    distribution: miniforge
    url: https://mirror.example.org/Miniforge3-26.3.2-3-Linux-x86_64.sh
    sha256: 848194851a98903134187fbb4ab50efe87b003e0c0f808f97644b7524a62bf2c

- name: Go back to the version before
  hpcc.notebook.conda_distribution:
    state: rolled_back

- name: Remove everything that was installed
  hpcc.notebook.conda_distribution:
    state: absent

- name: Find what was installed earlier
  hpcc.notebook.conda_distribution:
    state: found
  register: installation
"""

RETURN = r"""
home:
  description: The home directory of the account, whatever its login files print.
  type: str
  returned: unless O(state=absent)
  sample: /home/alice
prefix:
  description: The absolute path of the installation.
  type: str
  returned: success
  sample: /home/alice/anaconda
generation:
  description: Where the files of the live installation lie; in check mode, where they would.
  type: str
  returned: success
  sample: /home/alice/anaconda.d/miniforge-26.3.2-3-848194851a98
distribution:
  description: Which distribution it is.
  type: str
  returned: success
  sample: miniforge
version:
  description: Its version.
  type: str
  returned: success
  sample: 26.3.2-3
sha256:
  description: The checksum of its installer.
  type: str
  returned: success
  sample: 848194851a98903134187fbb4ab50efe87b003e0c0f808f97644b7524a62bf2c
python:
  description:
    - The interpreter for whatever follows.
    - In check mode before the first installation, the host's own Python.
    - Empty when that is older than 3.8 or not there.
  type: str
  returned: success
  sample: /home/alice/anaconda/bin/python
packages:
  description: The versions of those packages that were asked for and are there.
  type: dict
  returned: success
  sample: {jupyterlab: 4.6.6}
kept:
  description: What was left in C(<prefix>.d), because people made it; in check mode, what is there.
  type: list
  elements: str
  returned: when O(state=absent)
  sample: [/home/alice/anaconda.d/envs/mine]
reason:
  description: Why something was done, or why nothing was.
  type: str
  returned: success
  sample: miniforge-26.3.2-3-848194851a98 is complete
"""

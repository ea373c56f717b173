# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stands around a certificate in a file. Pure."""

from __future__ import annotations

BEGIN, END = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"

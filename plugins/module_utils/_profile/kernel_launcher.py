# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The program that starts a kernel to which no port of the node leads. Pure: it is only text."""

from __future__ import annotations

from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import ENVIRONMENTS
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.private_directory import (
    PRIVATE_DIRECTORY,
)

# Over ipc, ipykernel still opens two ports of 127.0.0.1, where every user of the node can connect:
# one for what forked processes print (strangers could fill the log through it), and, once somebody
# debugs, that of debugpy, which asks nobody who he is and runs what it is told.
_LAUNCHER = '''\
# Managed by hpcc.notebook: starts an IPython kernel that listens on no port of the node.
import json
import os
import stat
import sys

sys.path.pop(0)  # this directory; the kernel adds the working directory later by itself

import zmq
from IPython.core import history
from ipykernel import debugger, iostream, ipkernel, kernelapp
from zmq.eventloop.zmqstream import ZMQStream


{private}

def private_json(path):
    """Read a file that is ours alone from where nobody else can put one: opened once."""
    directory, name = os.path.split(os.path.abspath(path))
    opened = hold_private(directory)
    try:
        file = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=opened)
    finally:
        os.close(opened)
    with os.fdopen(file) as content:
        found = os.fstat(file)
        ours = stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()
        if not ours or found.st_mode & 0o077:
            raise PermissionError(f"{path}: this file is not yours alone")
        return json.load(content)


class PrivateThread(iostream.IOPubThread):
    """Takes what forked processes print over a socket beside the others of this kernel."""

    def _setup_pipe_in(self):
        self._pipe_uuid = os.urandom(16)
        # The five channels of a kernel are -1 to -5; whoever cleans them up takes this along.
        directory, name = os.path.split(f"{kernelapp.IPKernelApp.instance().ip}-6")
        # Forks connect later, when somebody else may have made the directory again.
        self._pipe_address = f"ipc://{inside(hold_private(directory), name)}"
        pipe = self.socket.context.socket(zmq.PULL)
        pipe.linger = 0
        pipe.bind(f"ipc://{directory}/{name}")
        self._pipe_in = ZMQStream(pipe, self.io_loop)
        self._pipe_in.on_recv(self._handle_pipe_msg)

    def _setup_pipe_out(self):
        context = zmq.Context()  # a new one after the fork
        pipe = context.socket(zmq.PUSH)
        pipe.linger = 3000
        pipe.connect(self._pipe_address)
        return context, pipe


class PrivateKernel(kernelapp.IPKernelApp):
    def load_connection_file(self, connection_file=None):
        """The key of all messages stands there: whoever wrote it can run code here."""
        try:
            self.load_connection_info(private_json(connection_file or self.connection_file))
        except (OSError, ValueError) as reason:
            sys.exit(f"hpcc.notebook: no kernel is started: {reason}")

    def init_iopub(self, context):
        if self.transport == "ipc":
            kernelapp.IOPubThread = PrivateThread
        super().init_iopub(context)


open_history = history.HistoryAccessor.init_db


def open_private_history(accessor):
    """IPython opens its database of inputs again when it cannot write: in memory by then."""
    directory = os.path.dirname(str(accessor.hist_file))
    if directory == os.environ.get("JUPYTER_RUNTIME_DIR"):
        try:
            require_private(directory)
        except OSError:
            accessor.hist_file = ":memory:"
    return open_history(accessor)


history.HistoryAccessor.init_db = open_private_history

{debugger}PrivateKernel.launch_instance()
'''
# The kernel asks its module debugger whether there is one; that of old versions has a copy.
_NO_DEBUGGER = "debugger._is_debugpy_available = ipkernel._is_debugpy_available = False\n\n"
_UNLESS_ENVIRONMENT = f'''\
if os.environ.get("{ENVIRONMENTS}") == "kernel":
    {_NO_DEBUGGER}'''


def launcher(*, debugger: bool = False) -> str:
    """Render the program, with or without the debugger's port."""
    text = _LAUNCHER.replace("{private}", PRIVATE_DIRECTORY)
    return text.replace("{debugger}", _UNLESS_ENVIRONMENT if debugger else _NO_DEBUGGER)

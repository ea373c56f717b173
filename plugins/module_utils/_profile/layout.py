# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What lies in a profile and what is written into it. Pure: names and values in, text out."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import dataclass
from typing import Mapping

from ansible_collections.hpcc.notebook.plugins.module_utils._common.quoting import python_literal
from ansible_collections.hpcc.notebook.plugins.module_utils._profile import (
    contents,
    meters,
    pages,
    time_left,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.own_generation import (
    OWN_GENERATION,
)
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.private_directory import (
    PRIVATE_DIRECTORY,
)

MANAGED = "# Managed by hpcc.notebook: edits are lost; use the variable nbserver_profile_options."
END = "# The end: a start of the server refuses a file that is cut off before this line."
STARTING = "# Begun by hpcc.notebook, and yours from here on: it is never written again."

# Relative to the profile; a directory stands after the one that it is in.
DIRECTORIES = (
    "db",
    "log",
    "pid",
    "run",
    "security",
    "startup",
    "jupyter",
    "jupyter/kernels",
    "jupyter/kernels/python3",
    "jupyter/nbextensions",
    "jupyter/nbextensions/table_of_contents",
    *time_left.DIRECTORIES,
    "labconfig",
    "labconfig/default_setting_overrides.d",
    "serverconfig",
    "serverconfig/notebook.d",
    pages.TEMPLATES,
)

SERVER_CONFIG = "jupyter_server_config.py"
PASSWORD_FILE = "jupyter_server_config.json"  # noqa: S105 - where Jupyter itself keeps it
KERNEL_SPEC = "jupyter/kernels/python3/kernel.json"
KERNEL_LAUNCHER = "jupyter/kernels/python3/launch.py"
ENVIRONMENT_KERNELS = "jupyter/environment_kernels.py"
ENVIRONMENTS = "HPCC_NOTEBOOK_ENVIRONMENTS"  # whether a server shows their kernels

# Of the profile whose engines come from the scheduler:
# written by role parallel, and begun by IPython.
ENGINES = "ipcluster_config.py"
ENGINES_MARK = ": engines through the site's scheduler, for JupyterLab's panel"
README = "startup/README"
IPYTHONS_README = b"This is the IPython startup directory\n"

# Begun by us, for the person to go on with.
IPYTHONS = (README, "ipython_config.py", "ipython_kernel_config.py")

# Everything that we ever make and that teardown may therefore remove.
FILES = (
    "security/token",
    "security/cookie_secret",
    "security/notebook.key",
    "security/notebook.crt",
    "security/authority.crt",
    "security/waiting.key",
    *IPYTHONS,
    KERNEL_SPEC,
    contents.SCRIPT,
    contents.SWITCH,
    *time_left.FILES,
    pages.DEFAULTS,
    pages.LOGIN,
    KERNEL_LAUNCHER,
    ENVIRONMENT_KERNELS,
    meters.FILE,
    ENGINES,
    PASSWORD_FILE,
    SERVER_CONFIG,
)

# What servers have written since.
LOGS = ("server.log", "server.log.1", "trial.log", "kernel.log")
MARKS = ("migrated",)
# Of a server that is a job: the record, and how it ended; what a restart has asked of it, and its
# answer; what it uses; the lock of whoever submits; what was submitted, what that runs, and what it
# printed; its successor's record, and what was submitted.
JOB = "job"
JOB_FILES = {
    name: f"{JOB}/{name}"
    for name in (
        *("submission.json", "end.json", "asked.json", "answer.json", "usage.json", "lock"),
        *("job.sh", "supervisor.py", "job.log", "next.json", "next.sh"),
    )
}
IPYTHONS_DIRECTORIES = ("static",)  # beside those that we make, too

# All that a kernel is ever asked, but debug_request: it opens a port of the node, through which
# every other user can run code as the person. So it is for the kernels of other environments, too.
MESSAGES = """
    execute_request inspect_request complete_request history_request is_complete_request
    kernel_info_request connect_request comm_info_request comm_open comm_msg comm_close
    input_reply interrupt_request shutdown_request usage_request
    create_subshell_request delete_subshell_request list_subshell_request
"""

STARTUP_README = f"""{STARTING}

Files in this directory that end in .py or .ipy are run, in the order of their names,
whenever IPython or a kernel starts under this profile.
"""

IPYTHON_CONFIG = f"""{STARTING}
c = get_config()  # noqa
"""

# SQLite on a shared home can stall for minutes, so the history stays on the node.
KERNEL_CONFIG = f"""{STARTING}
import os

c = get_config()  # noqa

node_local = os.environ.get("JUPYTER_RUNTIME_DIR")
if node_local:  # the history is SQLite, which can stall for minutes on a shared home directory
    c.HistoryManager.hist_file = os.path.join(node_local, "history.sqlite")
"""

BEGUN = dict(zip(IPYTHONS, (STARTUP_README, IPYTHON_CONFIG, KERNEL_CONFIG)))

_SERVER_CONFIG = """{managed}
import contextlib
import json
import os
import runpy
import stat
import sys
import time

from jupyter_client.connect import ConnectionFileMixin
from jupyter_client.manager import KernelManager
from jupyter_server.serverapp import ServerApp
from nbformat import sign
from tornado.web import HTTPError

c = get_config()  # noqa

{settings}

# Kernels talk over files that only you can open, not over ports of the node.
c.KernelManager.transport = "ipc"

node_local = os.environ.get("JUPYTER_RUNTIME_DIR")
if node_local:  # signatures are SQLite, which can stall for minutes on a shared home directory
    c.NotebookNotary.db_file = os.path.join(node_local, "nbsignatures.db")
    c.NotebookNotary.store_factory = lambda: signatures()  # below; asked again when one is gone

# Kernels of your own environments, by choice.
if os.environ.get("{environments}"):
    finder = runpy.run_path({environment_kernels}, run_name="hpcc_notebook_environments")
    c.ServerApp.kernel_spec_manager_class = finder["manager_class"]()

# Kernels of any environment obey whoever writes their connection files, and whoever has made new
# sockets in the place of theirs is told what is typed.
{private}

def require_runtime(manager, *, make=False):
    directory = os.path.dirname(manager.connection_file) or node_local
    try:
        for each in (os.path.dirname(directory), directory) if make else ():
            with contextlib.suppress(FileExistsError):  # a sweep of /tmp may have taken them
                os.mkdir(each, 0o700)
        require_private(directory)
    except OSError as reason:
        say = f"no kernel is {{'started' if make else 'reached'}}: {{reason}}; restart the server"
        raise HTTPError(503, say, reason="The server has to be restarted") from None


def writing(method):
    def into_a_private_directory(manager, *arguments, **options):
        require_runtime(manager, make=True)
        return method(manager, *arguments, **options)

    return into_a_private_directory


# A connection that breaks is made anew by its name, at any time, by ZeroMQ itself. So each leads
# through the directory that was found private, held open: made again by others, it is another.
held = {{}}


def hold(directory):
    opened = hold_private(directory)
    found = os.fstat(opened)
    kept = held.setdefault((found.st_dev, found.st_ino), opened)
    if kept != opened:
        os.close(opened)
    return kept


def connecting(method):
    def inside_a_private_directory(manager, *arguments, **options):
        require_runtime(manager)
        url = method(manager, *arguments, **options)
        if not url.startswith("ipc://"):
            return url
        directory, name = os.path.split(url[len("ipc://"):])
        return f"ipc://{{inside(hold(directory or '.'), name)}}"

    return inside_a_private_directory


# An upgrade turns the link to the installation; what this server starts stays of one piece with it.
{own_generation}

def naming(method):
    def from_our_generation(manager, *arguments, **options):
        command = method(manager, *arguments, **options)
        return [own_generation(command[0]), *command[1:]] if command else command

    return from_our_generation


def signatures():
    # In memory where others could put their own file, or a link, in the place of ours.
    with contextlib.suppress(OSError):
        require_private(node_local)
        if sign.sqlite3:
            return sign.SQLiteSignatureStore(os.path.join(node_local, "nbsignatures.db"))
    return sign.MemorySignatureStore()


# What tells one notebook from another: on the login page, and in the title of a tab.
place = {{"user": os.environ.get("USER", ""), "profile": {name}}}
place["node"] = os.uname().nodename.partition(".")[0]


# What an open page shows of memory, CPU time and quota; a server goes without it, too.
services = []
try:
    runpy.run_path({meters})
    services = ["{meters_name}"]
except Exception as reason:
    print(f"hpcc.notebook: no meters in the page: {{reason!r}}", file=sys.stderr)

# When a server that is a job ends. What is left is said: the browser's clock may be another one.
end = json.loads(os.environ.get("{end_variable}") or "null")


def named(_handler, page):
    page["appName"] = "{{node}} ({{profile}})".format(**place)
    page["{meters_in_page}"] = "{meters_at}" if services else ""
    if end:
        page["{end_in_page}"] = {{**end, "left": end["at"] - time.time()}}
    return page


# No page for a browser on the node: it would hold the token. This has no option of its own.
if ServerApp.initialized():
    server = ServerApp.instance()
    server.no_browser_open_file = True
    server.jinja_template_vars = {{"notebook": place}}
    server.extra_services = services
    server.tornado_settings = {{"page_config_hook": named}}
    kernels = ConnectionFileMixin
    kernels.write_connection_file = writing(kernels.write_connection_file)
    kernels._make_url = connecting(kernels._make_url)  # each connection asks it where to
    KernelManager.format_kernel_cmd = naming(KernelManager.format_kernel_cmd)

{end}
"""

_SECRET = re.compile(
    r"(?P<name>(?:password|token)\s*=\s*)[^\n]+|(?:argon2|sha1):[^\s'\"]+", re.IGNORECASE
)


_ROOT_DIR = re.compile(r"^c\.ServerApp\.root_dir = (.*)$", re.MULTILINE)


@dataclass(frozen=True)
class Layout:
    """Where everything of a profile lies, in the person's own spelling of the home directory."""

    home: str
    name: str

    @property
    def ipython(self) -> str:
        return f"{self.home}/.ipython"

    @property
    def directory(self) -> str:
        return f"{self.ipython}/profile_{self.name}"

    @property
    def security(self) -> str:
        return self.at("security")

    @property
    def private_directories(self) -> tuple[str, str, str]:
        """What has to be there, from the top, before a secret is written."""
        return self.ipython, self.directory, self.security

    @property
    def key(self) -> str:
        return self.at("security/notebook.key")

    @property
    def certificate(self) -> str:
        return self.at("security/notebook.crt")

    @property
    def authority(self) -> str:
        return self.at("security/authority.crt")

    @property
    def waiting_key(self) -> str:
        """Of a certificate that an authority on the person's computer is asked for."""
        return self.at("security/waiting.key")

    @property
    def token(self) -> str:
        return self.at("security/token")

    @property
    def cookie_secret(self) -> str:
        return self.at("security/cookie_secret")

    @property
    def password_file(self) -> str:
        return self.at(PASSWORD_FILE)

    def at(self, relative: str) -> str:
        """Give the path of something in the profile."""
        return f"{self.directory}/{relative}"

    def expanded(self, path: str) -> str:
        """Give an absolute path for one that may begin with ~."""
        return self.home + path[1:] if path == "~" or path.startswith("~/") else path


def server_config(
    layout: Layout, root_dir: str, options: Mapping[str, object], *, debugger: bool = False
) -> str:
    """Render jupyter_server_config.py: ours first, then what the person added."""
    settings = {
        "ServerApp.open_browser": False,
        "ServerApp.certfile": layout.certificate,
        "ServerApp.keyfile": layout.key,
        "ServerApp.root_dir": layout.expanded(root_dir),
        "ServerApp.port_retries": 0,
        "ServerApp.cookie_secret_file": layout.cookie_secret,
        "ServerApp.extra_template_paths": [layout.at(pages.TEMPLATES)],
        "PasswordIdentityProvider.password_required": True,
        "PasswordIdentityProvider.allow_password_change": False,
    }
    if not debugger:
        settings["MappingKernelManager.allowed_message_types"] = MESSAGES.split()
    settings.update(sorted(options.items()))
    lines = (f"c.{name} = {python_literal(value)}" for name, value in settings.items())
    return _SERVER_CONFIG.format(
        managed=MANAGED,
        settings="\n".join(lines),
        environments=ENVIRONMENTS,
        environment_kernels=python_literal(layout.at(ENVIRONMENT_KERNELS)),
        name=python_literal(layout.name),
        private=PRIVATE_DIRECTORY,
        own_generation=OWN_GENERATION,
        meters=python_literal(layout.at(meters.FILE)),
        meters_name=meters.NAME,
        meters_at=meters.AT,
        meters_in_page=meters.IN_PAGE,
        end_variable=meters.END,
        end_in_page=time_left.IN_PAGE,
        end=END,
    )


def root_directory(config: str) -> str | None:
    """Where a configuration of ours lets the server begin; None in one of somebody else."""
    found = _ROOT_DIR.search(config) if config.startswith(MANAGED) else None
    try:
        value = ast.literal_eval(found[1]) if found else None
    except (SyntaxError, ValueError):
        return None
    return value if isinstance(value, str) else None


OWN_PYTHON = "python"  # Jupyter takes it for the Python that it runs on itself
OWN_KERNEL = "Python 3 (base)"  # as conda calls it; those of environments have their names


def kernel_spec(layout: Layout, python: str, *, debugger: bool = False) -> str:
    """Render the kernel that runs under the profile, whatever the person's own settings say.

    The server's own Python is not named by its path: one server may run from an older generation
    of the installation than the next, and both read this.
    """
    command = [python, "-Xfrozen_modules=off", layout.at(KERNEL_LAUNCHER)]
    spec = {
        "argv": [*command, "-f", "{connection_file}", f"--profile={layout.name}"],
        "display_name": kernel_title(layout, python),
        "env": {"IPYTHONDIR": layout.ipython},
        "language": "python",
        "metadata": {"debugger": debugger, "managed_by": "hpcc.notebook"},
    }
    return json.dumps(spec, indent=1, sort_keys=True) + "\n"


def kernel_title(layout: Layout, python: str) -> str:
    """What the launcher shows: whose packages a notebook with this kernel has."""
    if python == OWN_PYTHON:
        return OWN_KERNEL
    return f"Python 3 ({python.replace(f'{layout.home}/', '~/', 1)})"


def is_ours(content: bytes) -> bool:
    """Tell a file that we rendered from one that a person wrote."""
    return content.startswith(b"# Managed by hpcc.notebook")


def without_secrets(content: bytes) -> str:
    """Give the text of a file for a diff, without what an old recipe may have put into it."""
    text = content.decode("utf-8", "replace")
    return _SECRET.sub(lambda found: f"{found['name'] or ''}(hidden)", text)

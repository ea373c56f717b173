# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is started, where it lies and how it is recognised again. Pure: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils.errors import NotebookError

SOCKET_PATH_LIMIT = 107  # bytes of sockaddr_un.sun_path, without the NUL at its end


@dataclass(frozen=True)
class Frontend:
    """A program that serves notebooks: `python -m <module>`, installed as `distribution`."""

    module: str
    distribution: str
    title: str


FRONTENDS = {
    "lab": Frontend("jupyterlab", "jupyterlab", "JupyterLab"),
    "notebook": Frontend("notebook", "notebook", "Jupyter Notebook"),
    "nbclassic": Frontend("nbclassic", "nbclassic", "NbClassic"),
}


@dataclass(frozen=True)
class Launch:
    """How a server is asked to serve."""

    frontend: str
    transport: str
    port: int  # means something over TCP only

    def __str__(self) -> str:
        way = f"on port {self.port}" if self.transport == "tcp" else "over a socket"
        return f"{FRONTENDS[self.frontend].title} {way}"


@dataclass(frozen=True)
class Layout:
    """Where everything of one profile lies, seen from one host."""

    home: str
    profile: str
    host: str
    uid: int

    @property
    def directory(self) -> str:
        return f"{self.home}/.ipython/profile_{self.profile}"

    @property
    def certificate(self) -> str:
        return f"{self.directory}/security/notebook.crt"

    @property
    def key(self) -> str:
        return f"{self.directory}/security/notebook.key"

    @property
    def token(self) -> str:
        return f"{self.directory}/security/token"

    @property
    def records(self) -> str:
        return f"{self.directory}/run"

    @property
    def record(self) -> str:
        return f"{self.records}/{self.host}.json"

    @property
    def logs(self) -> str:
        return f"{self.directory}/log/{self.host}"

    @property
    def log(self) -> str:
        return f"{self.logs}/server.log"

    @property
    def local(self) -> str:
        """Off the shared home: sockets mean nothing on another host, and their paths are short."""
        return f"/tmp/{self.profile}-{self.uid}"  # noqa: S108 - owner and mode are verified

    @property
    def socket(self) -> str:
        return f"{self.local}/notebook.sock"

    @property
    def tmux_socket(self) -> str:
        return f"{self.local}/tmux.sock"

    @property
    def runtime(self) -> str:
        return f"{self.local}/runtime"

    @property
    def lock(self) -> str:
        return f"{self.local}/lock"


def require_short_sockets(layout: Layout) -> None:
    """Jupyter says "listening" and does not, when the path of its socket is too long."""
    for path in (layout.socket, layout.tmux_socket):
        length = len(path.encode())
        if length > SOCKET_PATH_LIMIT:
            what = f"the path has {length} bytes, a socket's may have {SOCKET_PATH_LIMIT}"
            raise NotebookError(what, path, "Choose a shorter name for the profile.")


# Said on the command line, too, because that beats every file: a site's, a damaged one of ours.
# None of it is secret; every user of the node can read it.
_PINS = (
    "--ServerApp.allow_root=False",
    "--ServerApp.allow_origin=",
    "--ServerApp.allow_origin_pat=",
    "--ServerApp.allow_remote_access=False",
    "--ServerApp.disable_check_xsrf=False",
    "--ServerApp.identity_provider_class=jupyter_server.auth.identity.PasswordIdentityProvider",
    "--ServerApp.ip=127.0.0.1",
    "--ServerApp.open_browser=False",
    "--ServerApp.port_retries=0",
    "--PasswordIdentityProvider.password_required=True",
    "--KernelManager.transport=ipc",
)
_DEFAULT_PORT = 8888  # the only one that Jupyter accepts beside a socket


def server_argv(python: str, layout: Layout, launch: Launch) -> list[str]:
    """The server's own command line.

    `-I` keeps the person's home (the working directory), ~/.local and PYTHON* variables from
    deciding which Jupyter runs. Kernels do not inherit it: there the person's packages count.
    """
    over_socket = launch.transport == "socket"
    return [
        *(python, "-I", "-m", FRONTENDS[launch.frontend].module),
        *_PINS,
        f"--ServerApp.certfile={layout.certificate}",
        f"--ServerApp.keyfile={layout.key}",
        f"--ServerApp.sock={layout.socket if over_socket else ''}",
        "--ServerApp.sock_mode=0600",
        f"--ServerApp.port={_DEFAULT_PORT if over_socket else launch.port}",
    ]


def launched(argv: Sequence[str], layout: Layout) -> Launch | None:
    """What a process was asked to serve, if its command line is one of ours for this profile."""
    modules = {frontend.module: name for name, frontend in FRONTENDS.items()}
    if f"--ServerApp.certfile={layout.certificate}" not in argv or "-m" not in argv[:-1]:
        return None
    frontend = modules.get(argv[argv.index("-m") + 1])
    port = _value(argv, "--ServerApp.port=")
    if frontend is None or not port.isdecimal():
        return None
    transport = "socket" if _value(argv, "--ServerApp.sock=") else "tcp"
    return Launch(frontend, transport, int(port))


def _value(argv: Sequence[str], option: str) -> str:
    return next((word[len(option) :] for word in argv if word.startswith(option)), "")


def variables(layout: Layout) -> dict[str, str]:
    """What the server and its kernels need to know, whatever the site's profile says."""
    return {
        # Makes our directory the user's level of configuration, and that level beat
        # <installation>/etc/jupyter, which wins otherwise when the person owns the installation.
        "JUPYTER_CONFIG_DIR": layout.directory,
        "JUPYTER_PREFER_ENV_PATH": "0",
        "JUPYTER_PATH": f"{layout.directory}/jupyter",
        "JUPYTER_RUNTIME_DIR": layout.runtime,
        "JUPYTER_TOKEN_FILE": layout.token,
        "IPYTHONDIR": f"{layout.home}/.ipython",
        # Otherwise a damaged configuration file is skipped, and the password with it.
        "TRAITLETS_APPLICATION_RAISE_CONFIG_FILE_ERROR": "1",
    }


def clean_environment(home: str, user: str, shell: str) -> dict[str, str]:
    """What the session begins with: who it is for, and nothing of the connection it came over."""
    return {
        "HOME": home,
        "USER": user,
        "LOGNAME": user,
        "SHELL": shell,
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        "TERM": "screen",
    }


# A site's profile may set these for its own Python or Jupyter; they would change ours.
_FORGOTTEN = (
    "PYTHONPATH PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE JUPYTER_CONFIG_PATH JUPYTER_NO_CONFIG "
    "JUPYTER_TOKEN JUPYTER_DATA_DIR JUPYTER_ALLOW_INSECURE_WRITES JUPYTER_PORT "
    "JUPYTER_SERVER_ALLOW_UNAUTHENTICATED_ACCESS"
)

# The site's profile brings its module system and its scheduler; the person's own files are not
# read. The log is followed in the session, for whoever attaches to it; `exec` keeps the pid.
_SCRIPT = f"""
[ -r /etc/profile ] && . /etc/profile </dev/null >/dev/null 2>&1
unset {_FORGOTTEN}
PATH=$1${{PATH:+:$PATH}}; export PATH
cd "$2"
log=$3
shift 3
tail -n +1 -F "$log" 2>/dev/null &
exec env "$@" >>"$log" 2>&1 </dev/null
"""


def launch_line(shell: str, python: str, layout: Layout, launch: Launch) -> list[str]:
    """What the tmux session runs until it becomes the server itself."""
    quiet = ["--noprofile", "--norc"] if shell.endswith("bash") else []
    assignments = [f"{name}={value}" for name, value in variables(layout).items()]
    positions = [python.rpartition("/")[0], layout.home, layout.log]
    argv = server_argv(python, layout, launch)
    return [shell, *quiet, "-c", _SCRIPT, layout.profile, *positions, *assignments, *argv]


def why_start(state: str, running: Launch | None, session: bool, before: str | None) -> str | None:
    """The reason to start a server, or None when there is nothing to start."""
    if state == "stopped" or (running and state == "started"):
        return None
    if running:
        return "a restart was asked for"
    if session:
        return "the tmux session had lost its server"
    return before or "not running"


def why_stop(state: str, running: Launch | None, session: bool) -> str | None:
    """The reason to stop what is there, or None when nothing is."""
    if running and state != "started":
        return "running" if state == "stopped" else "a restart was asked for"
    if session and not running:
        return "the tmux session had lost its server"
    return None


def difference(running: Launch, wanted: Launch) -> str | None:
    """What a running server does not do as asked; only a restart changes that."""
    same_port = running.port == wanted.port or wanted.transport == "socket"
    if (running.frontend, running.transport) == (wanted.frontend, wanted.transport) and same_port:
        return None
    return f"{running} is running already and was left alone; restart it to have {wanted}"

# Copyright (c) hpcc.notebook contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a server is launched and how it is recognised again. Pure: values in, words out."""

from __future__ import annotations

from typing import Mapping, Sequence

from ansible_collections.hpcc.notebook.plugins.module_utils._profile.layout import ENVIRONMENTS
from ansible_collections.hpcc.notebook.plugins.module_utils._profile.meters import CPU_LIMIT
from ansible_collections.hpcc.notebook.plugins.module_utils._server.layout import (
    FRONTENDS,
    Launch,
    Layout,
)

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
    "--PasswordIdentityProvider.allow_password_change=False",
    "--PasswordIdentityProvider.password_required=True",
    "--KernelManager.transport=ipc",
)
_DEFAULT_PORT = 8888  # the only one that Jupyter accepts beside a socket
# `-m` for a front end, without what takes a third of its start: jsonschema imports a grammar of
# international addresses, for a check that nothing in Jupyter asks for, and does without where it
# is not installed. Whoever imports it later gets it.
_RUN = "; ".join(
    (
        "import runpy, sys",
        'sys.modules["rfc3987_syntax"] = None',
        "import jsonschema",
        'del sys.modules["rfc3987_syntax"], sys.argv[0]',
        'runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)',
    )
)


def server_argv(python: str, layout: Layout, launch: Launch) -> list[str]:
    """The server's own command line.

    `-I` keeps the person's home (the working directory), ~/.local and PYTHON* variables from
    deciding which Jupyter runs. Kernels do not inherit it: there the person's packages count.
    """
    over_socket = launch.transport == "socket"
    return [
        *(python, "-I", "-c", _RUN, FRONTENDS[launch.frontend].module),
        *_PINS,
        f"--ServerApp.certfile={layout.certificate}",
        f"--ServerApp.keyfile={layout.key}",
        f"--ServerApp.sock={layout.socket if over_socket else ''}",
        "--ServerApp.sock_mode=0600",
        f"--ServerApp.port={_DEFAULT_PORT if over_socket else launch.port}",
        *(_idle_options(launch.idle) if launch.idle else []),
    ]


_IDLE = "--ServerApp.shutdown_no_activity_timeout="
_LOOK_EVERY = 300  # seconds; sooner when the time itself is shorter


def _idle_options(seconds: int) -> list[str]:
    """A server ends only without kernels and terminals, so these have to end first."""
    often = min(seconds, _LOOK_EVERY)
    return [
        f"{_IDLE}{seconds}",
        f"--MappingKernelManager.cull_idle_timeout={seconds}",
        f"--MappingKernelManager.cull_interval={often}",
        f"--TerminalManager.cull_inactive_timeout={seconds}",
        f"--TerminalManager.cull_interval={often}",
    ]


# How a running server can be asked what was loaded for it.
_MODULES, _THREADS = "HPCC_NOTEBOOK_MODULES", "HPCC_NOTEBOOK_THREADS"


def launched(argv: Sequence[str], environment: Mapping[str, str], layout: Layout) -> Launch | None:
    """What a process was asked to serve, if its command line is one of ours for this profile."""
    if f"--ServerApp.certfile={layout.certificate}" not in argv:
        return None
    frontend = _frontend(argv)
    port = _number(_value(argv, "--ServerApp.port="))
    if frontend is None or not port:
        return None
    return Launch(
        frontend=frontend,
        transport="socket" if _value(argv, "--ServerApp.sock=") else "tcp",
        port=port,
        modules=tuple(environment.get(_MODULES, "").split()),
        threads=_number(environment.get(_THREADS, "")),
        idle=_number(_value(argv, _IDLE)),
        cpu_limit=_number(environment.get(CPU_LIMIT, "")),
        environments=bool(environment.get(ENVIRONMENTS)),
    )


def _frontend(argv: Sequence[str]) -> str | None:
    """Its module stands in front of the options, here and in what earlier versions started."""
    modules = {frontend.module: name for name, frontend in FRONTENDS.items()}
    first = next(at for at, word in enumerate(argv) if word.startswith("--"))
    return modules.get(argv[first - 1]) if first else None


_RUNTIME = "JUPYTER_RUNTIME_DIR="


def placed(words: Sequence[str]) -> str:
    """The node-local directory in the words of a process: its arguments, or its environment."""
    socket, runtime = _value(words, "--ServerApp.sock="), _value(words, _RUNTIME)
    found = (socket or runtime).rpartition("/")[0]
    return found if found.startswith("/") else ""


def _value(argv: Sequence[str], option: str) -> str:
    return next((word[len(option) :] for word in argv if word.startswith(option)), "")


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() else 0


def variables(layout: Layout, launch: Launch) -> dict[str, str]:
    """What the server and its kernels need to know, whatever the site's profile says."""
    return {
        _MODULES: " ".join(launch.modules),
        _THREADS: str(launch.threads),
        CPU_LIMIT: str(launch.cpu_limit),
        ENVIRONMENTS: "1" if launch.environments else "",
        # Makes our directory the user's level of configuration, and that level beat
        # <installation>/etc/jupyter, which wins otherwise when the person owns the installation.
        "JUPYTER_CONFIG_DIR": layout.directory,
        "JUPYTER_PREFER_ENV_PATH": "0",
        "JUPYTER_PATH": f"{layout.directory}/jupyter",
        "JUPYTER_RUNTIME_DIR": layout.runtime,
        "JUPYTER_TOKEN_FILE": layout.token,
        "IPYTHONDIR": f"{layout.ipython}",
        # The ports of ipyparallel's own clusters are everybody's on this node: only who has the
        # keys, which are in private files, can read there.
        "IPP_ENABLE_CURVE": "1",
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
    "PYTHONHOME PYTHONSTARTUP PYTHONUSERBASE JUPYTER_CONFIG_PATH JUPYTER_NO_CONFIG "
    "JUPYTER_TOKEN JUPYTER_DATA_DIR JUPYTER_ALLOW_INSECURE_WRITES JUPYTER_PORT "
    "JUPYTER_SERVER_ALLOW_UNAUTHENTICATED_ACCESS"
)
# Each of these libraries would take all the cores of a node that is everybody's.
_POOLS = "OMP OPENBLAS MKL NUMEXPR NUMBA BLIS"

# The site's profile brings its module system and its scheduler; the person's own files are not
# read. A PYTHONPATH of modules that were asked for is meant, one of the site's own Python is not.
# Old Tcl Modules say what is wrong and then exit with 0; a list that did not grow tells.
_SITE = """
[ -r /etc/profile ] && . /etc/profile </dev/null >/dev/null 2>&1
unset PYTHONPATH
for wanted in $1; do
    command -v module >/dev/null || { echo 'this host has no command "module"' >&2; exit 1; }
    before=:${LOADEDMODULES-}:
    module load "$wanted" </dev/null || exit 1
    [ "$before" = ":${LOADEDMODULES-}:" ] || continue
    case $before in *":$wanted:"* | *":$wanted/"*) ;; *) exit 1 ;; esac
done
"""
# The log is followed in a session, for whoever attaches to it. Only "tail" stays beside the server:
# behind a list, "&" would leave a shell with it. `exec` keeps the pid.
_SCRIPT = f"""
{{ {_SITE} }} >>"$5" 2>&1
log=$5
unset {_FORGOTTEN}
if [ "$2" -gt 0 ]; then
    for pool in {_POOLS}; do
        eval "export ${{pool}}_NUM_THREADS=\\${{${{pool}}_NUM_THREADS:-$2}}"
    done
fi
PATH=$3${{PATH:+:$PATH}}; export PATH
cd "$4"
shift 5
if [ -t 1 ]; then tail -n +1 -F "$log" 2>/dev/null & fi
exec env "$@" >>"$log" 2>&1 </dev/null
"""


def launch_line(shell: str, python: str, layout: Layout, launch: Launch) -> list[str]:
    """What the tmux session runs until it becomes the server itself."""
    argv = server_argv(python, layout, launch)
    return surrounded(shell, layout, launch, layout.log, argv)


def surrounded(
    shell: str, layout: Layout, launch: Launch, log: str, argv: Sequence[str]
) -> list[str]:
    """What runs until it becomes this command, with all around it that a server has."""
    assignments = [f"{name}={value}" for name, value in variables(layout, launch).items()]
    surroundings = [" ".join(launch.modules), str(launch.threads)]
    positions = [argv[0].rpartition("/")[0], layout.home, log]
    return [*_shell(shell, _SCRIPT), layout.name, *surroundings, *positions, *assignments, *argv]


def modules_line(shell: str, modules: Sequence[str]) -> list[str]:
    """Load the modules, and print what the environment has become, to see whether they can be."""
    return [*_shell(shell, f"{{ {_SITE} }} >&2\nenv -0"), "modules", " ".join(modules)]


def _shell(shell: str, script: str) -> list[str]:
    quiet = ["--noprofile", "--norc"] if shell.endswith("bash") else []
    return [shell, *quiet, "-c", script]

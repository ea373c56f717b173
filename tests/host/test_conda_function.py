"""`conda activate` after `module load`, in real module commands and real shells, and its end."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

import pytest
from ansible_collections.hpcc.notebook.plugins.module_utils._modulefile.text import TEXTS, Module
from module_commands import commands, unpacked

# The contract of conda: `conda shell.<shell> activate NAME` prints code for that shell.
CONDA = r"""#!/bin/sh
[ "$3" != missing ] || { echo "EnvironmentNameNotFound: $3" >&2; exit 1; }
case "$1 $2" in
  "shell.posix activate") printf "export CONDA_PREFIX='/envs/%s'\nexport CONDA_SHLVL='1'\n" "$3" ;;
  "shell.csh activate") printf 'setenv CONDA_PREFIX "/envs/%s";\nsetenv CONDA_SHLVL "1";\n' "$3" ;;
  "shell.fish activate") printf 'set -gx CONDA_PREFIX "/envs/%s";\n' "$3" ;;
  "shell.posix deactivate") echo "unset CONDA_PREFIX" ;;
  "shell.csh deactivate") echo "unsetenv CONDA_PREFIX;" ;;
  "shell.fish deactivate") echo "set -e CONDA_PREFIX;" ;;
  shell.*\ reactivate) echo "echo reactivated;" ;;
  "install missing") exit 1 ;;
  *) echo "$0 ran: $#: $*" ;;
esac
"""
LOAD = {
    "bash": 'eval "$({command})"',
    "zsh": 'eval "$({command})"',
    "tcsh": 'eval "`{command}`"',
    "csh": 'eval "`{command}`"',
    "fish": "{command} | source",
}
# What a person types, and what shows whether a function or an alias is left.
TYPED = """
conda create -n mine
conda activate mine
echo "in $CONDA_PREFIX"
conda list "a b" c
conda install x
conda
conda deactivate
env | grep CONDA_PREFIX
conda list | tr a-z A-Z | sed "s,.*/,,"
conda activate missing || echo refused
conda install missing || echo refused
"""
LEFT = {"tcsh": "alias conda", "csh": "alias conda", "fish": "functions conda"}


@pytest.fixture(scope="session")
def module_commands(tmp_path_factory):
    return commands(unpacked(tmp_path_factory.mktemp("modules")))


@pytest.fixture
def home(tmp_path):
    conda = tmp_path / "anaconda" / "bin" / "conda"
    conda.parent.mkdir(parents=True)
    conda.write_text(CONDA)
    conda.chmod(0o755)
    for syntax, ending in (("lua", ".lua"), ("tcl", "")):
        file = tmp_path / syntax / f"anaconda{ending}"
        file.parent.mkdir()
        file.write_text(TEXTS[syntax](Module("anaconda", "~/anaconda", "Python")))
    return tmp_path


def session(home, command, syntax, shell, typed, **more):
    """What a shell says in which the module is loaded, something typed, and it is unloaded."""
    if not shutil.which(shell):
        pytest.skip(f"{shell} is not installed")
    evaluation = LOAD[shell]
    if "csh" in shell and command[-1].endswith("/lmod"):
        evaluation = evaluation.replace('"', "")  # so does Lmod's own `module` for csh
    load, unload = (
        evaluation.format(command=shlex.join([*command, shell, what, "anaconda"]))
        for what in ("load", "unload")
    )
    left = LEFT.get(shell, "typeset -f conda")
    script = home / "typed"
    script.write_text(f"{load}\n{typed}\n{unload}\necho unloaded\n{left}\n")
    environment = {
        "HOME": str(home),
        "MODULEPATH": str(home / syntax),
        "PATH": os.environ["PATH"],
        **more,
    }
    quiet = ["-f"] if shell in ("tcsh", "csh", "zsh") else []
    done = subprocess.run(
        [shell, *quiet, script], env=environment, capture_output=True, text=True, check=False
    )
    return done.stdout.splitlines(), done.stderr


@pytest.mark.parametrize("shell", LOAD)
@pytest.mark.parametrize("kind", ["lmod lua", "lmod tcl", "modules tcl"])
def test_conda_activate_works_while_the_module_is_loaded(module_commands, home, kind, shell):
    name, syntax = kind.split()
    said, errors = session(home, module_commands[name], syntax, shell, TYPED)
    conda = home / "anaconda" / "bin" / "conda"
    assert said == [
        f"{conda} ran: 3: create -n mine",
        "in /envs/mine",
        f"{conda} ran: 3: list a b c",
        f"{conda} ran: 2: install x",
        "reactivated",
        f"{conda} ran: 0: ",
        "CONDA RAN: 1: LIST",
        "refused",
        "refused",
        "unloaded",
    ]
    assert "EnvironmentNameNotFound: missing" in errors


@pytest.mark.parametrize("kind", ["lmod lua", "modules tcl"])
def test_the_conda_of_a_persons_own_login_files_stays(module_commands, home, kind):
    name, syntax = kind.split()
    typed = 'conda() { echo "their own: $*"; }\n'
    load = "conda activate mine"
    said, _errors = session(
        home, module_commands[name], syntax, "bash", typed + load, CONDA_EXE="/opt/their/bin/conda"
    )
    assert said[:2] == ["their own: activate mine", "unloaded"]
    assert "their own" in "".join(said[2:])
